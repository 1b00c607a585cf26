#pragma once

#include <string>
#include <vector>

#include "fi/tokenizer/tokenizer.h"

namespace fi {

/// An id that stands for one string in the base and for another in the target, each as its vocabulary spells it.
struct IdSwap {
  int32_t id = 0;
  std::string base;
  std::string target;
};

/// Which tokens of two tokenizers are the same string. An id has no meaning outside its tokenizer: distillations of a model often
/// give its ids to other strings.
struct TokenMap {
  TokenIds base;  // ids of the strings that both have, in the order of the base's ids
  TokenIds target;
  std::vector<IdSwap> swaps;  // in the order of ids
  int64_t num_only_base = 0;  // strings that the other has not
  int64_t num_only_target = 0;

  /// Every string of either is in both, under the same id.
  bool is_identity() const { return num_only_base == 0 && num_only_target == 0 && swaps.empty(); }
};

/// Byte-level and SentencePiece spellings of a string (Ġword, ▁word) count as the same.
TokenMap map_tokens(const Tokenizer& base, const Tokenizer& target);

}  // namespace fi
