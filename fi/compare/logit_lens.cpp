#include "fi/compare/logit_lens.h"

#include <algorithm>

namespace fi {
namespace {

constexpr size_t kLensTokens = 8;
constexpr int64_t kCandidates = 64;  // enough to leave out special tokens

}  // namespace

std::vector<std::string> lens_tokens(const Decoder& model, const Tokenizer& tokenizer, const at::Tensor& direction) {
  const at::Tensor logits = model.unembed(direction.to(at::kFloat).unsqueeze(0).to(model.device()))[0].cpu();
  const at::Tensor best = std::get<1>(logits.topk(std::min(kCandidates, logits.size(0))));
  std::vector<std::string> tokens;
  for (int64_t i = 0; i < best.size(0) && tokens.size() < kLensTokens; ++i) {
    const auto id = static_cast<int32_t>(best.const_data_ptr<int64_t>()[i]);
    if (id < tokenizer.vocab_size() && !tokenizer.is_special(id)) tokens.push_back(tokenizer.token_text(id));
  }
  return tokens;
}

}  // namespace fi
