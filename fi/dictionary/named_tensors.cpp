#include "fi/dictionary/named_tensors.h"

#include <algorithm>

#include "fi/core/error.h"
#include "fi/io/pt_file.h"
#include "fi/io/safetensors.h"

namespace fi {
namespace {

// torch.compile leaves the first; OpenMOSS keeps the tensors of a `.pt` in a dictionary of this name.
constexpr std::string_view kPrefixes[] = {"_orig_mod.", "sae."};
constexpr int64_t kMostListed = 24;

std::string shape_text(at::IntArrayRef shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

}  // namespace

int64_t NamedTensors::Entry::num_values() const {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

NamedTensors NamedTensors::open(const std::filesystem::path& path) {
  NamedTensors result;
  result.path_ = path;
  result.is_pickle_ = path.extension() != ".safetensors";
  if (result.is_pickle_) {
    result.add_pickle();
  } else {
    result.add_safetensors();
  }
  return result;
}

void NamedTensors::add(const std::string& name, Entry entry) {
  std::string plain = name;
  for (const std::string_view prefix : kPrefixes) {
    if (plain.starts_with(prefix)) plain = plain.substr(prefix.size());
  }
  check(tensors_.emplace(plain, std::move(entry)).second, ErrorCode::kInvalid,
        "[dictionary] {}: '{}' is there with and without a prefix; re-export the dictionary.", path_.string(), plain);
}

void NamedTensors::add_safetensors() {
  const SafetensorsFile file = SafetensorsFile::open(path_);
  metadata_ = file.metadata();
  for (const StoredTensor& tensor : file.tensors()) {
    add(tensor.name, {.dtype = tensor.dtype, .shape = tensor.shape, .read = [tensor](float* out) {
                        to_float(tensor, 0, tensor.num_values(), out);
                      }});
  }
}

void NamedTensors::add_pickle() {
  const PtFile file = PtFile::open(path_);
  for (const PtTensor& tensor : file.tensors()) {
    add(tensor.name, {.dtype = tensor.storage.dtype, .shape = tensor.shape, .read = [tensor](float* out) {
                        const std::vector<float> values = tensor.to_floats();
                        std::copy(values.begin(), values.end(), out);
                      }});
  }
}

int64_t NamedTensors::dims(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? -1 : static_cast<int64_t>(found->second.shape.size());
}

std::string NamedTensors::describe() const {
  std::vector<std::string> words;
  for (const auto& [name, tensor] : tensors_) {
    if (static_cast<int64_t>(words.size()) == kMostListed) {
      words.push_back(fmt::format("and {} more", static_cast<int64_t>(tensors_.size()) - kMostListed));
      break;
    }
    words.push_back(fmt::format("'{}' {}", name, shape_text(tensor.shape)));
  }
  return words.empty() ? "no tensor" : fmt::format("{}", fmt::join(words, ", "));
}

const NamedTensors::Entry& NamedTensors::entry(const std::string& name) const {
  const auto found = tensors_.find(name);
  check(found != tensors_.end(), ErrorCode::kInvalid, "[dictionary] {} has no tensor '{}', but {}; re-export the dictionary.",
        path_.string(), name, describe());
  taken_.insert(name);
  return found->second;
}

at::Tensor NamedTensors::take(const std::string& name) const {
  const Entry& stored = entry(name);
  const at::Tensor values = at::empty(stored.shape, at::kFloat);
  stored.read(values.data_ptr<float>());
  return values;
}

at::Tensor NamedTensors::take_dims(const std::string& name, int64_t dims, const char* meaning) const {
  const Entry& stored = entry(name);
  check(static_cast<int64_t>(stored.shape.size()) == dims && stored.num_values() > 0, ErrorCode::kInvalid,
        "[dictionary] {}: '{}' has shape {}, expected [{}]; re-export the dictionary.", path_.string(), name,
        shape_text(stored.shape), meaning);
  return take(name);
}

at::Tensor NamedTensors::take_shaped(const std::string& name, at::IntArrayRef shape, const char* meaning) const {
  const Entry& stored = entry(name);
  check(at::IntArrayRef(stored.shape) == shape, ErrorCode::kInvalid,
        "[dictionary] {}: '{}' has shape {}, expected {} ({}); re-export the dictionary.", path_.string(), name,
        shape_text(stored.shape), shape_text(shape), meaning);
  return take(name);
}

double NamedTensors::take_number(const std::string& name) const {
  const Entry& stored = entry(name);
  check(stored.num_values() == 1, ErrorCode::kUnsupported,
        "[dictionary] {}: '{}' has {} values, expected 1; codes with a threshold for each model (DECOUPLED) are not supported.",
        path_.string(), name, stored.num_values());
  return take(name).item<double>();
}

int64_t NamedTensors::take_integer(const std::string& name) const {
  const Entry& stored = entry(name);
  const bool is_integer = stored.dtype == DType::kI64 || stored.dtype == DType::kI32;
  check(is_integer && stored.num_values() == 1, ErrorCode::kInvalid, "[dictionary] {}: '{}' is no single integer.",
        path_.string(), name);
  return static_cast<int64_t>(take(name).item<double>());
}

void NamedTensors::check_all_taken(const std::set<std::string>& ignored, const std::string& format) const {
  for (const auto& [name, stored] : tensors_) {
    check(
        taken_.contains(name) || ignored.contains(name), ErrorCode::kUnsupported,
        "[dictionary] {}: '{}' {} is no part of a {}, so its codes would be wrong without it; export the dictionary without it.",
        path_.string(), name, shape_text(stored.shape), format);
  }
}

}  // namespace fi
