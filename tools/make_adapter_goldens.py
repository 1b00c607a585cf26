#!/usr/bin/env python3
"""Writes tests/data/adapter/: LoRA adapters of every kind that PEFT saves, on the tiny models of tests/data/model, and the logits of PEFT.

Run in an environment with torch, transformers, peft (made with 0.21.2) and safetensors: python tools/make_adapter_goldens.py
"""

import json
import pathlib
import shutil

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

TESTS = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data"
SEQUENCES = [[1, 5, 9, 100, 127, 3, 3, 64], [42, 7, 7, 12]]
ADAPTERS = {
    "plain": ("llama_untied", dict(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"])),
    "patterns": (
        "llama_untied",
        dict(
            r=4,
            lora_alpha=8,
            use_rslora=True,
            target_modules=r"model\.layers\.\d+\.(self_attn\.(q|k)_proj|mlp\.(up|down)_proj)",
            rank_pattern={r"layers\.0\.self_attn\.q_proj": 2, "down_proj": 6, "up_proj": 1},
            alpha_pattern={"self_attn.q_proj": 3, r"model\.layers\.1\..*down_proj": 24, "k_proj": 0.5},
        ),
    ),
    "one_layer": (
        "llama_untied",
        dict(
            r=2,
            lora_alpha=2,
            target_modules=["q_proj", "down_proj", "up_proj"],
            layers_to_transform=[1],
            exclude_modules=["up_proj"],
        ),
    ),
    "saved": (
        "llama_tied",
        dict(r=2, lora_alpha=4, target_modules=["o_proj"], modules_to_save=["lm_head", "model.norm"]),
    ),
    "biases": ("qwen2", dict(r=2, lora_alpha=4, target_modules=["q_proj", "o_proj"], bias="all")),
    "lora_biases": ("qwen2", dict(r=2, lora_alpha=4, target_modules=["k_proj"], bias="lora_only")),
    "embeddings": ("llama_untied", dict(r=3, lora_alpha=6, target_modules=["embed_tokens", "lm_head", "gate_proj"])),
}


def write(name: str, base: str, options: dict) -> None:
    folder = TESTS / "adapter" / name
    shutil.rmtree(folder, ignore_errors=True)
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(TESTS / "model" / base).float(), LoraConfig(**options)
    ).eval()
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data + 0.2 * torch.randn(parameter.shape, generator=generator)
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = f"tests/data/model/{base}"
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    with torch.no_grad():
        goldens = {f"logits.{i}": model(torch.tensor([ids])).logits[0].contiguous() for i, ids in enumerate(SEQUENCES)}
    save_file(goldens, folder / "goldens.safetensors", metadata={"sequences": json.dumps(SEQUENCES), "base": base})
    print(name, sorted(load_file(folder / "adapter_model.safetensors"))[:6])


def main() -> None:
    for name, (base, options) in ADAPTERS.items():
        write(name, base, options)


if __name__ == "__main__":
    main()
