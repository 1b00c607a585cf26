"""Paths of the sample writer and of the samples that it writes. FI_BUILD names the build folder (default: build)."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def write_sample(tmp_path_factory):
    program = pathlib.Path(os.environ.get("FI_BUILD", ROOT / "build")) / "tests/report/write_sample"
    assert program.exists(), f"{program} is not built: run ninja -C build write_sample"
    folder = tmp_path_factory.mktemp("samples")

    def write(kind):
        target = folder / kind
        if not target.exists():
            subprocess.run([program, kind, target, "figures"], check=True, timeout=600)
        return target

    return write
