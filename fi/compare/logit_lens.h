#pragma once

#include <string>
#include <vector>

#include "fi/model/decoder.h"
#include "fi/tokenizer/tokenizer.h"

namespace fi {

/// The tokens that a residual direction [d_model] promotes most, read off final norm and unembedding (logit lens; nostalgebraist,
/// 2020). Special tokens are left out.
std::vector<std::string> lens_tokens(const Decoder& model, const Tokenizer& tokenizer, const at::Tensor& direction);

}  // namespace fi
