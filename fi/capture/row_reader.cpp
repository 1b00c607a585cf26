#include "fi/capture/row_reader.h"

#include <algorithm>

#include "fi/capture/matched_layer.h"

namespace fi {
namespace {

at::Tensor rows_at(const at::Tensor& resid, const std::vector<int64_t>& rows) {
  return resid.index_select(0, at::tensor(at::ArrayRef<int64_t>(rows), at::kLong));
}

}  // namespace

/// Rows that are kept of a batch, by model.
struct RowReader::Chosen {
  std::vector<int64_t> base, target;
  std::vector<RowPlace> places;
};

RowReader::RowReader(const Decoder& base, const Decoder& target, const LayerGroup& layers,
                     std::function<bool(int32_t)> is_special, int64_t first_position)
    : base_(base),
      target_(target),
      base_layers_(matched_layers(layers, base.config().num_layers, target.config().num_layers)),
      target_layers_(layers),
      is_special_(std::move(is_special)),
      first_position_(first_position) {}

ReadRows RowReader::read(const std::vector<TracedText>& texts, int64_t first_text) {
  const PackedBatch base = pack_texts(texts).batch, target = pack_texts(as_target_reads(texts)).batch;
  Chosen chosen = choose(texts, base, target, first_text);
  if (chosen.places.empty()) return {};
  std::vector<at::Tensor> rows;
  for (const at::Tensor& resid : residuals_after(base_, base, base_layers_)) rows.push_back(rows_at(resid, chosen.base));
  for (const at::Tensor& resid : residuals_after(target_, target, target_layers_)) rows.push_back(rows_at(resid, chosen.target));
  return {stack_rows(rows), std::move(chosen.places)};
}

RowReader::Chosen RowReader::choose(const std::vector<TracedText>& texts, const PackedBatch& base, const PackedBatch& target,
                                    int64_t first_text) {
  Chosen chosen;
  for (size_t s = 0; s < texts.size(); ++s) {
    const int64_t first_position = std::max(first_position_, texts[s].num_repeated);
    for (int64_t position = 0; position < std::ssize(texts[s].ids); ++position) {
      const int32_t token = texts[s].ids[static_cast<size_t>(position)];
      const int64_t partner = target_position(texts[s], position);
      if (position == 0 || partner == 0) {
        ++masked_.first;
      } else if (position < first_position) {
        ++masked_.repeated;
      } else if (is_special_(token)) {
        ++masked_.special;
      } else if (partner < 0) {
        ++masked_.unaligned;
      } else {
        chosen.base.push_back(base.starts[s] + position);
        chosen.target.push_back(target.starts[s] + partner);
        chosen.places.push_back(
            {static_cast<int32_t>(first_text) + static_cast<int32_t>(s), static_cast<int32_t>(position), token});
      }
    }
  }
  return chosen;
}

}  // namespace fi
