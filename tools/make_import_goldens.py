#!/usr/bin/env python3
"""Makes tests/data/import and tests/data/export with the code of the projects that write and read such files.

    make_import_goldens.py CHECKOUTS SAMPLES

CHECKOUTS holds local checkouts: crosscoder-model-diff-replication (ckkissane), Language-Model-SAEs (OpenMOSS), sparsify (EleutherAI)
and dictionary_learning (saprmarks). Needs sae-lens 6.54.12 with its dependencies, accelerate, natsort and simple-parsing in a virtual
environment of its own. Each dictionary gets random weights, a file as its project saves it, and in expected/ the codes times their
norms and the reconstructions that its project's class computes of the same rows. SAMPLES is the folder that `write_dictionary_sample` wrote: its SAELens slices are loaded by SAELens.
"""

import importlib.machinery
import json
import pathlib
import shutil
import sys
import types

import torch
from safetensors.torch import save_file

DATA = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data"
OUT = DATA / "import"
WIDTH, LATENTS, K = 6, 10, 3
SCALES = torch.tensor([0.3, 0.5])  # what the rows of a crosscoder without stored scales are multiplied by


def stub(name: str, **attributes) -> None:
    """A module that the classes import and do not use here."""
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    for key, value in attributes.items():
        setattr(module, key, value)
    sys.modules[name] = module


def package(name: str, folder: pathlib.Path) -> None:
    """A package whose own __init__, which imports trainers, is left out."""
    module = types.ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module


def randomise(module: torch.nn.Module) -> None:
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            noise = torch.randn_like(parameter) * 0.4
            parameter.copy_(noise.abs() if "threshold" in name else noise)


def keep_expected(name: str, rows, codes, reconstructions) -> None:
    tensors = {"rows": rows, "scaled_codes": codes, "reconstructions": reconstructions}
    (OUT / "expected").mkdir(parents=True, exist_ok=True)
    save_file(
        {key: value.detach().contiguous() for key, value in tensors.items()}, OUT / "expected" / f"{name}.safetensors"
    )


def fresh(name: str) -> pathlib.Path:
    shutil.rmtree(OUT / name, ignore_errors=True)
    (OUT / name).mkdir(parents=True)
    return OUT / name


def make_ckkissane(checkouts: pathlib.Path, pairs: torch.Tensor) -> None:
    import einops

    # Its utils import a dozen packages for training.
    stub("utils", torch=torch, einops=einops, Path=pathlib.Path, json=json)
    sys.path.insert(0, str(checkouts / "crosscoder-model-diff-replication"))
    from crosscoder import CrossCoder

    config = {
        "d_in": WIDTH,
        "dict_size": LATENTS,
        "enc_dtype": "fp32",
        "seed": 3,
        "dec_init_norm": 0.1,
        "device": "cpu",
    }
    config |= {"hook_point": "blocks.3.hook_resid_pre", "model_name": "gemma-2-2b", "l1_coeff": 2}
    model = CrossCoder(config)
    randomise(model)
    folder = fresh("ckkissane")
    model.save_dir = folder
    model.save()  # 0.pt and 0_cfg.json
    hub = fresh("ckkissane_hub")
    shutil.copy(folder / "0.pt", hub / "cc_weights.pt")
    shutil.copy(folder / "0_cfg.json", hub / "cfg.json")
    x = pairs * SCALES.view(1, 2, 1)
    codes = model.encode(x)
    norms = model.W_dec.norm(dim=-1).sum(1)
    for name in ("ckkissane", "ckkissane_hub"):
        keep_expected(name, pairs, codes * norms, model.decode(codes) / SCALES.view(1, 2, 1))


def make_openmoss(checkouts: pathlib.Path, pairs: torch.Tensor) -> None:
    root = checkouts / "Language-Model-SAEs" / "src" / "llamascopium"
    for name in ("llamascopium", "llamascopium.models", "llamascopium.utils"):
        package(name, root.joinpath(*name.split(".")[1:]))
    from llamascopium.models import sparse_dictionary
    from llamascopium.models.crosscoder import Crosscoder, CrosscoderConfig

    sparse_dictionary.version = lambda _: "2.0.0b34"  # of a package that is not installed
    hook_points = ["blocks.4.hook_resid_pre", "blocks.3.hook_resid_post"]
    norms = {hook_points[0]: 8.0, hook_points[1]: 5.0}
    for name, kind in (("openmoss", "dataset-wise"), ("openmoss_inference", "inference")):
        config = CrosscoderConfig(
            hook_points=hook_points,
            d_model=WIDTH,
            expansion_factor=LATENTS / WIDTH,
            act_fn="relu",
            norm_activation=kind,
            device="cpu",
            dtype=torch.float32,
        )
        model = Crosscoder(config)
        randomise(model)
        if kind == "dataset-wise":
            model.set_dataset_average_activation_norm(norms)
        folder = fresh(name)
        model.save_pretrained(folder)
        config.save_hyperparameters(folder)
        batch = {hook: pairs[:, i] for i, hook in enumerate(hook_points)}
        batch, factors = model.normalize_activations(batch, return_scale_factor=True)
        codes = model.encode(torch.stack([batch[hook] for hook in hook_points], dim=1))
        assert torch.allclose(codes[:, 0], codes[:, 1], atol=1e-6)
        decoded = model.decode(codes)
        parts = {hook: decoded[:, i] for i, hook in enumerate(hook_points)}
        parts = model.denormalize_activations(parts, factors)
        scaled = codes[:, 0] * model.decoder_norm().sum(0)
        keep_expected(name, pairs, scaled, torch.stack([parts[hook] for hook in hook_points], dim=1))


