"""Where the build is, and the prompts that tests of the outer faces ask. FI_BUILD names the build folder (default: build)."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("FI_BUILD", ROOT / "build"))
PROGRAM = BUILD / "feature-interpreter"
PROMPTS = {
    "sums": [f"What is {i} plus {i + 3}?" for i in range(24)],
    "fruit": [f"Name fruit number {i}." for i in range(24)],
}
