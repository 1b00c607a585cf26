#include "fi/model/load_model.h"

#include <map>

#include "fi/core/error.h"
#include "fi/model/build_decoder.h"
#include "fi/model/device.h"

namespace fi {
namespace {

HeldAs held_as(const std::string& quantization) {
  static const std::map<std::string, HeldAs> table = {{"auto", HeldAs::kFp32},
                                                      {"fp32", HeldAs::kFp32},
                                                      {"fp16", HeldAs::kFp16},
                                                      {"bf16", HeldAs::kBf16},
                                                      {"int8", HeldAs::kInt8}};
  const auto found = table.find(quantization);
  check(found != table.end(), ErrorCode::kUsage,
        "[model] quantization '{}' is not known, expected fp32, fp16, bf16, int8 or auto.", quantization);
  return found->second;
}

}  // namespace

Decoder load_model(const ModelFiles& files, const LoadOptions& options, ProgressSink& progress) {
  const WeightStore::Options held{.held_as = held_as(options.quantization), .device = choose_device(options.device)};
  Decoder decoder = build_decoder(open_model(files), held, progress);
  return files.adapter ? apply_adapter(decoder, *files.adapter) : decoder;
}

}  // namespace fi
