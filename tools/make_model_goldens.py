#!/usr/bin/env python3
"""Writes tests/data/model/: tiny random models of every family with the logits and residual streams of `transformers`, rotary
frequencies, the tensor names and shapes of published checkpoints, and golden rows of SmolLM2.

Usage: make_model_goldens.py [--only NAME ...] [--smollm2 SMOLLM2.gguf ADAPTER_FOLDER]
(needs torch, transformers, peft, gguf, safetensors)

Everything is computed in fp32. Sequences are run one by one, so that nothing is padded.
"""

import argparse
import json
import pathlib
import sys

import gguf
import torch
from safetensors.torch import save_file
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    Gemma2Config,
    Gemma3TextConfig,
    GemmaConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    Olmo2Config,
    Phi3Config,
    Qwen2Config,
    Qwen3Config,
    SmolLM3Config,
)
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

OUT = pathlib.Path(__file__).parent.parent / "tests/data/model"
COMMON = dict(vocab_size=128, max_position_embeddings=64)
SPECIAL = dict(pad_token_id=0, bos_token_id=0, eos_token_id=0)  # some defaults lie outside the tiny vocabulary
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
    "qwen3": Qwen3Config(
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=3,
        num_key_value_heads=1,
        head_dim=10,
        tie_word_embeddings=True,
        **COMMON,
    ),
    "mistral": MistralConfig(
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        sliding_window=4,
        **COMMON,
    ),
    "gemma": GemmaConfig(
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=14,
        **COMMON,
    ),
    "gemma2": Gemma2Config(
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        sliding_window=5,
        query_pre_attn_scalar=12,
        attn_logit_softcapping=2.0,
        final_logit_softcapping=5.0,
        **COMMON,
    ),
    "phi3": Phi3Config(
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        sliding_window=6,
        **SPECIAL,
        **COMMON,
    ),
    "phi3_long": Phi3Config(
        hidden_size=32,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        tie_word_embeddings=True,
        original_max_position_embeddings=32,
        rope_parameters={
            "rope_type": "longrope",
            "rope_theta": 10000.0,
            "partial_rotary_factor": 0.75,
            "short_factor": [1.0, 1.1, 1.3, 1.6, 2.0, 2.5],
            "long_factor": [2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
            "original_max_position_embeddings": 32,
        },
        **SPECIAL,
        **COMMON,
    ),
    "olmo2": Olmo2Config(
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        **SPECIAL,
        **COMMON,
    ),
    "gpt2": GPT2Config(vocab_size=128, n_positions=64, n_embd=24, n_layer=2, n_head=3, bos_token_id=0, eos_token_id=0),
    "gpt_neox": GPTNeoXConfig(
        hidden_size=48,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        rotary_pct=0.25,
        use_parallel_residual=True,
        **SPECIAL,
        **COMMON,
    ),
    "gpt_neox_serial": GPTNeoXConfig(
        hidden_size=32,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=4,
        rotary_pct=1.0,
        use_parallel_residual=False,
        tie_word_embeddings=True,
        **SPECIAL,
        **COMMON,
    ),
    "smollm3": SmolLM3Config(
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=5,
        num_attention_heads=4,
        num_key_value_heads=2,
        **SPECIAL,
        **COMMON,
    ),
    "llama3_bias": LlamaConfig(
        hidden_size=32,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        attention_bias=True,
        mlp_bias=True,
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 500.0,
            "factor": 4.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 16,
        },
        **COMMON,
    ),
    "qwen2_yarn": Qwen2Config(
        hidden_size=32,
        intermediate_size=40,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        rope_parameters={
            "rope_type": "yarn",
            "rope_theta": 10000.0,
            "factor": 4.0,
            "original_max_position_embeddings": 16,
        },
        **COMMON,
    ),
}
LONG_TEXTS = ("llama3_bias", "qwen2_yarn")  # read a text beyond the length of their first training
GGUF_MODELS = {
    "qwen3": "qwen3",
    "gemma": "gemma",
    "gemma2": "gemma2",
    "phi3": "phi3",
    "olmo2": "olmo2",
    "gpt2": "gpt2",
    "gpt_neox": "gptneox",
    "smollm3": "smollm3",
}
SEQUENCES = [[1, 5, 9, 100, 127, 3, 3, 64, 17, 2, 8, 90], [42], [7, 7, 7, 12, 13, 14, 15], [99, 98, 97, 96, 95, 94, 93]]
LONG = [(7 * i * i + 3 * i + 1) % 128 for i in range(60)]

