#pragma once

#include <cstdint>
#include <vector>

namespace fi {

/// The codes of a batch that are not zero, by row and by latent. Within a row latents ascend, within a latent rows do.
struct ActiveCodes {
  std::vector<int64_t> row_start;     // [num_rows + 1] into the three below
  std::vector<int32_t> latent;        // [num_active]
  std::vector<int32_t> row;           // [num_active]
  std::vector<float> code;            // [num_active] unscaled, > 0
  std::vector<int64_t> latent_start;  // [num_latents + 1] into by_latent
  std::vector<int32_t> by_latent;     // [num_active] indices into the three above
  float smallest = 0.0F;              // scaled; 0 if nothing is active

  int64_t num_rows() const { return static_cast<int64_t>(row_start.size()) - 1; }
  int64_t num_active() const { return static_cast<int64_t>(code.size()); }
};

/// Collects the largest scaled codes of a batch from panels of pre-activations: all latents of a panel for all rows at a time, so
/// that [num_rows, num_latents] is never held. Only values above a floor are remembered; a floor that proves too high is noticed
/// by `num_candidates` and the pass is made again with a lower one, so the floor changes time, never the result.
class TopCodeCollector {
 public:
  TopCodeCollector(int64_t num_rows, int64_t num_latents, float floor);

  /// Panels come in ascending order of `first_latent`. `pre_activations` is [num_rows, width], `norms` [width] of these latents.
  void add_panel(const float* pre_activations, const float* norms, int64_t first_latent, int64_t width);
  int64_t num_candidates() const;
  /// The `count` largest by scaled code (all, if there are fewer); equal ones by row, then latent.
  ActiveCodes take(int64_t count) const;

 private:
  struct Candidate {
    int32_t row;
    int32_t latent;
    float code;
    float scaled;
  };
  static constexpr int64_t kBlockRows = 32;  // rows that one thread scans at a time

  float cut_for(int64_t count) const;
  ActiveCodes take_above(float cut, int64_t num_equal_kept) const;

  int64_t num_rows_;
  int64_t num_latents_;
  float floor_;
  std::vector<std::vector<Candidate>> blocks_;  // by block of rows
};

/// Fills `latent_start` and `by_latent` from the rest.
void index_by_latent(ActiveCodes& active, int64_t num_latents);

/// The largest floor that would have let about `count` of all codes through, judged by one panel.
float estimate_floor(const float* pre_activations, const float* norms, int64_t num_rows, int64_t width, double share);

}  // namespace fi
