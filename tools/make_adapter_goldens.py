#!/usr/bin/env python3
"""Writes tests/data/adapter/: LoRA adapters of every kind that PEFT saves, on the tiny models of tests/data/model, and the logits of PEFT.

Run in an environment with torch, transformers, peft (made with 0.21.2) and safetensors: python tools/make_adapter_goldens.py [NAME ...]
"""

import json
import pathlib
import shutil
import sys

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
    "phi3_fused": (
        "phi3",
        dict(
            r=4,
            lora_alpha=8,
            target_modules=["qkv_proj", "gate_up_proj", "o_proj"],
            rank_pattern={r"layers\.1\.self_attn\.qkv_proj": 2},
            alpha_pattern={"gate_up_proj": 3},
        ),
    ),
    "phi3_saved": (
        "phi3",
        dict(r=2, lora_alpha=4, target_modules=["down_proj"], modules_to_save=["qkv_proj", "input_layernorm", "norm"]),
    ),
    "gpt2_fused": (
        "gpt2",
        dict(
            r=3,
            lora_alpha=6,
            target_modules=["c_attn", "c_proj", "c_fc"],
            fan_in_fan_out=True,
            rank_pattern={r"h\.0\.attn\.c_attn": 5},
            bias="all",
        ),
    ),
    "gpt2_saved": (
        "gpt2",
        dict(
            r=2,
            lora_alpha=4,
            target_modules=["c_fc", "wte"],
            fan_in_fan_out=True,
            modules_to_save=["c_attn", "ln_1", "ln_f", "wpe"],
        ),
    ),
    "gpt_neox_fused": (
        "gpt_neox",
        dict(
            r=4,
            lora_alpha=8,
            target_modules=["query_key_value", "dense", "dense_h_to_4h", "lm_head"],
            bias="lora_only",
        ),
    ),
    "gpt_neox_saved": (
        "gpt_neox",
        dict(
            r=2,
            lora_alpha=4,
            target_modules=["dense_4h_to_h"],
            modules_to_save=["query_key_value", "post_attention_layernorm", "final_layer_norm"],
        ),
    ),
    "gemma3_norms": (
        "gemma3",
        dict(
            r=2,
            lora_alpha=4,
            target_modules=["o_proj"],
            modules_to_save=[
                "q_norm",
                "post_attention_layernorm",
                "pre_feedforward_layernorm",
                "post_feedforward_layernorm",
            ],
        ),
    ),
    "qwen3_norms": (
        "qwen3",
        dict(r=2, lora_alpha=4, target_modules=["o_proj"], modules_to_save=["k_norm", "input_layernorm", "norm"]),
    ),
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
    for name in sys.argv[1:] or ADAPTERS:
        write(name, *ADAPTERS[name])


if __name__ == "__main__":
    main()
