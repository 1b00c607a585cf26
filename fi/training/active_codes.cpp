#include "fi/training/active_codes.h"

#include <algorithm>
#include <functional>

#include "fi/training/step_kernels.h"

namespace fi {
namespace {

constexpr int64_t kScanWidth = 32;

}  // namespace

TopCodeCollector::TopCodeCollector(int64_t num_rows, int64_t num_latents, float floor)
    : num_rows_(num_rows),
      num_latents_(num_latents),
      floor_(std::max(0.0F, floor)),
      blocks_(static_cast<size_t>((num_rows + kBlockRows - 1) / kBlockRows)) {}

void TopCodeCollector::add_panel(const float* pre_activations, const float* norms, int64_t first_latent, int64_t width) {
#pragma omp parallel for schedule(static)
  for (int64_t block = 0; block < static_cast<int64_t>(blocks_.size()); ++block) {
    std::vector<Candidate>& found = blocks_[static_cast<size_t>(block)];
    const int64_t last_row = std::min(num_rows_, (block + 1) * kBlockRows);
    for (int64_t row = block * kBlockRows; row < last_row; ++row) {
      const float* values = pre_activations + row * width;
      for (int64_t start = 0; start < width; start += kScanWidth) {
        const int64_t count = std::min(kScanWidth, width - start);
        if (!any_above(count, values + start, norms + start, floor_)) continue;
        for (int64_t i = start; i < start + count; ++i) {
          const float scaled = values[i] * norms[i];
          if (scaled <= floor_) continue;
          found.push_back({static_cast<int32_t>(row), static_cast<int32_t>(first_latent + i), values[i], scaled});
        }
      }
    }
  }
}

int64_t TopCodeCollector::num_candidates() const {
  size_t total = 0;
  for (const auto& block : blocks_) total += block.size();
  return static_cast<int64_t>(total);
}

// The count-th largest scaled code.
float TopCodeCollector::cut_for(int64_t count) const {
  std::vector<float> scaled;
  scaled.reserve(static_cast<size_t>(num_candidates()));
  for (const auto& block : blocks_) {
    for (const Candidate& candidate : block) scaled.push_back(candidate.scaled);
  }
  std::nth_element(scaled.begin(), scaled.begin() + (count - 1), scaled.end(), std::greater<>());
  return scaled[static_cast<size_t>(count - 1)];
}

ActiveCodes TopCodeCollector::take(int64_t count) const {
  count = std::min(count, num_candidates());
  ActiveCodes active;
  if (count > 0) {
    const float cut = cut_for(count);
    int64_t num_above = 0;
    for (const auto& block : blocks_) {
      num_above += std::count_if(block.begin(), block.end(), [&](const Candidate& c) { return c.scaled > cut; });
    }
    active = take_above(cut, count - num_above);
    active.smallest = cut;
  } else {
    active.row_start.assign(static_cast<size_t>(num_rows_ + 1), 0);
  }
  index_by_latent(active, num_latents_);
  return active;
}

ActiveCodes TopCodeCollector::take_above(float cut, int64_t num_equal_kept) const {
  ActiveCodes active;
  active.row_start.assign(1, 0);
  std::vector<Candidate> ordered;
  for (int64_t block = 0; block < static_cast<int64_t>(blocks_.size()); ++block) {
    ordered.clear();
    for (const Candidate& candidate : blocks_[static_cast<size_t>(block)]) {
      if (candidate.scaled >= cut) ordered.push_back(candidate);
    }
    // Panels came in ascending order, so a stable sort by row leaves the latents of a row ascending.
    std::stable_sort(ordered.begin(), ordered.end(), [](const Candidate& a, const Candidate& b) { return a.row < b.row; });
    size_t next = 0;
    for (int64_t row = block * kBlockRows; row < std::min(num_rows_, (block + 1) * kBlockRows); ++row) {
      for (; next < ordered.size() && ordered[next].row == row; ++next) {
        if (ordered[next].scaled == cut && num_equal_kept-- <= 0) continue;
        active.latent.push_back(ordered[next].latent);
        active.row.push_back(ordered[next].row);
        active.code.push_back(ordered[next].code);
      }
      active.row_start.push_back(static_cast<int64_t>(active.code.size()));
    }
  }
  return active;
}

void index_by_latent(ActiveCodes& active, int64_t num_latents) {
  active.latent_start.assign(static_cast<size_t>(num_latents + 1), 0);
  for (const int32_t latent : active.latent) ++active.latent_start[static_cast<size_t>(latent) + 1];
  for (size_t i = 1; i < active.latent_start.size(); ++i) active.latent_start[i] += active.latent_start[i - 1];
  std::vector<int64_t> next(active.latent_start.begin(), active.latent_start.end() - 1);
  active.by_latent.resize(active.latent.size());
  for (size_t i = 0; i < active.latent.size(); ++i) {
    active.by_latent[static_cast<size_t>(next[static_cast<size_t>(active.latent[i])]++)] = static_cast<int32_t>(i);
  }
}

float estimate_floor(const float* pre_activations, const float* norms, int64_t num_rows, int64_t width, double share) {
  std::vector<float> scaled;
  for (int64_t row = 0; row < num_rows; ++row) {
    for (int64_t i = 0; i < width; ++i) {
      const float value = pre_activations[row * width + i] * norms[i];
      if (value > 0.0F) scaled.push_back(value);
    }
  }
  const auto rank = static_cast<size_t>(share * static_cast<double>(num_rows * width));
  if (rank + 1 >= scaled.size()) return 0.0F;
  std::nth_element(scaled.begin(), scaled.begin() + static_cast<std::ptrdiff_t>(rank), scaled.end(), std::greater<>());
  return scaled[rank];
}

}  // namespace fi
