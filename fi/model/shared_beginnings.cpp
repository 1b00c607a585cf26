#include "fi/model/shared_beginnings.h"

#include <algorithm>

namespace fi {
namespace {

constexpr int64_t kShortestShared = 8;  // tokens; fewer are not worth a mask in the sequence's attention

struct Beginning {
  size_t sequence = 0;  // an earlier one
  int64_t length = 0;
};

std::span<const int32_t> sequence_of(const PackedBatch& batch, size_t i) {
  return std::span(batch.ids).subspan(static_cast<size_t>(batch.starts[i]),
                                      static_cast<size_t>(batch.starts[i + 1] - batch.starts[i]));
}

// The longest beginning that sequence `i` has in common with an earlier one.
Beginning longest_shared(const PackedBatch& batch, size_t i) {
  Beginning best;
  const auto own = sequence_of(batch, i);
  for (size_t k = 0; k < i; ++k) {
    const auto other = sequence_of(batch, k);
    const int64_t length = std::ranges::mismatch(own, other).in1 - own.begin();
    if (length > best.length) best = {k, length};
  }
  return best.length >= kShortestShared ? best : Beginning{};
}

at::Tensor rows_tensor(std::span<const int64_t> rows, at::Device device) {
  return at::tensor(at::ArrayRef<int64_t>(rows.data(), rows.size()), at::kLong).to(device);
}

}  // namespace

SharedBeginnings::SharedBeginnings(const PackedBatch& batch, at::Device device, bool shares)
    : layout_(make_layout(batch.starts, {}, {}, device)), whole_(layout_) {
  if (!shares) return;
  std::vector<int64_t> computed, source, starts = {0}, past;
  std::vector<at::Tensor> past_rows;
  for (size_t i = 0; i < whole_.num_sequences(); ++i) {
    const Beginning shared = longest_shared(batch, i);
    const auto first = static_cast<size_t>(batch.starts[shared.sequence]);
    for (int64_t position = 0; position < shared.length; ++position)
      source.push_back(source[first + static_cast<size_t>(position)]);
    past.push_back(shared.length);
    past_rows.push_back(
        rows_tensor(std::span(source).subspan(static_cast<size_t>(batch.starts[i]), static_cast<size_t>(shared.length)), device));
    for (int64_t row = batch.starts[i] + shared.length; row < batch.starts[i + 1]; ++row) {
      source.push_back(static_cast<int64_t>(computed.size()));
      computed.push_back(row);
    }
    starts.push_back(static_cast<int64_t>(computed.size()));
  }
  if (static_cast<int64_t>(computed.size()) == batch.num_tokens()) return;
  layout_ = make_layout(starts, past, {}, device);
  layout_.past_rows = std::move(past_rows);
  computed_ = rows_tensor(computed, device);
  source_ = rows_tensor(source, device);
}

TokenIds SharedBeginnings::ids(const PackedBatch& batch) const {
  TokenIds ids;
  for (size_t i = 0; i < layout_.num_sequences(); ++i) {
    const auto own = sequence_of(batch, i).subspan(static_cast<size_t>(layout_.past_of(i)));
    ids.insert(ids.end(), own.begin(), own.end());
  }
  return ids;
}

at::Tensor SharedBeginnings::rows_of(const at::Tensor& all) {
  if (!is_sharing()) return all;
  const at::Tensor rows = all.index_select(0, computed_);
  if (at::equal(all_of(rows), all)) return rows;
  layout_ = whole_;
  computed_ = at::Tensor();
  source_ = at::Tensor();
  return all;
}

at::Tensor SharedBeginnings::all_of(const at::Tensor& rows) const { return is_sharing() ? rows.index_select(0, source_) : rows; }

}  // namespace fi
