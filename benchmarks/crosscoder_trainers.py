#!/usr/bin/env python3
"""Times one training step of this project's two trainers and of the reference trainer, side by side in one run.

    crosscoder_trainers.py BENCH [--reference CHECKOUT] [--rows FILE] [--latents 8192] [--steps 4] [--rounds 3] ...

BENCH is the built `bench_crosscoder`. CHECKOUT is a local checkout of jkminder/dictionary_learning (it is not on PyPI); without it
the reference is left out, and the run says so. FILE is a safetensors file with `rows` [n, 2, d_model] of real activations; without
it rows are made of random sparse directions. Engines take turns, so that what else the machine does falls on all of them. Needs
torch, numpy, einops, huggingface_hub, safetensors and zstandard in a virtual environment of its own.
"""

import argparse
import importlib.machinery
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import types

import torch
from safetensors.torch import load_file, save_file


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=pathlib.Path)
    parser.add_argument("--reference", type=pathlib.Path)
    parser.add_argument("--rows", type=pathlib.Path)
    parser.add_argument("--d-model", type=int, default=576)
    parser.add_argument("--latents", type=int, default=8192)
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--k", type=int, default=32)
    parser.add_argument("--k-initial", type=int, default=0, help="anneal from here over the first half of the steps")
    parser.add_argument("--steps", type=int, default=4, help="steps of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--beta2", type=float, default=0.99, help="ours; makes up for gradients that are not clipped")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--skip-autograd", action="store_true")
    return parser.parse_args()


def synthetic_rows(count: int, d_model: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(4 * d_model, 2 * d_model, generator=generator)
    codes = (torch.rand(count, 4 * d_model, generator=generator) < 0.02) * torch.rand(
        count, 4 * d_model, generator=generator
    )
    noise = torch.randn(count, 2 * d_model, generator=generator)
    return (codes @ directions + 0.3 * noise).view(count, 2, d_model)


def import_reference(checkout: pathlib.Path):
    for name, attributes in {"nnsight": ["LanguageModel"], "datasets": ["Dataset", "load_dataset"]}.items():
        module = types.ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        for attribute in attributes:
            setattr(module, attribute, None)
        sys.modules.setdefault(name, module)
    sys.path.insert(0, str(checkout))
    from dictionary_learning.trainers.crosscoder import BatchTopKCrossCoderTrainer

    return BatchTopKCrossCoderTrainer


def run_reference(options: argparse.Namespace, x: torch.Tensor) -> dict:
    trainer = import_reference(options.reference)(
        steps=options.steps,
        activation_dim=x.shape[2],
        dict_size=options.latents,
        k=options.k,
        k_max=options.k_initial or options.k,
        k_annealing_steps=options.steps // 2 if options.k_initial else 0,
        layer=0,
        lm_name="",
        lr=options.lr,
        warmup_steps=min(20, options.steps - 1),
        decay_start=None,
        threshold_start_step=0,
        seed=0,
        device="cpu",
    )
    seconds, explained = [], []
    order = torch.Generator().manual_seed(1)
    for step in range(options.steps):
        batch = x[torch.randint(len(x), (options.batch,), generator=order)]
        if step >= options.steps - 10 and options.steps >= 50:  # before the step, as ours: rows it has not just learnt from
            with torch.no_grad():
                error = batch - trainer.ae.decode(trainer.ae.encode(batch, use_threshold=False))
            explained.append(1 - (error.square().sum() / batch.square().sum()).item())
        start = time.perf_counter()
        trainer.update(step, batch.clone())
        seconds.append(time.perf_counter() - start)
    return {"engine": "reference", "seconds": seconds, "explained": explained}


def run_ours(options: argparse.Namespace, engine: str, rows_file: pathlib.Path) -> dict:
    config = {
        "num_latents": options.latents,
        "k": options.k,
        "k_initial": options.k_initial or options.k,
        "k_anneal_steps": options.steps // 2 if options.k_initial else 0,
        "batch_size": options.batch,
        "num_steps": options.steps,
        "lr": options.lr,
        "beta2": options.beta2,
        "warmup_steps": min(20, options.steps - 1),
        "decay_steps": 0,
        "dead_after_rows": 10_000_000,  # as the reference has it
        "same_init": False,
    }
    command = [options.bench, engine, rows_file, json.dumps(config)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> int:
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    rows = (
        load_file(options.rows)["rows"].float() if options.rows else synthetic_rows(4 * options.batch, options.d_model)
    )
    rows = rows - rows.mean(0)
    rows = rows / rows.square().mean((0, 2), keepdim=True).sqrt()
    engines = ["sparse"] if options.skip_autograd else ["sparse", "autograd"]
    if options.reference:
        engines.append("reference")
    else:
        print("no --reference checkout was given: the reference trainer is left out")
    seconds: dict[str, list[float]] = {engine: [] for engine in engines}
    explained: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        rows_file = pathlib.Path(folder) / "rows.safetensors"
        save_file({"rows": rows.contiguous()}, rows_file)
        for _ in range(options.rounds):
            for engine in engines:
                result = run_reference(options, rows) if engine == "reference" else run_ours(options, engine, rows_file)
                seconds[engine] += result["seconds"][1:]  # the first step also allocates
                if result["explained"]:
                    explained[engine] = statistics.mean(result["explained"][-10:])
    print(
        f"batch {options.batch}, {rows.shape[1]} models of width {rows.shape[2]}, {options.latents} latents, k {options.k}, "
    )
    print(f"{options.threads} threads, {options.rounds} rounds of {options.steps} steps in turn")
    slowest = statistics.median(seconds[engines[-1]])
    for engine in engines:
        median, best = statistics.median(seconds[engine]), min(seconds[engine])
        ratio = f"{slowest / median:6.2f}x of {engines[-1]}"
        fve = f", explained {explained[engine]:.4f} (last 10 steps)" if options.steps >= 50 else ""
        print(f"{engine:10s} median {median:8.4f} s  best {best:8.4f} s  {ratio}{fve}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
