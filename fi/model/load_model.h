#pragma once

#include <string>

#include "fi/core/progress.h"
#include "fi/hub/model_files.h"
#include "fi/model/decoder.h"

namespace fi {

struct LoadOptions {
  std::string device = "cpu";         // "cpu", "cuda", "cuda:1"
  std::string quantization = "auto";  // how weights are held: "fp32", "fp16", "bf16", "int8", "auto"
};

/// Reads weights from safetensors or GGUF and builds the decoder of the family that the config names.
/// Errors: kUnsupported (family, rope type, quantization), kIncompatible (config and tensor shapes disagree), kInvalid (missing
/// tensors, adapter keys that fit nothing), kMemory.
Decoder load_model(const ModelFiles& files, const LoadOptions& options, ProgressSink& progress);

/// The PEFT LoRA adapter in `adapter_folder` (Hu et al., 2021) on top of `base`, which it shares every weight with that it does
/// not replace. Understands what AdapterConfig lists, factors of embedding and unembedding, trained biases, and modules that were
/// saved whole. kUnsupported for DoRA and other kinds, kInvalid for tensors that are missing or fit nothing, kIncompatible for
/// other shapes than the base has.
Decoder apply_adapter(const Decoder& base, const std::filesystem::path& adapter_folder);

}  // namespace fi