# Published shapes with fewer layers; the names and shapes of their tensors are what counts.
PUBLISHED = {
    "Llama-3.2-1B": LlamaConfig(
        vocab_size=128256,
        hidden_size=2048,
        intermediate_size=8192,
        num_hidden_layers=2,
        num_attention_heads=32,
        num_key_value_heads=8,
        tie_word_embeddings=True,
    ),
    "Qwen2.5-1.5B": Qwen2Config(
        vocab_size=151936,
        hidden_size=1536,
        intermediate_size=8960,
        num_hidden_layers=2,
        num_attention_heads=12,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    ),
    "Qwen3-0.6B": Qwen3Config(
        vocab_size=151936,
        hidden_size=1024,
        intermediate_size=3072,
        num_hidden_layers=2,
        num_attention_heads=16,
        num_key_value_heads=8,
        head_dim=128,
        tie_word_embeddings=True,
    ),
    "Mistral-7B-v0.1": MistralConfig(num_hidden_layers=2),
    "gemma-2b": GemmaConfig(
        hidden_size=2048, intermediate_size=16384, num_hidden_layers=2, num_attention_heads=8, num_key_value_heads=1
    ),
    "gemma-2-2b": Gemma2Config(num_hidden_layers=2),
    "gemma-3-270m": Gemma3TextConfig(
        vocab_size=262144,
        hidden_size=640,
        intermediate_size=2048,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=256,
    ),
    "Phi-3-mini-4k": Phi3Config(num_hidden_layers=2),
    "OLMo-2-0425-1B": Olmo2Config(
        vocab_size=100352, hidden_size=2048, intermediate_size=8192, num_hidden_layers=2, num_attention_heads=16
    ),
    "gpt2": GPT2Config(n_layer=2),
    "pythia-160m": GPTNeoXConfig(
        vocab_size=50304, hidden_size=768, intermediate_size=3072, num_hidden_layers=2, num_attention_heads=12
    ),
    "SmolLM3-3B": SmolLM3Config(num_hidden_layers=2),
}

ROPES = {
    "linear": {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0},
    "llama3": {
        "rope_type": "llama3",
        "rope_theta": 500000.0,
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    },
    "yarn": {
        "rope_type": "yarn",
        "rope_theta": 1000000.0,
        "factor": 4.0,
        "original_max_position_embeddings": 32768,
    },
    "yarn_scaled": {
        "rope_type": "yarn",
        "rope_theta": 10000.0,
        "factor": 40.0,
        "beta_fast": 16.0,
        "beta_slow": 2.0,
        "mscale": 1.0,
        "mscale_all_dim": 0.5,
        "truncate": False,
        "original_max_position_embeddings": 4096,
    },
    "longrope": {
        "rope_type": "longrope",
        "rope_theta": 10000.0,
        "short_factor": [1.0 + 0.05 * i for i in range(32)],
        "long_factor": [1.0 + i for i in range(32)],
        "original_max_position_embeddings": 4096,
    },
}


def residuals(model, ids):
    """Residual stream after every block (before the final norm) and the logits, by hooks on the blocks."""
    seen = []
    endings = ("model.layers", "transformer.h", "gpt_neox.layers")
    blocks = next(module for name, module in model.named_modules() if name.endswith(endings))
    handles = [
        b.register_forward_hook(lambda _, __, out: seen.append(out[0] if isinstance(out, tuple) else out))
        for b in blocks
    ]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    for handle in handles:
        handle.remove()
    return torch.stack([s.reshape(len(ids), -1) for s in seen]), logits


def is_norm(name):
    return "norm" in name or ".ln_" in name


def randomise(model):
    generator = torch.Generator().manual_seed(0)
    stores_less_one = model.config.model_type.startswith("gemma")
    for name, parameter in model.named_parameters():
        spread = 0.3 if name.endswith("bias") or is_norm(name) else 1.5 / parameter.shape[-1] ** 0.5
        offset = 1.0 if is_norm(name) and name.endswith("weight") and not stores_less_one else 0.0
        parameter.data = offset + spread * torch.randn(parameter.shape, generator=generator)


def write_tiny(name, config):
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
    randomise(model)
    model.tie_weights()
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    goldens = {}
    sequences = [*SEQUENCES, LONG] if name in LONG_TEXTS else SEQUENCES
    for i, ids in enumerate(sequences):
        resid, logits = residuals(model, ids)
        goldens[f"resid.{i}"], goldens[f"logits.{i}"] = resid.contiguous(), logits.contiguous()
    save_file(goldens, folder / "goldens.safetensors", metadata={"sequences": json.dumps(sequences)})
    if name in GGUF_MODELS:
        (OUT / "gguf").mkdir(exist_ok=True)
        write_gguf(OUT / f"gguf/{name}.gguf", model, GGUF_MODELS[name])


