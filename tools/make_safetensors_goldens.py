#!/usr/bin/env python3
"""Writes tests/data/io/safetensors_cases.jsonl: files as hex, with the verdict of the reference reader (PyPI safetensors 0.8.0).

Run in an environment with `safetensors` and `numpy`: python tools/make_safetensors_goldens.py
"""

import json
import pathlib
import random
import struct
import tempfile

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "io"
F32 = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


def packed(header: str | bytes | dict, data: bytes = b"", length: int | None = None) -> bytes:
    text = json.dumps(header) if isinstance(header, dict) else header
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def tensor(begin: int, end: int, shape: list, dtype: str = "F32") -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def handmade() -> dict[str, bytes]:
    good = packed({"a": F32}, b"\0" * 4)
    cases = {f"{n} bytes": b"\0" * n for n in range(9)}
    cases |= {
        "one tensor": good,
        "no tensor": packed("{}"),
        "no tensor, data": packed("{}", b"\0"),
        "scalar": packed({"a": tensor(0, 4, [])}, b"\0" * 4),
        "empty tensor": packed({"a": tensor(0, 0, [0, 7])}),
        "two empty tensors share an offset": packed({"a": tensor(0, 0, [0]), "b": tensor(0, 0, [0])}),
        "padded header": packed(json.dumps({"a": F32}) + "     ", b"\0" * 4),
        "newline after header": packed(json.dumps({"a": F32}) + "\n", b"\0" * 4),
        "space before header": packed(" " + json.dumps({"a": F32}), b"\0" * 4),
        "header is an array": packed("[]"),
        "header is not JSON": packed("{a:1}"),
        "header not UTF-8": packed(b'{"\xff":' + json.dumps(F32).encode() + b"}", b"\0" * 4),
        "header longer than the file": packed({"a": F32}, b"\0" * 4, length=1000),
        "header of 2^64-1 bytes": packed({"a": F32}, b"\0" * 4, length=2**64 - 1),
        "header of 100000001 bytes": packed({"a": F32}, b"\0" * 4, length=100_000_001),
        "metadata": packed({"__metadata__": {"format": "pt"}, "a": F32}, b"\0" * 4),
        "metadata null": packed({"__metadata__": None, "a": F32}, b"\0" * 4),
        "metadata number": packed({"__metadata__": {"format": 1}, "a": F32}, b"\0" * 4),
        "metadata list": packed({"__metadata__": [], "a": F32}, b"\0" * 4),
        "metadata nested": packed({"__metadata__": {"a": {"b": "c"}}, "a": F32}, b"\0" * 4),
        "unknown dtype": packed({"a": tensor(0, 4, [1], "F31")}, b"\0" * 4),
        "dtype null": packed({"a": {**F32, "dtype": None}}, b"\0" * 4),
        "no shape": packed({"a": {"dtype": "F32", "data_offsets": [0, 4]}}, b"\0" * 4),
        "extra field": packed({"a": {**F32, "extra": 1}}, b"\0" * 4),
        "shape negative": packed({"a": tensor(0, 4, [-1])}, b"\0" * 4),
        "shape fractional": packed({"a": tensor(0, 4, [1.0])}, b"\0" * 4),
        "shape string": packed({"a": tensor(0, 4, ["1"])}, b"\0" * 4),
        "shape overflows": packed({"a": tensor(0, 4, [2**63, 2])}, b"\0" * 4),
        "bytes overflow": packed({"a": tensor(0, 4, [2**62 + 1])}, b"\0" * 4),
        "shape overflows to zero": packed({"a": tensor(0, 0, [2**32, 2**32])}),
        "overflow times zero": packed({"a": tensor(0, 0, [2**63, 2**63, 0])}),
        "offsets reversed": packed({"a": tensor(4, 0, [1])}, b"\0" * 4),
        "offset negative": packed({"a": tensor(-4, 0, [1])}, b"\0" * 4),
        "three offsets": packed({"a": {**F32, "data_offsets": [0, 4, 4]}}, b"\0" * 4),
        "offsets too large": packed({"a": tensor(0, 2**64 - 1, [1])}, b"\0" * 4),
        "truncated by one": good[:-1],
        "one byte more": good + b"\0",
        "hole at the start": packed({"a": tensor(4, 8, [1])}, b"\0" * 8),
        "hole in between": packed({"a": F32, "b": tensor(8, 12, [1])}, b"\0" * 12),
        "overlap": packed({"a": tensor(0, 8, [2]), "b": tensor(4, 12, [2])}, b"\0" * 12),
        "same bytes twice": packed({"a": F32, "b": F32}, b"\0" * 4),
        "size and shape differ": packed({"a": tensor(0, 8, [1])}, b"\0" * 8),
        "later tensor first in the header": packed({"b": tensor(4, 8, [1]), "a": F32}, b"\0" * 8),
        "name with escapes": packed('{"a\\u00e9\\n":' + json.dumps(F32) + "}", b"\0" * 4),
        "empty name": packed({"": F32}, b"\0" * 4),
        "bool, i8, u8": packed(
            {"a": tensor(0, 1, [1], "BOOL"), "b": tensor(1, 2, [1], "I8"), "c": tensor(2, 3, [1], "U8")}, b"\0" * 3
        ),
    }
    return cases


