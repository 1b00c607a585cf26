#include <algorithm>
#include <map>
#include <set>

#include "fi/behaviour/findings.h"
#include "fi/behaviour/right_answer.h"
#include "fi/behaviour/second_look.h"
#include "fi/compare/analysis.h"
#include "fi/compare/budget.h"
#include "fi/compare/compare.h"
#include "fi/compare/corpus_texts.h"
#include "fi/compare/depth.h"
#include "fi/compare/locate.h"
#include "fi/compare/minutes_budget.h"
#include "fi/compare/models.h"
#include "fi/compare/outputs_only.h"
#include "fi/compare/provenance.h"
#include "fi/compare/row_stores.h"
#include "fi/compare/run_files.h"
#include "fi/compare/run_identity.h"
#include "fi/compare/sampled_answers.h"
#include "fi/compare/settle_budget.h"
#include "fi/compare/staging.h"
#include "fi/compare/weight_fidelity.h"
#include "fi/core/error.h"
#include "fi/core/hash.h"
#include "fi/io/atomic_file.h"
#include "fi/io/jsonl.h"
#include "fi/model/generate.h"
#include "fi/prompts/prompt_set.h"

namespace fi {
namespace {

// Both models answer this many questions before they are written: an interruption loses no more.
constexpr size_t kQuestionsKeptAtOnce = 128;

// Fresh prompts that a candidate gets in all, shared out over its categories, and the fewest that one of them gets.
constexpr int64_t kPromptsOfCandidate = 36;
constexpr int64_t kFewestOfCategory = 12;

using PromptCounts = std::map<std::string, int64_t>;  // by category

struct Question {
  std::string category;
  int64_t prompt_index = 0;
  std::string prompt;
  Split split = Split::kDiscovery;
  std::vector<std::string> right_answers;
};

/// Counts the answers of many small calls as one stage.
class CountedTogether final : public ProgressSink {
 public:
  CountedTogether(ProgressSink& sink, std::string_view stage, int64_t total)
      : sink_(sink), stage_(sink, stage, total, "answers") {}

  void begin(std::string_view, int64_t, std::string_view) override {}
  void advance(int64_t amount, std::string_view detail) override { stage_.advance(amount, detail); }
  void end() override {}
  void note(std::string_view text) override { sink_.note(text); }
  void warn(std::string_view text) override { sink_.warn(text); }

 private:
  ProgressSink& sink_;
  StageProgress stage_;
};

/// Runs both models for one output folder; keeps what the steps share.
class Extraction {
 public:
  Extraction(const CompareOptions& options, const std::filesystem::path& folder, ProgressSink& progress)
      : options_(options),
        output_(folder),
        staging_(folder),
        folder_(staging_.path()),
        progress_(progress),
        budget_(budget_of(options)),
        prompts_(options.prompts.empty() ? builtin_prompts() : load_prompts(options.prompts)),
        detectors_(detectors_for(options)),
        corpus_(read_corpus(options, budget_)),
        pair_(load_pair(options, progress)) {}

  Json run() {
    check_layers();
    if (corpus_) check_readable(tokenizers_of(pair_), *corpus_);
    begin_folder();
    for (const Json& row : read_jsonl(folder_ / kAnswersFile, "answers"))
      pairs_.push_back(answer_pair_from_json(row, kAnswersFile));

    progress_.note(fmt::format("{} ({})", pair_.relation_note, pair_.relation));
    const std::vector<Question> first_look = questions(Split::kDiscovery, discovery_counts());
    answer("discovery answers", first_look);
    answer("second look", questions(Split::kDiscovery, second_look_counts(first_look)));
    const Analysis first = analyse(pairs_, detectors_, {options_.feature_threshold, options_.seed});
    answer("confirmation answers", questions(Split::kConfirmation, confirmation_counts(first.screening)));
    const Analysis analysis = analyse(pairs_, detectors_, {options_.feature_threshold, options_.seed});

    const bool comparable = has_equal_shape(pair_);
    const LocateInputs inputs{pair_, prompts_, analysis, budget_, options_, folder_, corpus_};
    write_layer_evidence(inputs, progress_);
    write_sampled_answers(inputs, progress_);
    Json manifest = describe(comparable);
    manifest["fidelity"] = weight_fidelity(pair_, analysis.discovery, options_, progress_);
    write_json(kManifestFile, manifest);
    staging_.publish();
    manifest["folder"] = output_.string();
    return manifest;
  }

