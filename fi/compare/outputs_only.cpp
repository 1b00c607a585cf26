#include "fi/compare/outputs_only.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "fi/behaviour/few_prompts.h"
#include "fi/compare/outputs_file.h"
#include "fi/compare/run_files.h"
#include "fi/compare/staging.h"
#include "fi/compare/steering_file.h"
#include "fi/core/hash.h"
#include "fi/io/atomic_file.h"
#include "fi/io/jsonl.h"
#include "fi/prompts/prompt_set.h"

namespace fi {
namespace {

// The categories and prompts of the file, in the order of their first line.
PromptSet prompts_of(const std::vector<AnswerPair>& pairs) {
  PromptSet set;
  std::map<std::string, size_t> at;
  for (const AnswerPair& pair : pairs) {
    const auto [entry, is_new] = at.emplace(pair.category, set.categories.size());
    if (is_new) {
      PromptCategory& category = set.categories.emplace_back(PromptCategory{.id = pair.category, .title = pair.category});
      std::replace(category.title.begin(), category.title.end(), '_', ' ');
    }
    std::vector<std::string>& prompts = set.categories[entry->second].prompts;
    if (pair.prompt_index == static_cast<int64_t>(prompts.size())) prompts.push_back(pair.prompt);
  }
  return set;
}

void set_discovery_aside(std::vector<AnswerPair>& pairs, const PromptSet& prompts, uint64_t seed) {
  if (prompts.num_prompts() < kFewestPromptsToSplit) return;
  for (const PromptCategory& category : prompts.categories) {
    const auto all = static_cast<int64_t>(category.prompts.size());
    const std::vector<int64_t> chosen = split_prompts(category, seed, all, all).discovery;
    const std::set<int64_t> discovery(chosen.begin(), chosen.end());
    for (AnswerPair& pair : pairs) {
      if (pair.category == category.id && discovery.contains(pair.prompt_index)) pair.split = Split::kDiscovery;
    }
  }
}

Json manifest_of(const CompareOptions& options, const std::vector<AnswerPair>& pairs, const PromptSet& prompts) {
  const std::string file = std::filesystem::path(options.outputs).filename().string();
  Report names;
  names.base.name = options.base_model.empty() ? "base" : options.base_model;
  names.target.name = options.target_model.empty() ? "target" : options.target_model;
  const Json identities = to_json(names);
  Json categories = Json::array();
  for (const PromptCategory& category : prompts.categories)
    categories.push_back({{"id", category.id}, {"title", category.title}, {"group", category.group}});
  return {{"format", kActivationsFormat},
          {"options", to_json(without_reuse(options))},
          {"base", identities["base"]},
          {"target", identities["target"]},
          {"relation", "outputs-only"},
          {"relation_note", fmt::format("Both models' answers were read from {} (SHA-256 {}…); no model was run.", file,
                                        sha256_of_file(options.outputs).substr(0, 12))},
          {"comparable_layers", false},
          {"num_prompts", pairs.size()},
          {"num_answer_tokens", 0},
          {"categories", categories}};
}

int64_t num_prompts(const std::vector<AnswerPair>& pairs) {
  std::set<std::pair<std::string, int64_t>> prompts;
  for (const AnswerPair& pair : pairs) prompts.emplace(pair.category, pair.prompt_index);
  return static_cast<int64_t>(prompts.size());
}

std::string few_prompts_note(int64_t count) {
  const double best = std::min(1.0, std::ldexp(1.0, static_cast<int>(1 - count)));
  return fmt::format(
      "{} prompts are too few to set some aside (under {}): all of them were searched and tested at once, every comparison "
      "counted. "
      "The smallest p-value that {} prompts can give is {:.2g}; a change in a part of the answers, or on one kind of prompt "
      "alone, "
      "is easily missed. Ask more prompts before you rely on this.",
      count, kFewestPromptsToSplit, count, best);
}

}  // namespace

Json take_given_answers(const CompareOptions& options, const std::filesystem::path& folder, ProgressSink& progress) {
  std::vector<AnswerPair> pairs = read_outputs(options.outputs);
  StageProgress stage(progress, "given answers", static_cast<int64_t>(pairs.size()), "pairs");
  const PromptSet prompts = prompts_of(pairs);
  set_discovery_aside(pairs, prompts, static_cast<uint64_t>(options.seed));
  const StagingFolder staging(folder);
  staging.clear();
  const auto write = [&](const char* name, const Json& document) {
    write_file_atomically(staging.path() / name, to_pretty_json(document));
  };
  write(kIdentityFile, {{"outputs", sha256_of_file(options.outputs)}, {"seed", options.seed}});
  write(kLayersFile, Json::object());
  write(kLocalisationFile, Json::array());
  write(kDirectionsFile, Json::array());
  write(kAnswerKlFile, Json::array());
  write_steering(staging.path() / kSteeringFile, {});
  make_folder(staging.path() / kRowsFolder);
  JsonlAppender answers(staging.path() / kAnswersFile);
  for (const AnswerPair& pair : pairs) answers.append(to_json(pair));
  answers.flush();
  Json manifest = manifest_of(options, pairs, prompts);
  write(kManifestFile, manifest);
  staging.publish();
  stage.advance(static_cast<int64_t>(pairs.size()));
  manifest["folder"] = folder.string();
  return manifest;
}

Json limits_of_given_answers(const Analysis& analysis) {
  std::vector<AnswerPair> pairs = analysis.discovery;
  pairs.insert(pairs.end(), analysis.confirmation.begin(), analysis.confirmation.end());
  const auto cut = [&](bool AnswerPair::*finished) {
    return std::count_if(pairs.begin(), pairs.end(), [&](const AnswerPair& pair) { return !(pair.*finished); });
  };
  Json notes = Json::object();
  notes["weights"] =
      "not at hand: no layer, no feature and no causal test; no claim can be more than suggestive, and none says where a change "
      "is "
      "made";
  notes["how the answers were made"] =
      "not known to this program: sampling, length limits or templates that differ between the models differ in the answers, too";
  if (!analysis.fresh_prompts) notes["few prompts"] = few_prompts_note(num_prompts(pairs));
  if (cut(&AnswerPair::base_finished) + cut(&AnswerPair::target_finished) > 0) {
    notes["answers without the end mark that others have"] =
        fmt::format("{} of the base, {} of the target; they may have been cut, and lengths may say no more than that",
                    cut(&AnswerPair::base_finished), cut(&AnswerPair::target_finished));
  }
  return notes;
}

}  // namespace fi
