#pragma once

#include <vector>

#include "fi/capture/aligned_text.h"
#include "fi/capture/answer_pair.h"
#include "fi/compare/locate.h"
#include "fi/tokenizer/tokenizer.h"

namespace fi {

/// The prompt as the model saw it, followed by an answer.
TracedText traced_text(const Tokenizer& tokenizer, const AnswerPair& pair, const std::string& answer);

/// Prompts with the answers of both models, as many as hold `max_tokens` tokens: what a crosscoder is trained on. Both models'
/// answers, so that what only one of them does is there; prompts in random order, so that any part of the rows is a sample of all
/// categories, each in the ids that the models read it in. A prompt's two texts follow one another, and the second has what they
/// begin with marked as repeated: its rows would be those of the first once more, and a dictionary could be measured on rows that
/// it was trained on.
std::vector<TracedText> crosscoder_texts(const TokenizerPair& tokenizers, const std::vector<const AnswerPair*>& pairs,
                                         int64_t max_tokens, uint64_t seed);

/// Writes the rows of both models, over the prompts' texts and the user's own, after `layer`, or after the layers that the
/// options name, to a store each in activations/rows/ (fi/compare/row_stores.h); an empty folder if the budget has no crosscoder.
void write_crosscoder_rows(const LocateInputs& inputs, int64_t layer, ProgressSink& progress);

}  // namespace fi
