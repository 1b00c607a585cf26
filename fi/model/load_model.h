#pragma once

#include <string>

#include "fi/core/progress.h"
#include "fi/hub/model_files.h"
#include "fi/model/decoder.h"

namespace fi {

struct LoadOptions {
  std::string device = "cpu";  // "cpu", "cuda", "cuda:1"
  /// How weights are held: "fp32", "fp16", "bf16", "int8" (one scale a row), "stored" (left in the mapped file, in its blocks),
  /// or "auto": fp32 where that takes up to 30% of the memory that this process may use, else stored.
  std::string quantization = "auto";
  /// Every matrix rounded to bf16: held so, or rounded row by row as it is read where `quantization` leaves it in the file.
  bool is_rounded = false;
  bool is_strict = false;      // NaN or infinite weights are an error, not a warning
  bool allows_unused = false;  // tensors that nothing reads are a warning, not an error
};

/// What "auto" stands for on this machine: "fp32" for a model of so many weights if that takes up to 30% of the memory or the
/// device is no CPU, else "stored". Other names stand for themselves.
std::string resolved_quantization(const std::string& quantization, int64_t num_weights, at::Device device);

/// Reads weights from safetensors or GGUF and builds the decoder of the family that the config names.
/// Errors: kUnsupported (family, rope type, quantization), kIncompatible (config and tensor shapes disagree), kInvalid (missing
/// tensors, adapter keys that fit nothing), kMemory.
Decoder load_model(const ModelFiles& files, const LoadOptions& options, ProgressSink& progress);

/// The PEFT LoRA adapter in `adapter_folder` (Hu et al., 2021) on top of `base`, which it shares every weight with that it does
/// not replace. Understands what AdapterConfig lists, factors of embedding, unembedding and fused matrices, trained biases, and
/// modules that were saved whole, norms too. kUnsupported for DoRA and other kinds, kInvalid for tensors that are missing or fit
/// nothing, kIncompatible for other shapes than the base has.
Decoder apply_adapter(const Decoder& base, const std::filesystem::path& adapter_folder);

}  // namespace fi
