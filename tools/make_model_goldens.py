#!/usr/bin/env python3
"""Writes tests/data/model/: tiny random models of every family with the logits and residual streams of `transformers`, and golden rows of
SmolLM2. Usage: make_model_goldens.py [SMOLLM2.gguf ADAPTER_FOLDER]   (needs torch, transformers, peft, gguf, safetensors)

Everything is computed in fp32. Sequences are run one by one, so that nothing is padded.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, Gemma3TextConfig, LlamaConfig, Qwen2Config

OUT = pathlib.Path(__file__).parent.parent / "tests/data/model"
COMMON = dict(vocab_size=128, max_position_embeddings=64)
TINY = {
    "llama_tied": LlamaConfig(
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
        rope_theta=10000.0,
        rms_norm_eps=1e-5,
        **COMMON,
    ),
    "llama_untied": LlamaConfig(
        hidden_size=36,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=3,
        num_key_value_heads=3,
        head_dim=10,
        tie_word_embeddings=False,
        rope_theta=500000.0,
        **COMMON,
    ),
    "qwen2": Qwen2Config(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=1,
        tie_word_embeddings=False,
        rope_theta=1000000.0,
        **COMMON,
    ),
    "gemma3": Gemma3TextConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=7,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=24,
        sliding_window=5,
        query_pre_attn_scalar=24,
        **COMMON,
    ),
}
SEQUENCES = [[1, 5, 9, 100, 127, 3, 3, 64, 17, 2, 8, 90], [42], [7, 7, 7, 12, 13, 14, 15], [99, 98, 97, 96, 95, 94, 93]]


def residuals(model, ids):
    """Residual stream after every block (before the final norm) and the logits, by hooks on the blocks."""
    seen = []
    blocks = next(module for name, module in model.named_modules() if name.endswith("model.layers"))
    handles = [
        b.register_forward_hook(lambda _, __, out: seen.append(out[0] if isinstance(out, tuple) else out))
        for b in blocks
    ]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    for handle in handles:
        handle.remove()
    return torch.stack([s.reshape(len(ids), -1) for s in seen]), logits


def randomise(model):
    generator = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        spread = 0.3 if name.endswith("bias") or "norm" in name else 1.5 / parameter.shape[-1] ** 0.5
        offset = 1.0 if "norm" in name and model.config.model_type != "gemma3_text" else 0.0
        parameter.data = offset + spread * torch.randn(parameter.shape, generator=generator)


def write_tiny(name, config):
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    model = AutoModelForCausalLM.from_config(config).float().eval()
    randomise(model)
    model.tie_weights()
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    goldens = {}
    for i, ids in enumerate(SEQUENCES):
        resid, logits = residuals(model, ids)
        goldens[f"resid.{i}"], goldens[f"logits.{i}"] = resid.contiguous(), logits.contiguous()
    save_file(goldens, folder / "goldens.safetensors", metadata={"sequences": json.dumps(SEQUENCES)})


def write_smollm2(path, adapter):
    from peft import PeftModel

    tokenizer = AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name)
    prompts = ["The capital of France is", "def add(a, b):\n    return", "Ben had six books. He gave two away and"]
    goldens, sequences = {}, []
    model = AutoModelForCausalLM.from_pretrained(str(path.parent), gguf_file=path.name, dtype=torch.float32).eval()
    for kind in ("base", "stepwise"):
        if kind == "stepwise":
            model = PeftModel.from_pretrained(model, adapter).eval()
        for i, prompt in enumerate(prompts):
            ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
            resid, logits = residuals(model, ids)
            if kind == "base":
                sequences.append(ids)
            goldens[f"{kind}.resid.{i}"] = resid[:, :, ::18].contiguous()  # every 18th coordinate
            goldens[f"{kind}.logits.{i}"] = logits[:, ::512].contiguous()  # every 512th token
            goldens[f"{kind}.best.{i}"] = logits.argmax(-1).to(torch.int32)
    save_file(goldens, OUT / "smollm2.safetensors", metadata={"sequences": json.dumps(sequences)})


def main() -> int:
    OUT.mkdir(parents=True, exist_ok=True)
    for name, config in TINY.items():
        write_tiny(name, config)
    if len(sys.argv) == 3:
        write_smollm2(pathlib.Path(sys.argv[1]), sys.argv[2])
    return 0


if __name__ == "__main__":
    sys.exit(main())