 private:
  void check_layers() const {
    const int64_t last = pair_.target.decoder.config().num_layers - 1;
    for (const LayerGroup& layers : layers_from_text(options_.layers)) {
      check(layers.back() <= last, ErrorCode::kUsage, "[options] --layers names layer {}, expected 0 to {}.", layers.back(),
            last);
    }
  }

  // Only matching answers are kept: of a run that was stopped, or else of the finished one in the output folder.
  void begin_folder() {
    if (!options_.resume) staging_.clear();
    if (options_.resume && !std::filesystem::exists(folder_ / kIdentityFile)) {
      for (const char* name : {kAnswersFile, kIdentityFile}) staging_.take_over(name);
    }
    const std::filesystem::path path = folder_ / kIdentityFile;
    const Json now = run_identity({pair_.base.files, pair_.target.files}, prompts_, options_);
    if (std::filesystem::exists(folder_ / kAnswersFile)) {
      const std::string difference =
          std::filesystem::exists(path) ? identity_difference(parse_json(read_file(path, "resume"), "resume", path.string()), now)
                                        : "models or prompts that nobody kept";
      check(difference.empty(), ErrorCode::kIncompatible,
            "[resume] the answers in {} are of another run, which differs in: {}; run without --resume, or choose another "
            "--output-dir.",
            output_.string(), difference);
    }
    write_json(kIdentityFile, now);
  }

  PromptCounts discovery_counts() const {
    PromptCounts counts;
    for (const PromptCategory& category : prompts_.categories) counts[category.id] = budget_.discovery;
    return counts;
  }

  // By the first look alone, whatever an interrupted run has answered since: a resumed run asks the same.
  PromptCounts second_look_counts(const std::vector<Question>& first_look) const {
    std::set<std::pair<std::string, int64_t>> asked;
    for (const Question& question : first_look) asked.emplace(question.category, question.prompt_index);
    std::vector<AnswerPair> answered;
    for (const AnswerPair& pair : pairs_) {
      if (asked.contains({pair.category, pair.prompt_index})) answered.push_back(pair);
    }
    PromptCounts counts;
    for (const std::string& category : categories_to_look_at_again(answered, with_right_answers(detectors_, answered),
                                                                   options_.feature_threshold, budget_.second_look_categories)) {
      counts[category] = budget_.discovery + budget_.second_look;
    }
    return counts;
  }

  // Strongest candidates first, until the budget of prompts is used up. A change in one category needs many of its prompts; of
  // several categories that show the same, fewer each.
  PromptCounts confirmation_counts(const Screening& screening) const {
    PromptCounts counts;
    int64_t total = 0;
    for (const Candidate& candidate : screening.candidates) {
      const auto size = static_cast<int64_t>(candidate.categories.size());
      const int64_t share = std::clamp((kPromptsOfCandidate + size - 1) / size, kFewestOfCategory, budget_.confirmation);
      for (const std::string& category : candidate.categories) {
        const int64_t more = share - counts[category];
        if (more <= 0 || total + more > budget_.max_confirmation_prompts) continue;
        counts[category] += more;
        total += more;
      }
    }
    return counts;
  }

  std::vector<Question> questions(Split split, const PromptCounts& counts) const {
    std::vector<Question> list;
    for (const PromptCategory& category : prompts_.categories) {
      const auto count = counts.find(category.id);
      if (count == counts.end()) continue;
      const PromptSplit parts = split_prompts(category, static_cast<uint64_t>(options_.seed), count->second, count->second);
      for (const int64_t i : split == Split::kDiscovery ? parts.discovery : parts.confirmation) {
        list.push_back({category.id, i, category.prompts[static_cast<size_t>(i)], split, category.right_answers_of(i)});
      }
    }
    return list;
  }

