#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fi/capture/aligned_text.h"
#include "fi/compare/budget.h"
#include "fi/prompts/text_corpus.h"

namespace fi {

/// What stands in the place of a prompt category with texts of the user's own.
inline constexpr const char* kOwnTexts = "own_texts";

/// The texts that --texts names, as many as the budget can need, in random order; nothing without the option. Errors as
/// `sample_texts`.
std::optional<TextCorpus> read_corpus(const CompareOptions& options, const Budget& budget);

/// kUnsupported for a chat where the models' tokenizers differ: each has a template of its own.
void check_readable(const TokenizerPair& tokenizers, const TextCorpus& corpus);

struct CorpusLimits {
  int64_t max_tokens = 0;  // of all texts together
  int64_t max_length = 0;  // of one, in ids: that of the model; longer texts end there, or after kTraceTokens
};

/// Texts of a corpus as both models read them, chats through the model's template. kInvalid, with file and place, for a chat that
/// the template refuses; kUnsupported as check_readable.
std::vector<TracedText> corpus_texts(const TokenizerPair& tokenizers, const TextCorpus& corpus, const CorpusLimits& limits);

/// Texts of `answers` and of `corpus` in random order, as many as hold `max_tokens`: half of the tokens from each, and more from
/// one where the other has less. Each kind knows what all its texts begin with.
std::vector<TracedText> mix_texts(std::vector<TracedText> answers, std::vector<TracedText> corpus, int64_t max_tokens,
                                  uint64_t seed);

/// What the manifest says about the corpus: file, SHA-256, field, number of texts.
Json corpus_document(const CompareOptions& options, const TextCorpus& corpus);
/// True if the run with this manifest read the bytes that --texts names now.
bool is_same_corpus(const CompareOptions& options, const Json& manifest);

}  // namespace fi
