#pragma once

#include <functional>

#include "fi/model/decoder.h"
#include "fi/model/generate.h"

namespace fi {

/// What the base goes on with after a layer: from both models' rows of the same tokens there, each [rows, d_model].
using RowChange = std::function<at::Tensor(const at::Tensor& base, const at::Tensor& target)>;

/// Greedy continuation of one prompt by `base`, whose residual rows after `layer` are changed, those of the prompt and those of
/// every token that it writes. `target` reads the same tokens up to that layer. Uses max_new_tokens and stop_ids of `options`.
Generation generate_changed(const Decoder& base, const Decoder& target, const TokenIds& prompt, int64_t layer,
                            const RowChange& change, const GenerateOptions& options);

}  // namespace fi