  void answer(std::string_view stage, std::vector<Question> list) {
    std::set<std::pair<std::string, int64_t>> done;
    for (const AnswerPair& pair : pairs_) done.emplace(pair.category, pair.prompt_index);
    std::erase_if(list, [&](const Question& q) { return done.contains({q.category, q.prompt_index}); });
    const bool answers_twice = pair_.relation != "identical";
    CountedTogether progress(progress_, stage, static_cast<int64_t>(list.size()) * (answers_twice ? 2 : 1));
    JsonlAppender file(folder_ / kAnswersFile);
    for (size_t begin = 0; begin < list.size(); begin += kQuestionsKeptAtOnce) {
      const size_t end = std::min(list.size(), begin + kQuestionsKeptAtOnce);
      answer_some({list.begin() + static_cast<int64_t>(begin), list.begin() + static_cast<int64_t>(end)}, file, progress);
    }
  }

  void answer_some(const std::vector<Question>& list, JsonlAppender& file, ProgressSink& progress) {
    const auto base = answers_of(pair_.base, list, progress);
    const auto target = pair_.relation == "identical" ? base : answers_of(pair_.target, list, progress);
    for (size_t i = 0; i < list.size(); ++i) {
      pairs_.push_back(pair_of(list[i], base[i], target[i]));
      file.append(to_json(pairs_.back()));
    }
    file.flush();
  }

  std::vector<Generation> answers_of(const LoadedModel& model, const std::vector<Question>& list, ProgressSink& progress) const {
    std::vector<TokenIds> ids;
    for (const Question& question : list) ids.push_back(model.tokenizer->encode_prompt(question.prompt));
    return generate(model.decoder, ids,
                    {.max_new_tokens = budget_.max_new_tokens,
                     .seed = static_cast<uint64_t>(options_.seed),
                     .stop_ids = model.tokenizer->stop_ids()},
                    progress);
  }

  AnswerPair pair_of(const Question& question, const Generation& base, const Generation& target) const {
    return {.category = question.category,
            .prompt_index = question.prompt_index,
            .split = question.split,
            .prompt = question.prompt,
            .base = pair_.base.tokenizer->decode(base.ids, true),
            .target = pair_.target.tokenizer->decode(target.ids, true),
            .base_finished = base.stopped,
            .target_finished = target.stopped,
            .base_tokens = static_cast<int64_t>(base.ids.size()),
            .target_tokens = static_cast<int64_t>(target.ids.size()),
            .right_answers = question.right_answers};
  }

  void write_json(const char* name, const Json& document) const {
    write_file_atomically(folder_ / name, to_pretty_json(document));
  }

  Json describe(bool comparable) const {
    const std::string& first_prompt = prompts_.categories.front().prompts.front();
    Report names;
    names.base = identify(pair_.base, first_prompt);
    names.target = identify(pair_.target, first_prompt);
    const Json identities = to_json(names);
    int64_t tokens = 0;
    for (const AnswerPair& pair : pairs_) tokens += pair.base_tokens + pair.target_tokens;
    Json categories = Json::array();
    for (const PromptCategory& category : prompts_.categories) {
      categories.push_back({{"id", category.id}, {"title", category.title}, {"group", category.group}});
    }
    return {{"format", kActivationsFormat},
            {"options", to_json(without_reuse(options_))},
            {"base", identities["base"]},
            {"target", identities["target"]},
            {"relation", pair_.relation},
            {"relation_note", pair_.relation_note},
            {"weight_changes", to_json(pair_.weight_changes)},
            {"comparable_layers", comparable},
            {"tokenizers", tokenizer_document(pair_, first_prompt)},
            {"num_prompts", pairs_.size()},
            {"num_answer_tokens", tokens},
            {"texts", corpus_ ? corpus_document(options_, *corpus_) : Json()},
            {"categories", categories}};
  }

  const CompareOptions& options_;
  std::filesystem::path output_;
  StagingFolder staging_;
  std::filesystem::path folder_;  // where this run writes until all is there
  ProgressSink& progress_;
  Budget budget_;
  PromptSet prompts_;
  DetectorList detectors_;
  std::optional<TextCorpus> corpus_;
  ModelPair pair_;
  std::vector<AnswerPair> pairs_;
};

}  // namespace

Json extract_activations(const CompareOptions& options, const std::filesystem::path& folder, ProgressSink& progress) {
  validate(options);
  if (!options.outputs.empty()) return take_given_answers(options, folder, progress);
  const CompareOptions settled = settle_budget(options, folder, progress);
  return Extraction(settled, folder, progress).run();
}

}  // namespace fi
