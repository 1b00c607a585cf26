#include "fi/intervene/steering.h"

#include <cmath>

#include "fi/capture/traced_text.h"
#include "fi/core/error.h"
#include "fi/intervene/changed_generation.h"

namespace fi {
namespace {

// `change` [rows, d_model] turned into `subspace`, with the norm of every row kept.
at::Tensor turned_into(const at::Tensor& change, const Subspace& subspace, const at::Tensor& from) {
  const at::Tensor inside = at::matmul(at::matmul(from, subspace.basis), subspace.basis.t());
  const at::Tensor norms = inside.norm(2, -1, /*keepdim=*/true).clamp_min(1e-12);
  return inside * (change.norm(2, -1, /*keepdim=*/true) / norms);
}

class Steerer {
 public:
  Steerer(const Decoder& base, const Decoder& target, const Tokenizer& tokenizer, const Steering& steering,
          const GenerateOptions& options)
      : base_(base), target_(target), tokenizer_(tokenizer), steering_(steering), options_(options) {
    steering_.subspace.basis = steering_.subspace.basis.to(base.device());
    steering_.step = steering_.step.to(base.device());
    random_ = random_subspace(base.config().d_model, steering_.subspace.basis.size(1), steering.seed, 0);
    random_.basis = random_.basis.to(base.device());
  }

  SteeredAnswers answer(const std::string& prompt) const {
    const TokenIds ids = tokenizer_.encode_prompt(prompt);
    const auto text = [&](const Decoder& model) {
      return tokenizer_.decode(generate(model, std::span(&ids, 1), options_, silent_progress()).front().ids, true);
    };
    const auto changed = [&](const RowChange& change) {
      return tokenizer_.decode(generate_changed(base_, target_, ids, steering_.layer, change, options_).ids, true);
    };
    SteeredAnswers answers{.prompt = prompt, .base = text(base_), .target = text(target_)};
    answers.steered = changed(steered());
    answers.control = changed(control());
    measure(answers, ids);
    return answers;
  }

 private:
  at::Tensor change_of(const at::Tensor& base, const at::Tensor& target) const {
    if (steering_.strength) return (*steering_.strength * steering_.step).expand_as(base);
    return exchange_inside(base, target, steering_.subspace) - base;
  }

  RowChange steered() const {
    return [this](const at::Tensor& base, const at::Tensor& target) { return base + change_of(base, target); };
  }

  // Added steps go one random way on all rows, exchanged values as the models differ inside the random subspace.
  RowChange control() const {
    return [this](const at::Tensor& base, const at::Tensor& target) {
      const at::Tensor from = steering_.strength ? random_.basis.select(1, 0).expand_as(base) : target - base;
      return base + turned_into(change_of(base, target), random_, from);
    };
  }

  void measure(SteeredAnswers& answers, const TokenIds& prompt) const {
    TracedText text{.ids = prompt, .answer_start = static_cast<int64_t>(prompt.size())};
    const TokenIds answer = tokenizer_.encode(answers.target, false).ids;
    text.ids.insert(text.ids.end(), answer.begin(), answer.end());
    if (answer.empty()) return;
    const PackedTexts packed = pack_texts(std::span(&text, 1));
    const std::vector<at::Tensor> base = residual_streams(base_, packed.batch);
    const std::vector<at::Tensor> target = residual_streams(target_, packed.batch);
    const auto mean = [&](const Decoder& model, const at::Tensor& resid) {
      return means_by_text(packed, answer_log_probabilities(model, packed, resid)).front();
    };
    const double own = mean(base_, base.back());
    answers.gap = mean(target_, target.back()) - own;
    if (std::abs(answers.gap) < kSmallestGap) return;
    const auto share = [&](const RowChange& change) {
      const auto at = static_cast<size_t>(steering_.layer);
      const at::Tensor resid = continue_after(base_, packed.batch, steering_.layer, change(base[at], target[at]));
      return (mean(base_, resid) - own) / answers.gap;
    };
    answers.share_closed = share(steered());
    answers.control_share_closed = share(control());
  }

  const Decoder& base_;
  const Decoder& target_;
  const Tokenizer& tokenizer_;
  Steering steering_;
  GenerateOptions options_;
  Subspace random_;
};

}  // namespace

std::vector<SteeredAnswers> steer(const Decoder& base, const Decoder& target, const Tokenizer& tokenizer,
                                  const Steering& steering, const std::vector<std::string>& prompts,
                                  const GenerateOptions& options, ProgressSink& sink) {
  const ModelConfig& a = base.config();
  const ModelConfig& b = target.config();
  check(a.num_layers == b.num_layers && a.d_model == b.d_model && a.vocab_size == b.vocab_size, ErrorCode::kIncompatible,
        "[steer] base has {} layers of width {}, target {} of width {}; only equal shapes can exchange what they hold.",
        a.num_layers, a.d_model, b.num_layers, b.d_model);
  const Steerer steerer(base, target, tokenizer, steering, options);
  StageProgress progress(sink, "steering", static_cast<int64_t>(prompts.size()), "prompts");
  std::vector<SteeredAnswers> all;
  for (const std::string& prompt : prompts) {
    all.push_back(steerer.answer(prompt));
    progress.advance(1);
  }
  return all;
}

}  // namespace fi
