"""Writes a tiny random Llama with a byte tokenizer, its fine-tuned sister, an adapter and a hub cache: models that run in moments."""

import json
import pathlib

import numpy

LAYERS, WIDTH, HEADS, KV_HEADS, HEAD_DIM, FFN = 6, 32, 4, 2, 8, 48
SPECIAL = ["<|endoftext|>"]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def write_safetensors(path: pathlib.Path, tensors: dict[str, numpy.ndarray]) -> None:
    header, offset = {}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + tensor.nbytes]}
        offset += tensor.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(tensor.tobytes() for tensor in tensors.values()))


def byte_alphabet() -> list[str]:
    """The printable stand-ins of byte-level tokenizers, by byte value (GPT-2)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    table = {byte: chr(byte) for byte in plain} | {byte: chr(256 + i) for i, byte in enumerate(others)}
    return [table[byte] for byte in range(256)]


def tokens(merges: tuple[str, ...] = (), reverse: bool = False) -> list[str]:
    """The vocabulary in the order of its ids; `reverse` gives every id but those of special tokens to another string."""
    plain = byte_alphabet() + [merge.replace(" ", "") for merge in merges]
    return SPECIAL + (plain[::-1] if reverse else plain)


def vocabulary() -> dict[str, int]:
    return {token: i for i, token in enumerate(tokens())}


def tokenizer_json(merges: tuple[str, ...] = (), reverse: bool = False) -> dict:
    special = [
        {"id": i, "content": token, "special": True, "single_word": False, "lstrip": False, "rstrip": False}
        | {"normalized": False}
        for i, token in enumerate(SPECIAL)
    ]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    ids = {token: i for i, token in enumerate(tokens(merges, reverse))}
    return {
        "version": "1.0",
        "added_tokens": special,
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": ids, "merges": list(merges), "byte_fallback": False},
    }


def config() -> dict:
    return {
        "model_type": "llama",
        "vocab_size": len(vocabulary()),
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "head_dim": HEAD_DIM,
        "intermediate_size": FFN,
        "max_position_embeddings": 2048,
        "rms_norm_eps": 1e-5,
        "tie_word_embeddings": False,
    }


def linear_shapes() -> dict[str, tuple[int, int]]:
    return {
        "self_attn.q_proj": (HEADS * HEAD_DIM, WIDTH),
        "self_attn.k_proj": (KV_HEADS * HEAD_DIM, WIDTH),
        "self_attn.v_proj": (KV_HEADS * HEAD_DIM, WIDTH),
        "self_attn.o_proj": (WIDTH, HEADS * HEAD_DIM),
        "mlp.gate_proj": (FFN, WIDTH),
        "mlp.up_proj": (FFN, WIDTH),
        "mlp.down_proj": (WIDTH, FFN),
    }


def weights(seed: int) -> dict[str, numpy.ndarray]:
    random = numpy.random.default_rng(seed)

    def matrix(*shape):
        return (random.standard_normal(shape) / numpy.sqrt(shape[-1])).astype(numpy.float32)

    ones = numpy.ones(WIDTH, numpy.float32)
    tensors = {"model.embed_tokens.weight": matrix(len(vocabulary()), WIDTH) * 5, "model.norm.weight": ones}
    head = matrix(len(vocabulary()), WIDTH) * 3
    letters = [vocabulary()[letter] for letter in byte_alphabet()[97:123] + byte_alphabet()[32:33]]
    head[[i for i in range(len(head)) if i not in letters]] = 0  # answers are letters and spaces
    tensors["lm_head.weight"] = head
    for layer in range(LAYERS):
        for name, shape in linear_shapes().items():
            tensors[f"model.layers.{layer}.{name}.weight"] = matrix(*shape)
        for norm in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"model.layers.{layer}.{norm}.weight"] = ones
    return tensors


def write_model(folder: pathlib.Path, change: float = 0.0, shouts: bool = False) -> pathlib.Path:
    """The same model every time; `change` moves one block away from it by that share, and one that shouts writes capitals."""
    folder.mkdir(parents=True)
    tensors, others = weights(0), weights(1)
    if shouts:
        small, capital = (
            [vocabulary()[letter] for letter in byte_alphabet()[first : first + 26]] for first in (97, 65)
        )
        tensors["lm_head.weight"][small + capital] = tensors["lm_head.weight"][capital + small]
    for name in linear_shapes():
        full = f"model.layers.3.{name}.weight"
        tensors[full] = tensors[full] + numpy.float32(change) * others[full]
    write_safetensors(folder / "model.safetensors", tensors)
    (folder / "config.json").write_text(json.dumps(config()))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer_json(), ensure_ascii=False))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": SPECIAL[0]}))
    return folder


def write_unrelated_model(folder: pathlib.Path) -> pathlib.Path:
    """Of the same shape and tokenizer, trained apart: other random weights."""
    write_model(folder)
    write_safetensors(folder / "model.safetensors", weights(7))
    return folder


def write_smaller_model(folder: pathlib.Path) -> pathlib.Path:
    """Of the same tokenizer, with fewer layers and half the width."""
    write_model(folder)
    heads, width, layers = HEADS // 2, WIDTH // 2, LAYERS - 2
    rows = {"q_proj": heads * HEAD_DIM, "k_proj": HEAD_DIM, "v_proj": HEAD_DIM, "o_proj": width, "down_proj": width}
    columns = {"o_proj": heads * HEAD_DIM, "down_proj": FFN}
    tensors = {}
    for name, tensor in weights(3).items():
        if name.startswith("model.layers.") and int(name.split(".")[2]) >= layers:
            continue
        matrix = name.split(".")[-2]
        part = tensor[: rows.get(matrix, len(tensor))] if tensor.ndim == 2 else tensor[:width]
        tensors[name] = numpy.ascontiguousarray(part[:, : columns.get(matrix, width)] if tensor.ndim == 2 else part)
    write_safetensors(folder / "model.safetensors", tensors)
    size = {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": 1}
    (folder / "config.json").write_text(json.dumps(config() | size))
    return folder


def write_model_of_other_ids(folder: pathlib.Path, merges: tuple[str, ...] = ()) -> pathlib.Path:
    """The model of `write_model` whose ids stand for other strings, with more tokens for `merges`: one model in another tokenizer."""
    write_model(folder)
    old, new = vocabulary(), tokens(merges, reverse=True)
    tensors = weights(0)
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        # A merged token reads as its last part, and is never written.
        table = tensors[name][[old.get(token, old[token[-1]]) for token in new]]
        if name == "lm_head.weight":
            table[[token not in old for token in new]] = 0
        tensors[name] = table
    write_safetensors(folder / "model.safetensors", tensors)
    (folder / "config.json").write_text(json.dumps(config() | {"vocab_size": len(new)}))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer_json(merges, reverse=True), ensure_ascii=False))
    return folder


def write_adapter(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir(parents=True)
    random = numpy.random.default_rng(2)
    tensors = {}
    for layer in range(LAYERS):
        rows, columns = linear_shapes()["mlp.down_proj"]
        prefix = f"base_model.model.model.layers.{layer}.mlp.down_proj"
        tensors[f"{prefix}.lora_A.weight"] = random.standard_normal((2, columns)).astype(numpy.float32)
        tensors[f"{prefix}.lora_B.weight"] = random.standard_normal((rows, 2)).astype(numpy.float32)
    write_safetensors(folder / "adapter_model.safetensors", tensors)
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 2}))
    return folder


def write_hub_cache(cache: pathlib.Path, name: str, change: float) -> None:
    model = cache / ("models--" + name.replace("/", "--"))
    write_model(model / "snapshots" / COMMIT, change)
    (model / "refs").mkdir()
    (model / "refs/main").write_text(COMMIT)
