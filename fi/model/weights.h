#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "fi/io/stored_tensor.h"

namespace fi {

/// All weights of a model by canonical name (the names of Hugging Face checkpoints), still as they are stored. Knows which were
/// used, so that a tensor that nothing reads is noticed.
class WeightStore {
 public:
  struct Options {
    at::ScalarType held_as = at::kFloat;  // of matrices: kFloat, kHalf, kBFloat16, or kChar for per-row int8
    at::Device device = at::kCPU;
    double norm_offset = 0.0;          // added to norm weights (Gemma's checkpoints store w where 1 + w is meant)
    int64_t interleaved_head_dim = 0;  // > 0: q and k rows come in rotary pairs (GGUF of llama) and are put into halves
  };

  explicit WeightStore(Options options) : options_(options) {}

  const Options& options() const { return options_; }

  void add(std::string name, StoredTensor tensor);
  bool has(const std::string& name) const { return tensors_.contains(name); }

  /// The tensor as fp32 on the CPU. kInvalid if absent, kIncompatible if the shape is another one.
  at::Tensor take_float(const std::string& name, at::IntArrayRef shape) const;
  /// The tensor on its device; matrices in what they are held in (int8 counts as fp16 here, see take_linear), vectors in fp32.
  at::Tensor take(const std::string& name, at::IntArrayRef shape) const;
  /// NaN and infinite values in what was taken so far.
  int64_t num_non_finite() const { return num_non_finite_; }
  /// Names that nobody took.
  std::vector<std::string> unused() const;

 private:
  std::map<std::string, StoredTensor> tensors_;
  mutable std::set<std::string> used_;
  mutable int64_t num_non_finite_ = 0;
  Options options_;
};

/// A view of the store under a prefix: what a layer sees, never the whole model.
class Weights {
 public:
  Weights(const WeightStore& store, std::string prefix) : store_(store), prefix_(std::move(prefix)) {}

  Weights scope(const std::string& name) const { return {store_, prefix_ + name + "."}; }
  bool has(const std::string& name) const { return store_.has(prefix_ + name); }
  at::Tensor take(const std::string& name, at::IntArrayRef shape) const { return store_.take(prefix_ + name, shape); }
  at::Tensor take_float(const std::string& name, at::IntArrayRef shape) const { return store_.take_float(prefix_ + name, shape); }
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