def make_saelens(rows: torch.Tensor) -> None:
    for name in ("wandb", "wandb.sdk"):
        stub(name)
    from sae_lens import (
        GatedSAE,
        GatedSAEConfig,
        JumpReLUSAE,
        JumpReLUSAEConfig,
        StandardSAE,
        StandardSAEConfig,
        TopKSAE,
        TopKSAEConfig,
    )
    from sae_lens.saes.sae import SAEMetadata

    metadata = SAEMetadata(hook_name="blocks.3.hook_resid_post", model_name="pythia-70m")
    common = {"d_in": WIDTH, "d_sae": LATENTS, "device": "cpu", "metadata": metadata}
    saes = {
        "saelens_standard": StandardSAE(StandardSAEConfig(**common, apply_b_dec_to_input=True)),
        "saelens_jumprelu": JumpReLUSAE(JumpReLUSAEConfig(**common, apply_b_dec_to_input=False)),
        "saelens_gated": GatedSAE(GatedSAEConfig(**common, apply_b_dec_to_input=True)),
        "saelens_topk": TopKSAE(TopKSAEConfig(**common, k=K)),
        "saelens_topk_rescaled": TopKSAE(TopKSAEConfig(**common, k=K, rescale_acts_by_decoder_norm=True)),
    }
    for name, sae in saes.items():
        randomise(sae)
        sae.save_model(fresh(name))
        codes = sae.encode(rows)
        keep_expected(name, rows.unsqueeze(1), codes, sae.decode(codes).unsqueeze(1))


def read_slices(samples: pathlib.Path, rows: torch.Tensor) -> None:
    from sae_lens import SAE

    for folder in sorted((samples / "saelens").iterdir()):
        out = DATA / "export" / folder.name
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(folder, out)
        sae = SAE.load_from_disk(out)
        assert sae.cfg.metadata.hook_name == "blocks.3.hook_resid_post"
        codes = sae.encode(rows)
        tensors = {"rows": rows, "scaled_codes": codes, "reconstructions": sae.decode(codes)}
        save_file({key: value.detach().contiguous() for key, value in tensors.items()}, out / "expected.safetensors")


def make_sparsify(checkouts: pathlib.Path, rows: torch.Tensor) -> None:
    package("sparsify", checkouts / "sparsify" / "sparsify")
    from sparsify.config import SparseCoderConfig
    from sparsify.sparse_coder import SparseCoder

    sae = SparseCoder(WIDTH, SparseCoderConfig(num_latents=LATENTS, k=K))
    randomise(sae)
    sae.save_to_disk(fresh("sparsify") / "layers.3")
    top = sae.encode(rows)
    codes = torch.zeros(len(rows), LATENTS).scatter_(1, top.top_indices, top.top_acts)
    keep_expected("sparsify", rows.unsqueeze(1), codes, (codes @ sae.W_dec + sae.b_dec).unsqueeze(1))


def make_dictionary_learning(checkouts: pathlib.Path, rows: torch.Tensor) -> None:
    root = checkouts / "dictionary_learning" / "dictionary_learning"
    for name in ("dictionary_learning", "dictionary_learning.trainers"):
        package(name, root.joinpath(*name.split(".")[1:]))
    from dictionary_learning.dictionary import AutoEncoder, AutoEncoderNew, GatedAutoEncoder, JumpReluAutoEncoder
    from dictionary_learning.trainers.batch_top_k import BatchTopKSAE
    from dictionary_learning.trainers.top_k import AutoEncoderTopK

    saes = {
        "ae_relu": AutoEncoder(WIDTH, LATENTS),
        "ae_new": AutoEncoderNew(WIDTH, LATENTS),
        "ae_gated": GatedAutoEncoder(WIDTH, LATENTS),
        "ae_jumprelu": JumpReluAutoEncoder(WIDTH, LATENTS),
        "ae_topk": AutoEncoderTopK(WIDTH, LATENTS, K),
        "ae_batch_topk": BatchTopKSAE(WIDTH, LATENTS, K),
    }
    for name, sae in saes.items():
        randomise(sae)
        if hasattr(sae, "k"):
            sae.threshold.fill_(0.5)
        folder = fresh(name)
        torch.save(sae.state_dict(), folder / "ae.pt")
        (folder / "config.json").write_text(json.dumps({"trainer": {"dict_class": type(sae).__name__, "layer": 3}}))
        codes = sae.encode(rows)
        keep_expected(name, rows.unsqueeze(1), codes, sae.decode(codes).unsqueeze(1))


def main() -> int:
    checkouts = pathlib.Path(sys.argv[1])
    torch.manual_seed(9)
    pairs, rows = torch.randn(12, 2, WIDTH) * 2, torch.randn(12, WIDTH) * 2
    make_ckkissane(checkouts, pairs)
    make_saelens(rows)
    read_slices(pathlib.Path(sys.argv[2]), rows)
    make_openmoss(checkouts, pairs)
    make_sparsify(checkouts, rows)
    make_dictionary_learning(checkouts, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
