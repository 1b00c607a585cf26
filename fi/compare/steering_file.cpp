#include "fi/compare/steering_file.h"

#include <deque>
#include <vector>

#include "fi/core/error.h"
#include "fi/io/safetensors.h"
#include "fi/model/tensor_view.h"

namespace fi {
namespace {

constexpr std::string_view kBasis = ".basis";
constexpr std::string_view kStep = ".step";

at::Tensor read_tensor(const StoredTensor& stored) { return TensorView{.name = stored.name, .stored = stored}.to_float(); }

void check_entry(const SteeringVectors& entry, const std::string& id, const std::filesystem::path& path) {
  const bool fits = entry.basis.defined() && entry.step.defined() && entry.basis.dim() == 2 && entry.step.dim() == 1 &&
                    entry.basis.size(0) == entry.step.size(0) && entry.basis.size(1) >= 1 &&
                    entry.basis.isfinite().all().item<bool>() && entry.step.isfinite().all().item<bool>();
  check(fits, ErrorCode::kInvalid,
        "[steer] {}: '{}' lacks a finite basis [width, rank] or step [width]; run the comparison again.", path.string(), id);
}

}  // namespace

SteeringVectors along(const at::Tensor& step) {
  const at::Tensor direction = step.to(at::kFloat).cpu();
  return {.basis = (direction / direction.norm()).unsqueeze(1).contiguous(), .step = direction.contiguous()};
}

void write_steering(const std::filesystem::path& path, const SteeringMap& vectors) {
  std::deque<at::Tensor> kept;
  std::vector<TensorToWrite> tensors;
  const auto add = [&](const std::string& name, const at::Tensor& tensor) {
    const at::Tensor& plain = kept.emplace_back(tensor.to(at::kFloat).cpu().contiguous());
    const std::span<const float> values(plain.const_data_ptr<float>(), static_cast<size_t>(plain.numel()));
    tensors.push_back({.name = name, .shape = plain.sizes().vec(), .bytes = std::as_bytes(values)});
  };
  for (const auto& [id, entry] : vectors) {
    add(id + std::string(kBasis), entry.basis);
    add(id + std::string(kStep), entry.step);
  }
  write_safetensors(path, tensors, {{"format", "feature-interpreter steering 1"}});
}

SteeringMap read_steering(const std::filesystem::path& path) {
  check(std::filesystem::is_regular_file(path), ErrorCode::kNotFound,
        "[steer] {} is missing: the run is not finished, or of an older program; run the comparison again.", path.string());
  const SafetensorsFile file = SafetensorsFile::open(path);
  SteeringMap vectors;
  for (const StoredTensor& stored : file.tensors()) {
    const std::string& name = stored.name;
    if (name.ends_with(kBasis)) vectors[name.substr(0, name.size() - kBasis.size())].basis = read_tensor(stored);
    if (name.ends_with(kStep)) vectors[name.substr(0, name.size() - kStep.size())].step = read_tensor(stored);
  }
  for (const auto& [id, entry] : vectors) check_entry(entry, id, path);
  return vectors;
}

}  // namespace fi
