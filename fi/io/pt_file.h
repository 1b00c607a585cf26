#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fi/io/stored_tensor.h"
#include "fi/io/zip_archive.h"

namespace fi {

/// A tensor of a `.pt` file: a strided view of a stored run of numbers.
struct PtTensor {
  std::string name;  // keys of nested dictionaries joined by '.'
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // in elements, >= 0
  int64_t offset = 0;            // in elements
  StoredTensor storage;          // the whole run, one dimension

  int64_t num_values() const;
  /// Row-major floats.
  std::vector<float> to_floats() const;
};

/// The tensors of a file that `torch.save` wrote (the zip format of torch 1.6 and later), without running anything in it: a
/// pickle machine that knows tensors, dictionaries, lists and plain values only, and refuses every other instruction and name.
/// kInvalid or kUnsupported, naming the file and what was met; there is no second way in.
class PtFile {
 public:
  static PtFile open(const std::filesystem::path& path);

  const std::vector<PtTensor>& tensors() const { return tensors_; }
  const PtTensor* find(const std::string& name) const;

 private:
  std::vector<PtTensor> tensors_;
};

}  // namespace fi
