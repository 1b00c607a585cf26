#include "fi/training/checkpoint.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <map>
#include <vector>

#include "fi/core/error.h"
#include "fi/core/hash.h"
#include "fi/core/json_fields.h"
#include "fi/io/safetensors.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

constexpr size_t kKept = 2;
constexpr std::string_view kPrefix = "checkpoint_", kSuffix = ".safetensors";

// Every tensor of a state by its name in the file, in the order of the file.
std::vector<std::pair<std::string, at::Tensor*>> tensors_of(const TrainingConfig& config, TrainingState& state) {
  std::vector<std::pair<std::string, at::Tensor*>> tensors;
  const auto add = [&](const std::string& name, Weight& weight) {
    tensors.emplace_back(name, &weight.value);
    tensors.emplace_back(name + ".first_moment", &weight.first_moment);
    tensors.emplace_back(name + ".second_moment", &weight.second_moment);
  };
  add("encoder", state.encoder);
  add("encoder_bias", state.encoder_bias);
  add("decoder", state.decoder);
  add("decoder_bias", state.decoder_bias);
  if (training_kind(config) == TrainingKind::kJumpRelu) add("log_jump", state.log_jump);
  tensors.emplace_back("rows_since_fired", &state.rows_since_fired);
  tensors.emplace_back("scaling.mean", &state.scaling.mean);
  tensors.emplace_back("scaling.scale", &state.scaling.scale);
  return tensors;
}

std::string checksum(const std::vector<TensorToWrite>& tensors) {
  std::string sums;
  for (const TensorToWrite& tensor : tensors) {
    const std::string_view bytes(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
    sums += fmt::format("{:016x}", xxh3_of_bytes(bytes));
  }
  return fmt::format("{:016x}", xxh3_of_bytes(sums));
}

std::string bits_of(double value) { return fmt::format("{:016x}", std::bit_cast<uint64_t>(value)); }

double from_bits(const std::string& text) {
  uint64_t bits = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), bits, 16);
  return parsed.ec == std::errc() ? std::bit_cast<double>(bits) : -1.0;
}

// Step numbers of the checkpoints in a folder, ascending.
std::vector<int64_t> steps_in(const fs::path& folder) {
  std::vector<int64_t> steps;
  if (!fs::is_directory(folder)) return steps;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    int64_t step = 0;
    const char* end = name.data() + name.size() - kSuffix.size();
    const auto parsed = std::from_chars(name.data() + kPrefix.size(), end, step);
    if (parsed.ec == std::errc() && parsed.ptr == end) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

fs::path path_of(const fs::path& folder, int64_t step) { return folder / fmt::format("{}{:08}{}", kPrefix, step, kSuffix); }

[[noreturn]] void reject(const fs::path& path, const std::string& rule) {
  fail(ErrorCode::kInvalid, "[train] checkpoint {} {}; delete it to go on from the one before.", path.string(), rule);
}

at::Tensor read_tensor(const SafetensorsFile& file, const std::string& name, const fs::path& path) {
  const StoredTensor* stored = file.find(name);
  if (stored == nullptr || (stored->dtype != DType::kF32 && stored->dtype != DType::kI64)) reject(path, "lacks '" + name + "'");
  const at::Tensor tensor = at::empty(stored->shape, stored->dtype == DType::kI64 ? at::kLong : at::kFloat);
  std::memcpy(tensor.mutable_data_ptr(), stored->bytes.data(), stored->bytes.size());
  return tensor;
}

void check_same_settings(const TrainingConfig& config, const std::string& stored, const fs::path& path) {
  const Json wanted = fields_to_json(config), found = parse_json(stored, "train", path.string());
  for (const auto& [name, value] : wanted.items()) {
    if (name == "num_steps" || name == "lr") continue;  // the usual rate depends on the steps
    const Json other = found.is_object() && found.contains(name) ? found[name] : Json();
    check(value == other, ErrorCode::kIncompatible,
          "[train] checkpoint {} was made with {} = {}, now it is {}; use the same settings or another folder.", path.string(),
          name, other.dump(), value.dump());
  }
}

const std::string& metadata_at(const SafetensorsFile& file, const char* key, const fs::path& path) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) reject(path, fmt::format("lacks '{}'", key));
  return found->second;
}

}  // namespace

void save_checkpoint(const TrainingState& state, const TrainingConfig& config, const fs::path& folder) {
  TrainingState copy = state;  // shares the tensors' memory
  std::vector<at::Tensor> kept;
  std::vector<TensorToWrite> entries;
  for (const auto& [name, tensor] : tensors_of(config, copy)) {
    kept.push_back(tensor->to(at::kCPU).contiguous());
    entries.push_back({name,
                       kept.back().scalar_type() == at::kLong ? DType::kI64 : DType::kF32,
                       kept.back().sizes().vec(),
                       {static_cast<const std::byte*>(kept.back().const_data_ptr()), kept.back().nbytes()}});
  }
  const fs::path path = path_of(folder, state.step);
  write_safetensors(path, entries,
                    {{"checksum", checksum(entries)},
                     {"config", fields_to_json(config).dump()},
                     {"step", std::to_string(state.step)},
                     {"threshold_bits", bits_of(state.threshold)},
                     {"view", state.view == RowView::kModels ? "models" : "difference"}});
  load_checkpoint(config, folder);
  const std::vector<int64_t> steps = steps_in(folder);
  for (size_t i = 0; i + kKept < steps.size(); ++i) fs::remove(path_of(folder, steps[i]));
}

std::optional<TrainingState> load_checkpoint(const TrainingConfig& config, const fs::path& folder) {
  const std::vector<int64_t> steps = steps_in(folder);
  if (steps.empty()) return std::nullopt;
  const fs::path path = path_of(folder, steps.back());
  const SafetensorsFile file = SafetensorsFile::open(path);
  check_same_settings(config, metadata_at(file, "config", path), path);
  TrainingState state;
  std::vector<TensorToWrite> entries;
  for (const auto& [name, tensor] : tensors_of(config, state)) {
    *tensor = read_tensor(file, name, path);
    entries.push_back({.bytes = {static_cast<const std::byte*>(tensor->const_data_ptr()), tensor->nbytes()}});
  }
  if (checksum(entries) != metadata_at(file, "checksum", path)) reject(path, "is damaged: its checksum differs");
  state.threshold = from_bits(metadata_at(file, "threshold_bits", path));
  state.step = steps.back();
  state.view = metadata_at(file, "view", path) == "difference" ? RowView::kDifference : RowView::kModels;
  return state;
}

}  // namespace fi
