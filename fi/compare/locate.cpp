#include "fi/compare/locate.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "fi/behaviour/findings.h"
#include "fi/claims/grouping.h"
#include "fi/compare/answer_kl.h"
#include "fi/compare/crosscoder_rows.h"
#include "fi/compare/depth.h"
#include "fi/compare/directions.h"
#include "fi/compare/explainer.h"
#include "fi/compare/name_hypotheses.h"
#include "fi/compare/run_files.h"
#include "fi/compare/steering_file.h"
#include "fi/diff/layer_map.h"
#include "fi/diff/layer_patching.h"
#include "fi/diff/transplant_scan.h"
#include "fi/intervene/causal_tests.h"
#include "fi/io/atomic_file.h"
#include "fi/model/load_model.h"

namespace fi {
namespace {

class Locator {
 public:
  Locator(const LocateInputs& inputs, ProgressSink& progress)
      : in_(inputs),
        base_(inputs.pair.base.decoder),
        target_(inputs.pair.target.decoder),
        tokenizer_(*inputs.pair.base.tokenizer),
        progress_(progress) {}

  void run() {
    const std::vector<TracedText> texts = thinned(texts_of_targets(in_.analysis.discovery), in_.budget.max_traced_texts);
    write_layers(texts);
    write_answer_kl(in_, progress_);
    write_localisations();
    write_directions();
    write_steering(in_.folder / kSteeringFile, steering_);
    write_crosscoder_rows(in_, strongest_.value_or(base_.config().num_layers / 2), progress_);
  }

 private:
  std::vector<TracedText> texts_of_targets(const std::vector<AnswerPair>& pairs) const {
    std::vector<TracedText> texts;
    for (const AnswerPair& pair : pairs) texts.push_back(traced_text(tokenizer_, pair, pair.target));
    return texts;
  }

  void write(const char* name, const Json& document) const { write_file_atomically(in_.folder / name, to_pretty_json(document)); }

  void write_layers(const std::vector<TracedText>& texts) {
    const Decoder rounded = load_model(
        in_.pair.base.files, {.device = in_.options.device, .quantization = wanted_quantization(in_.options), .is_rounded = true},
        progress_);
    const auto is_special = [&](int32_t id) { return tokenizer_.is_special(id); };
    const LayerMap map = compare_layers(base_, target_, rounded, texts, is_special, progress_);
    LayerPatching patching;
    if (in_.pair.relation != "identical")
      patching = patch_layers(base_, target_, thinned(texts, in_.budget.max_patched_texts), progress_);
    write(kLayersFile, layer_map_document(map, patching, base_, tokenizer_));
  }

  void write_localisations() {
    Json document = Json::array();
    const auto groups = group_findings(in_.analysis.findings, {.min_effect_size = in_.options.feature_threshold});
    for (size_t i = 0; i < groups.size() && i < static_cast<size_t>(in_.budget.max_localised_claims); ++i) {
      const Finding& finding = in_.analysis.findings[groups[i].primary];
      const std::vector<std::string>& categories = finding.candidate.categories;
      const CausalTexts texts = causal_texts({categories.begin(), categories.end()});
      const auto seed = static_cast<uint64_t>(in_.options.seed);
      const TransplantScan scan =
          scan_transplants(base_, target_, thinned(texts.test, in_.budget.texts_per_transplant), progress_);
      const CausalReport causes = test_causes(base_, target_, texts, {.seed = seed}, progress_);
      layers_.insert(causes.layer);
      if (!strongest_) strongest_ = causes.layer;
      steering_[fmt::format("change-{}", document.size())] = {.basis = causes.subspace.basis, .step = causes.step};
      const std::vector<std::string> behaviours = behaviours_of(groups[i]);
      changes_.add(categories, behaviours);
      document.push_back(localisation_document(categories, scan, causes, exchanged_answers(finding, scan), seed));
      document.back()["behaviours"] = behaviours;
    }
    write(kLocalisationFile, document);
  }

  std::vector<std::string> behaviours_of(const FindingGroup& group) const {
    const auto id_of = [&](size_t i) { return in_.analysis.findings[i].candidate.detector->words().id; };
    std::vector<std::string> ids = {id_of(group.primary)};
    for (const size_t i : group.supporting) ids.push_back(id_of(i));
    return ids;
  }

  std::vector<TransplantAnswers> exchanged_answers(const Finding& finding, const TransplantScan& scan) const {
    if (scan.first == scan.last) return {};
    const std::vector<std::string>& categories = finding.candidate.categories;
    std::vector<std::string> prompts;
    for (const AnswerPair& pair : in_.analysis.confirmation) {
      if (std::find(categories.begin(), categories.end(), pair.category) != categories.end()) prompts.push_back(pair.prompt);
    }
    return answer_with_exchanged_blocks(
        base_, target_, {scan.first, scan.last}, thinned(prompts, in_.budget.texts_per_transplant), *finding.candidate.detector,
        tokenizer_, {.max_new_tokens = in_.budget.max_new_tokens, .stop_ids = tokenizer_.stop_ids()}, progress_);
  }

