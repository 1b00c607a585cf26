#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fi/io/gguf.h"

namespace fi {

/// The tokenizer that a GGUF file carries in its metadata.
struct GgufVocabulary {
  std::string model;                 // "gpt2": byte-level BPE; "llama": SentencePiece BPE with byte fallback
  std::string pre;                   // how text is cut before BPE: "smollm", "qwen2", ...
  std::vector<std::string> tokens;   // by id
  std::vector<int64_t> token_types;  // by id: 1 normal, 2 unknown, 3 control, 4 user defined, 6 byte
  std::vector<double> scores;        // "llama" only
  std::vector<std::string> merges;   // "left right", best first; "gpt2" only
  std::optional<int64_t> bos_id, eos_id, unknown_id;
  bool add_bos = false;
  bool add_space_prefix = true;  // "llama" only: text begins with a space that is not there
  std::string chat_template;
};

/// kInvalid if arrays disagree in length or type, kUnsupported for a tokenizer model that we do not know.
GgufVocabulary read_gguf_vocabulary(const GgufFile& file);

/// The same tokenizer as a `tokenizer.json` document of Hugging Face tokenizers. kUnsupported for an unknown `pre`.
std::string tokenizer_json_from_gguf(const GgufVocabulary& vocabulary);

}  // namespace fi
