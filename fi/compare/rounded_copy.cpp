#include "fi/compare/rounded_copy.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <vector>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/io/safetensors.h"

namespace fi {
namespace {

constexpr float kLargestStep = 127.0F;

void round_row(float* row, size_t count) {
  float largest = 0.0F;
  for (size_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(row[i]));
  if (largest == 0.0F) return;
  const float step = largest / kLargestStep;
  for (size_t i = 0; i < count; ++i) row[i] = std::nearbyint(row[i] / step) * step;
}

std::vector<float> rounded_values(const StoredTensor& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.num_values()));
  to_float(tensor, 0, tensor.num_values(), values.data());
  if (tensor.shape.size() != 2) return values;
  const auto width = static_cast<size_t>(tensor.shape.back());
  for (size_t first = 0; first < values.size(); first += width) round_row(values.data() + first, width);
  return values;
}

}  // namespace

void write_rounded_copy(const ModelFiles& files, const std::filesystem::path& folder) {
  check(files.format == WeightFormat::kSafetensors, ErrorCode::kUnsupported,
        "[calibrate] {} is a GGUF file, whose weights are rounded already; give the model in safetensors files.", files.name);
  std::deque<std::vector<float>> kept;
  std::vector<TensorToWrite> tensors;
  for (const auto& path : files.weights) {
    const SafetensorsFile file = SafetensorsFile::open(path);
    for (const StoredTensor& tensor : file.tensors()) {
      const std::vector<float>& values = kept.emplace_back(rounded_values(tensor));
      tensors.push_back({.name = tensor.name, .shape = tensor.shape, .bytes = std::as_bytes(std::span(values))});
    }
  }
  make_folder(folder);
  write_safetensors(folder / "model.safetensors", tensors, {{"format", "pt"}});
  for (const auto& file : {files.config, files.tokenizer, files.tokenizer_config, files.chat_template, files.generation_config}) {
    if (file) write_file_atomically(folder / file->filename(), read_file(*file, "calibrate"));
  }
}

}  // namespace fi