def mutants(source: bytes, count: int) -> dict[str, bytes]:
    generator = random.Random(7)
    cases = {}
    for i in range(count):
        raw = bytearray(source)
        for _ in range(generator.randint(1, 3)):
            at = generator.randrange(len(raw))
            raw[at] = generator.choice(
                [raw[at] ^ (1 << generator.randrange(8)), generator.choice(b'0189{}[]",: \x00\xff')]
            )
        cases[f"mutant {i}"] = bytes(raw)
    return cases


def accepted(raw: bytes, folder: pathlib.Path) -> bool:
    path = folder / "case.safetensors"
    path.write_bytes(raw)
    try:
        with safe_open(path, framework="numpy") as file:
            file.keys()
    except (SafetensorError, OSError, ValueError):  # ValueError: an empty file cannot be mapped
        return False
    return True


def check_ours() -> None:
    """The peer reads the sample that our writer made (tests/io/safetensors_test.cpp keeps it byte for byte)."""
    with safe_open(OUT / "ours.safetensors", framework="numpy") as file:
        assert file.metadata() == {"format": "pt"}
        assert set(file.keys()) == {"weight é", "nothing", "ids"}
        weight = np.array([[1.5, -2.0], [3.25, 0.0], [1e-3, -1e30]], dtype=np.float32)
        assert np.array_equal(file.get_tensor("weight é"), weight)
        assert file.get_tensor("nothing").shape == (0,)
        assert np.array_equal(file.get_tensor("ids"), np.array([-1, 7]))


def main() -> None:
    check_ours()
    OUT.mkdir(parents=True, exist_ok=True)
    values = np.arange(6, dtype=np.float32)
    tensors = {
        "weight": values.reshape(2, 3) - 2.5,
        "half": values.astype(np.float16),
        "ids": np.array([-1, 2**40], dtype=np.int64),
        "flags": np.array([True, False, True]),
        "nothing": np.zeros((0, 4), dtype=np.float32),
    }
    peer = save(tensors, metadata={"format": "pt", "made_by": "safetensors"})
    (OUT / "peer.safetensors").write_bytes(peer)
    small = save({"w": np.zeros((2, 2), dtype=np.float16), "b": np.zeros(2, dtype=np.float32)}, metadata={"k": "v"})
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            {"name": name, "hex": raw.hex(), "accepted": accepted(raw, pathlib.Path(folder))}
            for name, raw in (handmade() | mutants(small, 150)).items()
        ]
    (OUT / "safetensors_cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(f"{len(rows)} cases, {sum(row['accepted'] for row in rows)} accepted")


if __name__ == "__main__":
    main()
