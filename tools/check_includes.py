#!/usr/bin/env python3
"""Fails when a folder of fi/ includes one that comes after it in the flow of data (fi/CMakeLists.txt has the same order)."""

import pathlib
import re
import sys

ORDER = [
    "core",
    "io",
    "hub",
    "tokenizer",
    "model",
    "prompts",
    "activations",
    "capture",
    "diff",
    "dictionary",
    "training",
    "features",
    "explain",
    "behaviour",
    "intervene",
    "claims",
    "report",
    "compare",
]
INCLUDE = re.compile(r'^#include "fi/([a-z]+)/', re.M)


def violations(root: pathlib.Path) -> list[str]:
    found = []
    for path in sorted((root / "fi").rglob("*.[hc]*")):
        if path.suffix not in (".h", ".cpp"):
            continue
        folder = path.relative_to(root / "fi").parts[0]
        for included in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if ORDER.index(included) > ORDER.index(folder):
                found.append(f"{path.relative_to(root)} includes fi/{included}, which comes after fi/{folder}")
    return found


def main() -> int:
    found = violations(pathlib.Path(__file__).resolve().parent.parent)
    print("\n".join(found) or "include order: ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
