#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "fi/io/stored_tensor.h"

namespace fi {

/// The tensors of a dictionary file, safetensors or `.pt`, by name and without the prefixes `_orig_mod.` (of
/// torch.compile) and `sae.` (of OpenMOSS).
/// Every message names the file and the tensor. What was taken is remembered, so that a reader can refuse what it did not use.
class NamedTensors {
 public:
  /// `*.safetensors`, else a file of torch.save (fi/io/pt_file.h). kNotFound, kInvalid or kUnsupported, as the two readers say
  /// it.
  static NamedTensors open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }  // safetensors only
  bool is_pickle() const { return is_pickle_; }
  bool has(const std::string& name) const { return tensors_.contains(name); }
  /// Number of dimensions; -1 if there is no such tensor.
  int64_t dims(const std::string& name) const;
  /// 'name' [2, 3], ... of all tensors: what a message shows of a file that nobody knows.
  std::string describe() const;

  /// fp32. kInvalid if there is no such tensor.
  at::Tensor take(const std::string& name) const;
  /// The same, with so many dimensions; `meaning` names them: "num_models, d_model, num_latents".
  at::Tensor take_dims(const std::string& name, int64_t dims, const char* meaning) const;
  /// The same, of exactly this shape.
  at::Tensor take_shaped(const std::string& name, at::IntArrayRef shape, const char* meaning) const;
  double take_number(const std::string& name) const;
  int64_t take_integer(const std::string& name) const;

  /// kUnsupported, naming them, if there are tensors that nobody took and `ignored` does not name: what they do to the codes is
  /// not known.
  void check_all_taken(const std::set<std::string>& ignored, const std::string& format) const;

 private:
  struct Entry {
    DType dtype = DType::kF32;
    std::vector<int64_t> shape;
    std::function<void(float*)> read;  // row-major, all values

    int64_t num_values() const;
  };

  const Entry& entry(const std::string& name) const;
  void add(const std::string& name, Entry entry);
  void add_safetensors();
  void add_pickle();

  std::filesystem::path path_;
  bool is_pickle_ = false;
  std::map<std::string, Entry> tensors_;
  std::map<std::string, std::string> metadata_;
  mutable std::set<std::string> taken_;
};

}  // namespace fi
