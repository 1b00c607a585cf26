#include "fi/model/load_model.h"

#include <map>

#include "fi/core/error.h"
#include "fi/core/memory.h"
#include "fi/model/build_decoder.h"
#include "fi/model/device.h"

namespace fi {
namespace {

// Of the memory that this process may use, what one model may take in fp32: two are compared, and their caches and results need
// room as well.
constexpr double kShareOfMemory = 0.3;

int64_t num_weights(const ModelSource& source) {
  int64_t total = 0;
  for (const TensorView& tensor : source.tensors) {
    int64_t values = 1;
    for (const int64_t size : tensor.shape()) values *= size;
    total += values;
  }
  return total;
}

HeldAs held_as(const std::string& quantization, bool is_rounded) {
  if (is_rounded) return quantization == "stored" ? HeldAs::kStoredRounded : HeldAs::kBf16;
  static const std::map<std::string, HeldAs> table = {{"fp32", HeldAs::kFp32},
                                                      {"fp16", HeldAs::kFp16},
                                                      {"bf16", HeldAs::kBf16},
                                                      {"int8", HeldAs::kInt8},
                                                      {"stored", HeldAs::kStored}};
  const auto found = table.find(quantization);
  check(found != table.end(), ErrorCode::kUsage,
        "[model] quantization '{}' is not known, expected fp32, fp16, bf16, int8, stored or auto.", quantization);
  return found->second;
}

}  // namespace

std::string resolved_quantization(const std::string& quantization, int64_t num_weights, at::Device device) {
  if (quantization != "auto") return quantization;
  constexpr double kBytesInFp32 = 4.0;
  const bool fits = kBytesInFp32 * static_cast<double>(num_weights) <= kShareOfMemory * static_cast<double>(memory_bytes());
  return fits || !device.is_cpu() ? "fp32" : "stored";
}

Decoder load_model(const ModelFiles& files, const LoadOptions& options, ProgressSink& progress) {
  ModelSource source = open_model(files);
  const at::Device device = choose_device(options.device);
  const std::string quantization = resolved_quantization(options.quantization, num_weights(source), device);
  Decoder decoder = build_decoder(std::move(source),
                                  {.held_as = held_as(quantization, options.is_rounded),
                                   .device = device,
                                   .is_strict = options.is_strict,
                                   .allows_unused = options.allows_unused},
                                  progress);
  return files.adapter ? apply_adapter(decoder, *files.adapter) : decoder;
}

}  // namespace fi
