#include "fi/compare/weight_fidelity.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "fi/model/fidelity.h"
#include "fi/model/load_model.h"

namespace fi {
namespace {

constexpr size_t kTexts = 8;

std::vector<TokenIds> texts_of(const Tokenizer& tokenizer, const std::vector<AnswerPair>& answers,
                               std::string AnswerPair::*answer) {
  std::vector<TokenIds> texts;
  const size_t step = std::max<size_t>(1, answers.size() / kTexts);
  for (size_t i = 0; i < answers.size() && texts.size() < kTexts; i += step) {
    TokenIds ids = tokenizer.encode_prompt(answers[i].prompt);
    const TokenIds more = tokenizer.encode(answers[i].*answer, false).ids;
    ids.insert(ids.end(), more.begin(), more.end());
    texts.push_back(std::move(ids));
  }
  return texts;
}

Json fidelity_of(const LoadedModel& model, const std::vector<TokenIds>& texts, const CompareOptions& options,
                 ProgressSink& progress) {
  const Decoder exact = load_model(model.files, {.device = options.device, .quantization = "stored"}, progress);
  const Fidelity fidelity = measure_fidelity(exact, model.decoder, texts, progress);
  return {{"mean_kl", fidelity.mean_kl},
          {"largest_kl", fidelity.largest_kl},
          {"same_best_token", fidelity.same_best},
          {"num_tokens", fidelity.num_tokens}};
}

}  // namespace

Json weight_fidelity(const ModelPair& pair, const std::vector<AnswerPair>& answers, const CompareOptions& options,
                     ProgressSink& progress) {
  if (!std::set<std::string>{"fp16", "bf16", "int8"}.contains(options.quantization)) return nullptr;
  const auto base_texts = texts_of(*pair.base.tokenizer, answers, &AnswerPair::base);
  Json fidelity = {{"base", fidelity_of(pair.base, base_texts, options, progress)}};
  const auto target_texts = texts_of(*pair.target.tokenizer, answers, &AnswerPair::target);
  fidelity["target"] =
      pair.relation == "identical" ? fidelity["base"] : fidelity_of(pair.target, target_texts, options, progress);
  return fidelity;
}

Json fidelity_notes(const Json& fidelity, const std::string& quantization) {
  Json notes = Json::object();
  if (!fidelity.is_object()) return notes;
  for (const auto& [side, row] : fidelity.items()) {
    notes[fmt::format("weights of the {} held in {}", side, quantization)] = fmt::format(
        "move its predictions by {:.2g} nats a token (KL from exact weights; {:.2g} at the worst of {} tokens); the most "
        "probable "
        "token stays the same at {:.1f}% of them",
        row.at("mean_kl").get<double>(), row.at("largest_kl").get<double>(), row.at("num_tokens").get<int64_t>(),
        100.0 * row.at("same_best_token").get<double>());
  }
  return notes;
}

}  // namespace fi
