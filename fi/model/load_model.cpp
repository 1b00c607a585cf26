#include "fi/model/load_model.h"

#include <unistd.h>

#include <map>

#include "fi/core/error.h"
#include "fi/model/build_decoder.h"
#include "fi/model/device.h"

namespace fi {
namespace {

// Of the machine's memory that one model may take in fp32: two are compared, and their caches and results need room as well.
constexpr double kShareOfMemory = 0.3;

double bytes_in_fp32(const ModelSource& source) {
  double bytes = 0.0;
  for (const TensorView& tensor : source.tensors) {
    double values = 4.0;
    for (const int64_t size : tensor.shape()) values *= static_cast<double>(size);
    bytes += values;
  }
  return bytes;
}

double bytes_of_memory() {
  return static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGE_SIZE));
}

HeldAs held_as(const std::string& quantization, const ModelSource& source, at::Device device) {
  static const std::map<std::string, HeldAs> table = {{"fp32", HeldAs::kFp32},
                                                      {"fp16", HeldAs::kFp16},
                                                      {"bf16", HeldAs::kBf16},
                                                      {"int8", HeldAs::kInt8},
                                                      {"stored", HeldAs::kStored}};
  if (quantization == "auto") {
    const bool fits = !device.is_cpu() || bytes_in_fp32(source) <= kShareOfMemory * bytes_of_memory();
    return fits ? HeldAs::kFp32 : HeldAs::kStored;
  }
  const auto found = table.find(quantization);
  check(found != table.end(), ErrorCode::kUsage,
        "[model] quantization '{}' is not known, expected fp32, fp16, bf16, int8, stored or auto.", quantization);
  return found->second;
}

}  // namespace

Decoder load_model(const ModelFiles& files, const LoadOptions& options, ProgressSink& progress) {
  ModelSource source = open_model(files);
  const at::Device device = choose_device(options.device);
  const WeightStore::Options held{.held_as = held_as(options.quantization, source, device), .device = device};
  Decoder decoder = build_decoder(std::move(source), held, progress);
  return files.adapter ? apply_adapter(decoder, *files.adapter) : decoder;
}

}  // namespace fi
