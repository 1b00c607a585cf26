#pragma once

#include <string>
#include <vector>

#include "fi/capture/traced_text.h"
#include "fi/tokenizer/alignment.h"
#include "fi/tokenizer/tokenizer.h"

namespace fi {

/// A prompt with an answer as each of two models reads it: in its own chat template and its own ids. Where models of one
/// tokenizer and template read it, every token has a partner.
struct AlignedText {
  TracedText base;
  TracedText target;
  std::vector<AlignedPosition> positions;    // tokens after which both have read the same bytes of prompt and answer
  std::vector<AlignedPosition> predictions;  // tokens whose next token is of the answer and covers the same bytes in both
  size_t num_bytes = 0;                      // of prompt and answer
  size_t num_bytes_covered = 0;              // of them, up to the last shared boundary of each
};

/// The tokenizers of two models, and whether these read the same ids.
struct TokenizerPair {
  const Tokenizer& base;
  const Tokenizer& target;
  bool is_one = true;
};

/// What the templates add has no partner; a template that trims the prompt loses the trimmed bytes only.
AlignedText align_text(const Tokenizer& base, const Tokenizer& target, const std::string& prompt, const std::string& answer,
                       const std::string& category);

/// The same of a text by itself, without a template.
AlignedText align_plain_text(const Tokenizer& base, const Tokenizer& target, const std::string& text,
                             const std::string& category);

/// The text as rows are stored of it (fi/capture/store_rows.h).
TracedText traced_text(const AlignedText& text);

}  // namespace fi
