#!/usr/bin/env python3
"""Writes tests/data/io/blocks.gguf, a tensor of random blocks per type, and what the PyPI package gguf 0.19.0 dequantises them to.

Run in an environment with `gguf`, `numpy` and `safetensors`: python tools/make_gguf_goldens.py
"""

import pathlib

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader, GGUFWriter
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize
from safetensors.numpy import save_file

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "io"
ROWS, COLUMNS = 2, 512
# Places of the half-precision scales inside a block; every other bit of a block may be anything.
SCALES = {
    Type.Q4_0: [0],
    Type.Q4_1: [0, 2],
    Type.Q5_0: [0],
    Type.Q5_1: [0, 2],
    Type.Q8_0: [0],
    Type.Q4_K: [0, 2],
    Type.Q5_K: [0, 2],
    Type.Q6_K: [208],
}


def random_blocks(kind: Type, generator: np.random.Generator) -> np.ndarray:
    values, size = GGML_QUANT_SIZES[kind]
    blocks = generator.integers(0, 256, (ROWS * COLUMNS // values, size), dtype=np.uint8)
    for place in SCALES[kind]:
        scales = generator.normal(0, 0.1, len(blocks)).astype(np.float16)
        scales[:2] = [np.float16(6e-8), np.float16(-65504)]  # a subnormal scale and the largest
        blocks[:, place : place + 2] = scales.view(np.uint8).reshape(-1, 2)
    return blocks.reshape(ROWS, -1)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(5)
    writer = GGUFWriter(OUT / "blocks.gguf", "llama")
    writer.add_custom_alignment(64)
    writer.add_uint32("test.count", 7)
    writer.add_int64("test.negative", -(2**40))
    writer.add_float32("test.half", 0.5)
    writer.add_bool("test.yes", True)
    writer.add_string("test.text", "grüß")
    writer.add_array("test.strings", ["a", "", "ü"])
    writer.add_array("test.scores", [-1.5, 2.25])
    writer.add_array("test.types", [1, 6, -3])
    for kind in SCALES:
        writer.add_tensor(kind.name, random_blocks(kind, generator), raw_dtype=kind)
    halves = np.array([0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x3C00, 0x7BFF, 0xFBFF], dtype=np.uint16)
    writer.add_tensor("F16", halves.view(np.float16))
    writer.add_tensor("F32", generator.normal(size=(2, 3)).astype(np.float32))
    writer.add_tensor(
        "BF16", generator.integers(0, 0x7F80, (3, 5), dtype=np.uint16).view(np.uint8), raw_dtype=Type.BF16
    )
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    goldens = {
        t.name: np.ascontiguousarray(dequantize(t.data, t.tensor_type), dtype=np.float32)
        for t in GGUFReader(OUT / "blocks.gguf").tensors
    }
    save_file(goldens, OUT / "blocks.safetensors")
    print({name: values.shape for name, values in goldens.items()})


if __name__ == "__main__":
    main()
