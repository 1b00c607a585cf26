#pragma once

#include <ATen/ATen.h>

#include <span>
#include <vector>

namespace fi {

/// Paired activation rows of two models at random access. With several layers of each, a layer counts as a model here, as in the
/// dictionaries that read them.
class RowSource {
 public:
  virtual ~RowSource() = default;

  virtual int64_t num_rows() const = 0;
  virtual int64_t num_models() const = 0;
  virtual int64_t d_model() const = 0;
  /// Rows at `indices`, in that order: [n, num_models, d_model] fp32.
  virtual at::Tensor gather(std::span<const int64_t> indices) const = 0;
};

/// Rows side by side: each [n, width] -> [n, number of them, largest width], the narrower ones with zeros behind.
at::Tensor stack_rows(const std::vector<at::Tensor>& rows);
/// Two models' rows: stack_rows({base, target}).
at::Tensor pair_rows(const at::Tensor& base, const at::Tensor& target);

/// Rows first .. first + count - 1.
at::Tensor read_rows(const RowSource& source, int64_t first, int64_t count);

/// Rows held in memory.
class MemoryRows : public RowSource {
 public:
  /// `rows` is [n, num_models, d_model] fp32.
  explicit MemoryRows(at::Tensor rows);

  int64_t num_rows() const override { return rows_.size(0); }
  int64_t num_models() const override { return rows_.size(1); }
  int64_t d_model() const override { return rows_.size(2); }
  at::Tensor gather(std::span<const int64_t> indices) const override;

 private:
  at::Tensor rows_;
};

/// A contiguous part of another source, which must outlive it: the training or the held-out rows.
class RowRange : public RowSource {
 public:
  /// kUsage unless the range lies within the source.
  RowRange(const RowSource& source, int64_t first, int64_t count);

  int64_t num_rows() const override { return count_; }
  int64_t num_models() const override { return source_.num_models(); }
  int64_t d_model() const override { return source_.d_model(); }
  at::Tensor gather(std::span<const int64_t> indices) const override;

 private:
  const RowSource& source_;
  int64_t first_;
  int64_t count_;
};

}  // namespace fi