  CausalTexts causal_texts(const std::set<std::string>& categories) const {
    const auto select = [&](const std::vector<AnswerPair>& pairs, bool inside, bool with_target) {
      std::vector<TracedText> texts;
      for (const AnswerPair& pair : pairs) {
        if (categories.contains(pair.category) != inside) continue;
        texts.push_back(traced_text(tokenizer_, pair, with_target ? pair.target : pair.base));
      }
      return thinned(texts, in_.budget.texts_per_causal_test);
    };
    return {.fit = select(in_.analysis.discovery, true, true),
            .test = select(in_.analysis.confirmation, true, true),
            .elsewhere = select(in_.analysis.discovery, false, false)};
  }

  // After the layers that carry a change; without one, in the middle of the model.
  void write_directions() {
    if (layers_.empty()) layers_.insert(base_.config().num_layers / 2);
    const std::vector<int64_t> layers(layers_.begin(), layers_.end());
    const std::vector<TracedText> texts = direction_texts();
    const NameSources names(in_.prompts, in_.options, changes_);
    const std::vector<ReadAnswer> answers = names.read_answers(texts, tokenizer_);
    const auto is_special = [&](int32_t id) { return tokenizer_.is_special(id); };
    const OptionalExplainer chat = explainer_for(in_.options, in_.pair.base, in_.pair.target, progress_);
    const Naming naming{names, chat.explainer.get(), static_cast<uint64_t>(in_.options.seed)};
    const CueReader reader{base_, target_, texts, is_special};
    Json document = Json::array();
    for (const PairedRows& rows : capture_rows(base_, target_, texts, layers, is_special, progress_)) {
      for (DirectionEntry& entry : direction_entries({rows, reader, tokenizer_, answers, naming})) {
        add_steering(entry.document.at("id"), entry.step);
        document.push_back(std::move(entry.document));
      }
    }
    write(kDirectionsFile, document);
  }

  void add_steering(const std::string& id, const at::Tensor& step) {
    if (step.norm().item<double>() > 0.0) steering_[id] = along(step);
  }

  // Texts of the triggers beside a sample of all others, so that a name has both to tell apart.
  std::vector<TracedText> direction_texts() const {
    std::vector<AnswerPair> inside, outside;
    for (const AnswerPair& pair : in_.analysis.discovery) {
      const bool triggers = std::any_of(changes_.triggers.begin(), changes_.triggers.end(), [&](const auto& names) {
        return std::find(names.begin(), names.end(), pair.category) != names.end();
      });
      (triggers ? inside : outside).push_back(pair);
    }
    std::vector<TracedText> texts = thinned(texts_of_targets(inside), in_.budget.max_traced_texts / 2);
    for (TracedText& text : thinned(texts_of_targets(outside), in_.budget.max_traced_texts - static_cast<int64_t>(texts.size())))
      texts.push_back(std::move(text));
    return texts;
  }

  const LocateInputs& in_;
  const Decoder& base_;
  const Decoder& target_;
  const Tokenizer& tokenizer_;
  ProgressSink& progress_;
  SteeringMap steering_;
  std::optional<int64_t> strongest_;  // layer after which the strongest change was found, if any was
  std::set<int64_t> layers_;          // after which the residual stream was found to carry a change
  LocatedChanges changes_;
};

}  // namespace

bool has_equal_vocabulary(const ModelPair& pair) {
  return pair.base.decoder.config().vocab_size == pair.target.decoder.config().vocab_size &&
         pair.base.tokenizer->fingerprint() == pair.target.tokenizer->fingerprint();
}

TokenizerPair tokenizers_of(const ModelPair& pair) {
  return {*pair.base.tokenizer, *pair.target.tokenizer, has_equal_vocabulary(pair)};
}

bool has_equal_shape(const ModelPair& pair) {
  const ModelConfig& a = pair.base.decoder.config();
  const ModelConfig& b = pair.target.decoder.config();
  return a.num_layers == b.num_layers && a.d_model == b.d_model && has_equal_vocabulary(pair);
}

void write_layer_evidence(const LocateInputs& inputs, ProgressSink& progress) {
  if (has_equal_shape(inputs.pair)) {
    Locator(inputs, progress).run();
    return;
  }
  const Json map = depth_map_document(inputs, progress);
  write_file_atomically(inputs.folder / kLayersFile, to_pretty_json(map));
  write_file_atomically(inputs.folder / kLocalisationFile, to_pretty_json(Json::array()));
  write_file_atomically(inputs.folder / kDirectionsFile, to_pretty_json(Json::array()));
  write_answer_kl(inputs, progress);
  write_steering(inputs.folder / kSteeringFile, {});
  write_crosscoder_rows(inputs, least_similar_layer(map), progress);
}

}  // namespace fi