def gguf_names(architecture, num_layers):
    """Names that GGUF gives to tensors of a checkpoint, from the table of the `gguf` package."""
    kind = next(key for key, value in gguf.MODEL_ARCH_NAMES.items() if value == architecture)
    table = gguf.get_tensor_name_map(kind, num_layers)
    return lambda name: table.get_name(name, try_suffixes=(".weight", ".bias"))


def gguf_values(name, values, config, architecture):
    """What the converters of llama.cpp do to values on the way."""
    heads, width = config.num_attention_heads, values.shape[0]
    if architecture == "gpt2" and name.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight")):
        return values.T
    if architecture == "gptneox" and ".query_key_value." in name:
        return values.reshape(heads, 3, width // heads // 3, -1).transpose(0, 1).reshape(values.shape)
    if architecture == "smollm3" and (".q_proj." in name or ".k_proj." in name):
        heads = heads if ".q_proj." in name else config.num_key_value_heads
        return values.reshape(heads, 2, width // heads // 2, -1).transpose(1, 2).reshape(values.shape)
    if architecture == "gemma2" and ".q_proj." in name:  # GGUF does not know the queries' scale
        return values * (config.head_dim / config.query_pre_attn_scalar) ** 0.5
    return values + 1.0 if architecture.startswith("gemma") and is_norm(name) else values


def write_gguf(path, model, architecture):
    config = model.config
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(getattr(config, "num_key_value_heads", config.num_attention_heads))
    feed_forward = getattr(config, "intermediate_size", None) or 4 * config.hidden_size
    writer.add_feed_forward_length(feed_forward)
    if architecture in ("gpt2", "gptneox"):
        writer.add_layer_norm_eps(getattr(config, "layer_norm_eps", None) or config.layer_norm_epsilon)
    else:
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    if architecture.startswith(("gemma", "qwen3")):
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    rope = getattr(config, "rope_parameters", None) or {}
    if "rope_theta" in rope:
        writer.add_rope_freq_base(rope["rope_theta"])
        writer.add_rope_dimension_count(int(head_dim * rope.get("partial_rotary_factor", 1.0)))
    if architecture == "gptneox":
        writer.add_parallel_residual(config.use_parallel_residual)
    if architecture in ("gemma2", "phi3"):
        writer.add_sliding_window(config.sliding_window)
    if architecture == "gemma2":
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"t{i}" for i in range(config.vocab_size)])
    name_of = gguf_names(architecture, config.num_hidden_layers)
    for name, values in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        writer.add_tensor(name_of(name), gguf_values(name, values, config, architecture).contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_published():
    """Names and shapes of checkpoints as they are stored, and what GGUF calls the same tensors."""
    document = {}
    for name, config in PUBLISHED.items():
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config)
        tensors = {key: list(value.shape) for key, value in model.state_dict().items()}
        if config.tie_word_embeddings:
            tensors.pop("lm_head.weight", None)
        architecture = {"gpt_neox": "gptneox", "gemma3_text": "gemma3", "mistral": "llama"}.get(
            config.model_type, config.model_type
        )
        name_of = gguf_names(architecture, config.num_hidden_layers)
        document[name] = {
            "config": config.to_dict(),
            "tensors": tensors,
            "gguf_architecture": architecture,
            "gguf_names": {key: name_of(key) for key in tensors},
        }
    (OUT / "published.json").write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")


def write_ropes():
    document = {}
    for name, parameters in ROPES.items():
        config = LlamaConfig(
            hidden_size=256,
            num_attention_heads=4,
            head_dim=64,
            max_position_embeddings=131072,
            rope_parameters=dict(parameters),
        )
        frequencies, factor = ROPE_INIT_FUNCTIONS[parameters["rope_type"]](config, torch.device("cpu"))
        document[name] = {
            "rope_parameters": parameters,
            "max_position_embeddings": 131072,
            "frequencies": frequencies.tolist(),
            "attention_factor": factor,
        }
    (OUT / "ropes.json").write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")


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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(TINY))
    parser.add_argument("--smollm2", nargs=2)
    arguments = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    for name in arguments.only:
        write_tiny(name, TINY[name])
    write_published()
    write_ropes()
    if arguments.smollm2:
        write_smollm2(pathlib.Path(arguments.smollm2[0]), arguments.smollm2[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
