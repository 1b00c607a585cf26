#include "fi/model/fidelity.h"

#include <algorithm>

#include "fi/core/error.h"

namespace fi {

Fidelity measure_fidelity(const Decoder& exact, const Decoder& narrow, std::span<const TokenIds> texts, ProgressSink& sink) {
  check(exact.config().vocab_size == narrow.config().vocab_size, ErrorCode::kIncompatible,
        "[fidelity] vocabularies of {} and {} tokens cannot be compared.", exact.config().vocab_size, narrow.config().vocab_size);
  Fidelity result;
  StageProgress progress(sink, "fidelity", static_cast<int64_t>(texts.size()), "texts");
  for (const TokenIds& text : texts) {
    check_interrupt();
    progress.advance(1);
    if (text.empty()) continue;
    const at::Tensor p = exact.forward(pack({&text, 1})).logits.log_softmax(-1);
    const at::Tensor q = narrow.forward(pack({&text, 1})).logits.log_softmax(-1);
    const at::Tensor kl = p.exp().mul(p - q).sum(-1);
    result.mean_kl += kl.sum(at::kDouble).item<double>();
    result.largest_kl = std::max(result.largest_kl, kl.max().item<double>());
    result.same_best += static_cast<double>(p.argmax(-1).eq(q.argmax(-1)).sum().item<int64_t>());
    result.num_tokens += static_cast<int64_t>(text.size());
  }
  if (result.num_tokens == 0) return result;
  result.mean_kl /= static_cast<double>(result.num_tokens);
  result.same_best /= static_cast<double>(result.num_tokens);
  return result;
}

}  // namespace fi
