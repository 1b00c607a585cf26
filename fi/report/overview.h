#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fi/claims/report_data.h"

namespace fi {

// Sentences and rows that the page and the Markdown share. Texts come cleaned (see text.h), on one line.

/// The answer in one sentence: the summary's first, if it has a short one, else the first claim's.
std::string headline(const Report& report);
/// What the summary says after the headline; may be empty.
std::string lead(const Report& report);
/// "412 hypotheses tried", "0 verified, 2 suggestive", "1,214 prompts", ...
std::vector<std::string> key_numbers(const Report& report);
/// "an adapter of the base", for the relation chip.
std::string relation_label(const std::string& relation);
/// A model's name for a title: of a path its last part, "/data/models/base.gguf + adapter" -> "base.gguf + adapter".
std::string short_name(const ModelIdentity& model);
/// "30 layers · width 576 · 135 M parameters · llama".
std::string model_line(const ModelIdentity& model);
/// What stands over a report without claims.
std::string no_claim_title(const Report& report);
/// Closing paragraphs: what holds, how far it was tested, what it does not say.
std::vector<std::string> conclusion(const Report& report);
/// What the verdict of a claim stands for in this report, for those who read one for the first time.
std::string verdict_meaning(const Claim& claim, const Report& report);

/// Whether a feature needs no more than its tokens.
std::string token_cue_text(const TokenCueRow& cue);
/// How well a feature's name holds, and whether other seeds find the feature: a line each, of what was measured.
std::vector<std::string> feature_notes(const FeatureRow& feature);
/// How the behaviour of a claim that has it did in sampled answers.
std::string sampled_text(const Claim& claim);

/// What the table of an imported crosscoder analysis does and does not say.
inline constexpr const char* kWeightsNote =
    "Cosine similarity of corresponding weight matrices, as the imported file gives it. It compares weights, not features: it "
    "says "
    "how far a layer moved, not what it does differently.";

/// How models are compared whose layers cannot be subtracted.
inline constexpr const char* kDepthNote =
    "The models differ in shape or tokenizer, so each layer of the target stands beside the base's layer at the same relative "
    "depth. "
    "Similarity is linear CKA of the residual streams over the places of the text at which both have read the same characters: 1 "
    "if "
    "they are equal up to rotation and scale, about 0 if they have nothing in common.";

/// What the race of simple methods against the crosscoder measures.
inline constexpr const char* kRaceNote =
    "After the layer of the strongest change the base gets the target’s values inside the span of a method’s directions, on "
    "prompts that no simple method was made on. Removed is the share of KL(target || base) that goes; told apart is how well the "
    "size of the difference there tells prompts of the change from others (area under the ROC curve: 0.5 by chance, 1 always).";

/// "PCA of the difference, 32 directions".
std::string contestant_label(const BaselineRow& row);

/// Nested JSON as label and text, "rows dropped: norm outliers" -> "17"; for `not_seen` and `settings`.
std::vector<std::pair<std::string, std::string>> flatten(const Json& object);

/// The causal tests of a claim that were run: name and result.
std::vector<std::pair<std::string, CausalTest>> causal_tests(const Claim& claim);

}  // namespace fi
