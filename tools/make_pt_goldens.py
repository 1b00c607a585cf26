#!/usr/bin/env python3
"""Makes tests/data/pt with torch.save: what the restricted reader must read. Needs torch in a virtual environment of its own."""

import collections
import pathlib
import sys

import torch

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "pt"


def main() -> int:
    OUT.mkdir(parents=True, exist_ok=True)
    numbers = torch.arange(24, dtype=torch.float32).view(2, 3, 4)
    state = collections.OrderedDict(W_enc=numbers, b_enc=torch.tensor([0.5, -1.5]).half(), steps=torch.tensor(7))
    torch.save(state, OUT / "state.pt")
    nested = {
        "model": {"weight": torch.nn.Parameter(torch.ones(2)), "view": numbers[0].t(), "part": numbers[1, 1:]},
        "config": {"lr": 0.1, "names": ["a", "b"], "shape": (1, 2, 3, 4), "none": None, "on": True, "large": 2**40},
        "bf16": torch.tensor([1.0, 2.5]).bfloat16(),
    }
    torch.save(nested, OUT / "nested.pt")
    torch.save(torch.nn.Linear(3, 2).state_dict(), OUT / "module.pt")
    torch.save(state, OUT / "legacy.pt", _use_new_zipfile_serialization=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
