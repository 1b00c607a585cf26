"""Forbids sockets to a process, by a filter that the kernel applies: whoever opens one is ended by SIGSYS."""

import ctypes
import platform
import signal
import struct

SOCKET = {"x86_64": (41, 0xC000003E), "aarch64": (198, 0xC00000B7)}[
    platform.machine()
]  # number of the call, audit architecture
KILL, ALLOW = 0x80000000, 0x7FFF0000
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # of the packet filter's machine
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ENDED_BY_THE_FILTER = -signal.SIGSYS


def forbid_sockets() -> None:
    """For `preexec_fn`: this process and its children may open no socket from here on."""
    number, architecture = SOCKET
    steps = [(LOAD, 0, 0, 4), (JUMP_IF_EQUAL, 0, 3, architecture), (LOAD, 0, 0, 0), (JUMP_IF_EQUAL, 0, 1, number)]
    steps += [(RETURN, 0, 0, KILL), (RETURN, 0, 0, ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0)):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
