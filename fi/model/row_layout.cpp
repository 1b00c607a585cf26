#include "fi/model/row_layout.h"

namespace fi {

RowLayout make_layout(std::vector<int64_t> starts, std::vector<int64_t> past, std::vector<int64_t> slots, at::Device device) {
  RowLayout layout{.starts = std::move(starts), .past = std::move(past), .slots = std::move(slots)};
  std::vector<int64_t> positions;
  positions.reserve(static_cast<size_t>(layout.num_rows()));
  for (size_t i = 0; i < layout.num_sequences(); ++i) {
    for (int64_t row = 0; row < layout.rows_of(i); ++row) positions.push_back(layout.past_of(i) + row);
  }
  layout.positions = at::tensor(at::ArrayRef<int64_t>(positions), at::kLong).to(device);
  return layout;
}

}  // namespace fi
