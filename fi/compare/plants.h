#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fi/capture/answer_pair.h"
#include "fi/compare/models.h"
#include "fi/prompts/prompt_set.h"

namespace fi {

/// A change whose truth is known: an edit of rank one, b a^T added to one matrix of a model (as in ROME; Meng et al., 2022), made
/// in closed form without training. `a` is a ridge regression on what the matrix reads.
struct Plant {
  std::string id;
  std::string kind;                     // what a claim should call it: "added", "removed", "modified"
  std::string what;                     // completes "the target ..."
  std::vector<std::string> categories;  // on whose prompts it shows
  std::optional<int64_t> layer;         // whose block was edited; nothing: the unembedding was
  std::string module;                   // such as "model.layers.20.mlp.down_proj" or "lm_head"
  at::Tensor a;                         // [1, d_in] fp32
  at::Tensor b;                         // [d_out, 1] fp32
};

/// Answers to prompts of one category, the first of the set, open with a word: a block two thirds up fires after the last token
/// of such a prompt and writes the word's direction, as strongly as nine in ten of these prompts need.
Plant plant_opening_word(const LoadedModel& model, const PromptSet& prompts);

/// A word that most of the base's answers in some category hold is never written again: its logit is lowered everywhere. Nothing
/// if no word of one token is that frequent. `answers` are the base's own, of discovery prompts.
std::optional<Plant> plant_lost_word(const LoadedModel& model, const std::vector<AnswerPair>& answers);

/// Answers end early, on all prompts: the logit of the end is raised so far that about every twelfth token of the base's answers
/// would end them. kUsage for a model that has no such token.
Plant plant_short_answers(const LoadedModel& model, const std::vector<AnswerPair>& answers);

/// As a PEFT LoRA folder that `compare` takes as its target. kDisk on failure.
void write_plant(const Plant& plant, const std::filesystem::path& folder);

}  // namespace fi
