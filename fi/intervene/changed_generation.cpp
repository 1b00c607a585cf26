#include "fi/intervene/changed_generation.h"

#include <algorithm>

#include "fi/core/error.h"
#include "fi/core/progress.h"
#include "fi/model/decoder_layer.h"
#include "fi/model/kv_cache.h"

namespace fi {
namespace {

/// One model with what it remembers of the text so far.
class Reader {
 public:
  explicit Reader(const Decoder& model) : model_(model), cache_(model.config(), 1, model.device()) {}

  void reserve(int64_t num_tokens) { cache_.reserve(num_tokens); }

  /// Layers [first, last) over new rows.
  at::Tensor through(at::Tensor resid, int64_t first, int64_t last, const RowLayout& layout) {
    for (int64_t i = first; i < last; ++i) {
      const auto at = static_cast<size_t>(i);
      resid = (*model_.parts().layers[at])(resid, layout, &cache_.layer(at));
    }
    return resid;
  }

  at::Tensor embed(const TokenIds& ids, const RowLayout& layout) const { return model_.embed(ids, layout.positions); }

 private:
  const Decoder& model_;
  KvCache cache_;
};

}  // namespace

Generation generate_changed(const Decoder& base, const Decoder& target, const TokenIds& prompt, int64_t layer,
                            const RowChange& change, const GenerateOptions& options) {
  const int64_t num_layers = base.config().num_layers;
  check(layer >= 0 && layer < num_layers, ErrorCode::kUsage, "[steer] layer {} is not one of the {} of the model.", layer,
        num_layers);
  const auto length = static_cast<int64_t>(prompt.size());
  check(length > 0 && length <= base.config().max_positions, ErrorCode::kUsage,
        "[steer] the prompt has {} tokens, expected 1 to {}.", length, base.config().max_positions);
  const int64_t most = std::min(options.max_new_tokens, base.config().max_positions - length + 1);
  Reader of_base(base), of_target(target);
  of_base.reserve(length + most);
  of_target.reserve(length + most);
  Generation generation;
  TokenIds fresh = prompt;
  for (int64_t past = 0; static_cast<int64_t>(generation.ids.size()) < most;) {
    check_interrupt();
    const auto rows = static_cast<int64_t>(fresh.size());
    const RowLayout layout = make_layout({0, rows}, {past}, {0}, base.device());
    const at::Tensor own = of_base.through(of_base.embed(fresh, layout), 0, layer + 1, layout);
    const at::Tensor other = of_target.through(of_target.embed(fresh, layout), 0, layer + 1, layout);
    const at::Tensor resid = of_base.through(change(own, other), layer + 1, num_layers, layout);
    const auto next = base.unembed(resid.narrow(0, rows - 1, 1)).argmax(-1).item<int64_t>();
    past += rows;
    fresh = {static_cast<int32_t>(next)};
    generation.stopped = std::find(options.stop_ids.begin(), options.stop_ids.end(), fresh[0]) != options.stop_ids.end();
    if (generation.stopped) break;
    generation.ids.push_back(fresh[0]);
  }
  return generation;
}

}  // namespace fi
