#include "fi/compare/sampled_answers.h"

#include <algorithm>
#include <numeric>

#include "fi/claims/grouping.h"
#include "fi/compare/run_files.h"
#include "fi/core/error.h"
#include "fi/core/statistics.h"
#include "fi/io/atomic_file.h"
#include "fi/model/generate.h"

namespace fi {
namespace {

constexpr double kTemperature = 0.7;

using SampledTexts = std::vector<std::vector<std::string>>;  // [num_prompts][samples of each]

/// Both models' sampled answers to the same prompts.
class Sampler {
 public:
  Sampler(const LocateInputs& inputs, ProgressSink& progress) : in_(inputs), progress_(progress) {}

  Json document_of(const Finding& finding) const {
    const std::vector<std::string>& categories = finding.candidate.categories;
    std::vector<AnswerPair> inside;
    for (const AnswerPair& pair : in_.analysis.confirmation) {
      if (std::ranges::find(categories, pair.category) != categories.end()) inside.push_back(pair);
    }
    const std::vector<AnswerPair> pairs = thinned(inside, in_.budget.sampled_prompts);
    const SampledTexts base = answers_of(in_.pair.base, pairs), target = answers_of(in_.pair.target, pairs);
    const Detector& detector = *finding.candidate.detector;
    Json prompts = Json::array();
    for (size_t i = 0; i < pairs.size(); ++i)
      prompts.push_back({{"category", pairs[i].category},
                         {"prompt_index", pairs[i].prompt_index},
                         {"prompt", pairs[i].prompt},
                         {"base", base[i]},
                         {"target", target[i]},
                         {"base_measures", measures_of(detector, pairs[i].prompt, base[i])},
                         {"target_measures", measures_of(detector, pairs[i].prompt, target[i])}});
    return {{"detector", detector.words().id},
            {"categories", categories},
            {"temperature", kTemperature},
            {"samples_a_prompt", in_.budget.samples_of_prompt},
            {"prompts", prompts}};
  }

 private:
  static std::vector<double> measures_of(const Detector& detector, const std::string& prompt,
                                         const std::vector<std::string>& answers) {
    std::vector<double> measures;
    for (const std::string& answer : answers) measures.push_back(detector.measure(prompt, answer));
    return measures;
  }

  // Every answer has a random stream of its own, the same in both models.
  SampledTexts answers_of(const LoadedModel& model, const std::vector<AnswerPair>& pairs) const {
    SampledTexts answers(pairs.size());
    std::vector<TokenIds> ids;
    for (const AnswerPair& pair : pairs) {
      const TokenIds prompt = model.tokenizer->encode_prompt(pair.prompt);
      ids.insert(ids.end(), static_cast<size_t>(in_.budget.samples_of_prompt), prompt);
    }
    const std::vector<Generation> generations = generate(model.decoder, ids,
                                                         {.max_new_tokens = in_.budget.max_new_tokens,
                                                          .temperature = kTemperature,
                                                          .seed = static_cast<uint64_t>(in_.options.seed),
                                                          .stop_ids = model.tokenizer->stop_ids()},
                                                         progress_);
    const auto samples = static_cast<size_t>(in_.budget.samples_of_prompt);
    for (size_t i = 0; i < generations.size(); ++i)
      answers[i / samples].push_back(model.tokenizer->decode(generations[i].ids, true));
    return answers;
  }

  const LocateInputs& in_;
  ProgressSink& progress_;
};

SampledEffect effect_of(const Json& entry, uint64_t seed) {
  SampledEffect effect{.temperature = entry.at("temperature"), .samples_a_prompt = entry.at("samples_a_prompt")};
  std::vector<double> base, target, difference;  // means of each prompt's samples
  for (const Json& prompt : entry.at("prompts")) {
    base.push_back(mean(prompt.at("base_measures").get<std::vector<double>>()));
    target.push_back(mean(prompt.at("target_measures").get<std::vector<double>>()));
    difference.push_back(target.back() - base.back());
  }
  std::vector<int64_t> prompts(difference.size());
  std::iota(prompts.begin(), prompts.end(), int64_t{0});
  const Interval interval = bootstrap_mean(difference, prompts, seed);
  effect.num_prompts = static_cast<int64_t>(prompts.size());
  effect.base = mean(base);
  effect.target = mean(target);
  effect.ci_low = interval.low;
  effect.ci_high = interval.high;
  return effect;
}

}  // namespace

void write_sampled_answers(const LocateInputs& in, ProgressSink& progress) {
  Json document = Json::array();
  const auto groups = group_findings(in.analysis.findings, {.min_effect_size = in.options.feature_threshold});
  const Sampler sampler(in, progress);
  for (size_t i = 0; i < groups.size() && i < static_cast<size_t>(in.budget.max_localised_claims); ++i)
    document.push_back(sampler.document_of(in.analysis.findings[groups[i].primary]));
  write_file_atomically(in.folder / kSampledAnswersFile, to_pretty_json(document));
}

std::vector<SampledChange> read_sampled_answers(const std::filesystem::path& path, uint64_t seed) try {
  std::vector<SampledChange> changes;
  if (!std::filesystem::is_regular_file(path)) return changes;
  for (const Json& entry : parse_json(read_file(path, "features"), "features", path.string()))
    changes.push_back({entry.at("detector"), entry.at("categories"), effect_of(entry, seed)});
  return changes;
} catch (const Json::exception& error) {
  fail(ErrorCode::kInvalid, "[features] {} is damaged: {}; run the activations stage again.", path.string(), error.what());
}

}  // namespace fi
