#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fi/tokenizer/tokenizer.h"

namespace fi {

/// One text of a corpus: plain, or a chat that a model's template turns into text.
struct CorpusText {
  std::string text;                   // empty for a chat
  std::vector<ChatMessage> messages;  // empty for a plain text
  std::string place;                  // "line 3 of corpus.jsonl", for messages of errors
};

/// Calls `take` for every text of a file, in order; memory does not grow with the file. By the end of its name a file is
/// - .jsonl, .ndjson or .json: JSON lines with a field `column`;
/// - .parquet: Parquet with a column `column` (uncompressed, Snappy, gzip or Zstandard);
/// - anything else: plain text, its texts parted by empty lines; where it has none, each line is a text.
/// A field is a text or a list of chat messages {"role": ..., "content": ...}; where `column` is "text", as by default, and
/// absent, `messages` is taken. Empty texts are left out, and plain texts end after 32 KiB. kNotFound without the file; kInvalid,
/// with file and place, for malformed lines, absent fields, other types, text that is not UTF-8 and damaged Parquet.
void for_each_text(const std::filesystem::path& path, const std::string& column, const std::function<void(CorpusText)>& take);

/// A random sample of a file of texts.
struct TextCorpus {
  std::vector<CorpusText> texts;  // in random order
  int64_t num_texts = 0;          // in the whole file
  std::string sha256;             // of the file
};

struct TextSample {
  std::string column = "text";
  int64_t min_bytes = 0;  // the sample ends with the text that reaches this
  uint64_t seed = 0;
};

/// Reads a file as `for_each_text` does and keeps a uniform sample; memory grows with the sample alone. kInvalid if the file
/// holds no text.
TextCorpus sample_texts(const std::filesystem::path& path, const TextSample& sample);

}  // namespace fi
