#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "fi/model/tensor_view.h"
#include "fi/model/weight_matrix.h"

namespace fi {

/// How matrices are kept: kStored leaves them in the mapped file, in its own blocks, and kStoredRounded as well, with every row
/// rounded to bf16 when it is read. Vectors (norms, biases) are always fp32.
enum class HeldAs { kFp32, kFp16, kBf16, kInt8, kStored, kStoredRounded };

/// All weights of a model by canonical name, still as they are stored. Knows which were
/// used, so that a tensor that nothing reads is noticed.
class WeightStore {
 public:
  struct Options {
    HeldAs held_as = HeldAs::kFp32;
    at::Device device = at::kCPU;  // kMeta: names and shapes are checked, nothing is read
    double norm_offset = 0.0;      // added to norm weights (Gemma's checkpoints store w where 1 + w is meant)
    bool is_strict = false;        // as LoadOptions have it
    bool allows_unused = false;
  };

  explicit WeightStore(Options options) : options_(options) {}

  const Options& options() const { return options_; }

  void add(TensorView tensor);
  bool has(const std::string& name) const { return tensors_.contains(name); }

  /// The tensor as fp32 on its device. kInvalid if absent, kIncompatible if the shape is another one.
  at::Tensor take(const std::string& name, at::IntArrayRef shape) const;
  /// A matrix whose use is to be multiplied with.
  WeightMatrixPtr take_matrix(const std::string& name, int64_t d_out, int64_t d_in) const;
  /// A matrix whose rows are looked up, and which a tied model multiplies with as well.
  WeightMatrixPtr take_table(const std::string& name, int64_t num_rows, int64_t width) const;
  /// NaN and infinite values in what was taken so far, by tensor.
  const std::map<std::string, int64_t>& non_finite() const { return non_finite_; }
  /// Names that nobody took.
  std::vector<std::string> unused() const;

 private:
  const TensorView& find(const std::string& name, at::IntArrayRef shape) const;
  WeightMatrixPtr leave_in_file(const TensorView& view) const;

  std::map<std::string, TensorView> tensors_;
  mutable std::set<std::string> used_;
  mutable std::map<std::string, int64_t> non_finite_;  // by tensor: a tied one is taken twice
  Options options_;
};

/// A view of the store under a prefix: what a layer sees, never the whole model.
class Weights {
 public:
  Weights(const WeightStore& store, std::string prefix) : store_(store), prefix_(std::move(prefix)) {}

  Weights scope(const std::string& name) const { return {store_, prefix_ + name + "."}; }
  bool has(const std::string& name) const { return store_.has(prefix_ + name); }
  at::Tensor take(const std::string& name, at::IntArrayRef shape) const { return store_.take(prefix_ + name, shape); }
  WeightMatrixPtr take_matrix(const std::string& name, int64_t d_out, int64_t d_in) const {
    return store_.take_matrix(prefix_ + name, d_out, d_in);
  }
  WeightMatrixPtr take_table(const std::string& name, int64_t num_rows, int64_t width) const {
    return store_.take_table(prefix_ + name, num_rows, width);
  }
  const WeightStore::Options& options() const { return store_.options(); }
  /// An undefined tensor where the checkpoint has none: optional parts exist if and only if their tensors exist.
  at::Tensor take_if_there(const std::string& name, at::IntArrayRef shape) const {
    return has(name) ? take(name, shape) : at::Tensor();
  }

 private:
  const WeightStore& store_;
  std::string prefix_;
};

}  // namespace fi
