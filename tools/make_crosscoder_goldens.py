#!/usr/bin/env python3
"""Makes tests/data/dictionary with the crosscoder classes of jkminder/dictionary_learning.

    make_crosscoder_goldens.py CHECKOUT SAMPLES

CHECKOUT is a local checkout of that library, SAMPLES the folder that `write_dictionary_sample` wrote. Needs torch, numpy, einops,
huggingface_hub, safetensors and zstandard in a virtual environment of its own. Both directions are held: dictionaries that the
library wrote, and ours as the library reads them, each with scaled codes and reconstructions of the same rows.
"""

import importlib.machinery
import pathlib
import shutil
import sys
import types

import torch
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "dictionary"


def import_crosscoders(checkout: str):
    """The library imports packages that its dictionaries do not need; empty modules stand in for them."""
    for name, attributes in {"nnsight": ["LanguageModel"], "datasets": ["Dataset", "load_dataset"]}.items():
        module = types.ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        for attribute in attributes:
            setattr(module, attribute, None)
        sys.modules.setdefault(name, module)
    sys.path.insert(0, checkout)
    from dictionary_learning.dictionary import BatchTopKCrossCoder, CrossCoder

    return BatchTopKCrossCoder, CrossCoder


def write_expected(folder: pathlib.Path, model, rows: torch.Tensor) -> None:
    with torch.no_grad():
        codes = model.encode(rows)
        expected = {"rows": rows, "scaled_codes": model.get_activations(rows), "reconstructions": model.decode(codes)}
    save_file({name: value.contiguous() for name, value in expected.items()}, folder / "expected.safetensors")


def main() -> int:
    checkout, samples = sys.argv[1], pathlib.Path(sys.argv[2])
    batch_topk, relu = import_crosscoders(checkout)
    torch.manual_seed(5)
    rows = torch.randn(12, 2, 6) * 2
    mean, std = torch.randn(2, 6), torch.rand(2, 6) + 0.5
    ours = {"ours_one_scale": batch_topk, "ours_two_scales": batch_topk, "ours_relu": relu}
    theirs = {
        "theirs_batch_topk": batch_topk(6, 10, 2, k=3, activation_mean=mean, activation_std=std, target_rms=4.0),
        "theirs_relu": relu(6, 10, 2, norm_init_scale=0.7, target_rms=1.0),
        "theirs_mixed": batch_topk(6, 10, 2, k=3, code_normalization="MIXED"),
    }
    for name, model in theirs.items():
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.1)
            if name != "theirs_relu":
                model.threshold.fill_(0.9)
        shutil.rmtree(OUT / name, ignore_errors=True)
        model.save_pretrained(OUT / name)
        (OUT / name / "README.md").unlink(missing_ok=True)
        write_expected(OUT / name, model, rows)
    for name, kind in ours.items():
        shutil.copytree(samples / name, OUT / name, dirs_exist_ok=True)
        model = kind.from_pretrained(str(OUT / name), from_hub=True)
        write_expected(OUT / name, model, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
