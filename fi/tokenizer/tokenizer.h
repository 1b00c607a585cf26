#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fi/core/json.h"
#include "fi/hub/model_files.h"

namespace fi {

using TokenIds = std::vector<int32_t>;

struct Encoding {
  TokenIds ids;
  std::vector<std::pair<size_t, size_t>> spans;  // [begin, end) bytes of the text that each id covers
};

/// What a model reads for a user's prompt.
struct PromptEncoding {
  std::string text;   // the rendered template
  Encoding encoding;  // of it
};

struct ChatMessage {
  std::string role;  // "system", "user" or "assistant"
  std::string content;
};

/// Text <-> token ids of one model, with its chat template. Built from tokenizer.json (and its neighbours) or from GGUF metadata.
/// Immutable after construction and safe to share between threads.
class Tokenizer {
 public:
  /// kInvalid for a malformed tokenizer, kUnsupported for a GGUF tokenizer kind that we do not know.
  static Tokenizer load(const ModelFiles& files);
  /// `file` stands in messages. Names of files in `tokenizer_config` are never followed.
  static Tokenizer from_json(std::string_view tokenizer_json, const Json& tokenizer_config, std::string chat_template,
                             std::string file = "tokenizer.json");

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// `add_special` adds what the tokenizer's post-processor adds (BOS, mostly). Special tokens in the text are recognised.
  Encoding encode(std::string_view text, bool add_special) const;
  std::string decode(const TokenIds& ids, bool skip_special) const;
  /// One token as text, for display: bytes that are not UTF-8 by themselves become U+FFFD.
  std::string token_text(int32_t id) const;
  std::optional<int32_t> token_id(std::string_view token) const;
  /// The token as its vocabulary spells it (Ġword, ▁word, <0x0A>); empty for an id that has none.
  std::string vocabulary_entry(int32_t id) const;
  /// One more than the largest id, as ids may have gaps. kInvalid beyond 16,777,216.
  int32_t num_ids() const;
  bool is_special(int32_t id) const;
  int64_t vocab_size() const;
  std::optional<int32_t> bos_id() const;
  /// Ids that end an answer: EOS, end of turn.
  const TokenIds& stop_ids() const;

  bool has_chat_template() const;
  /// Renders the chat template (jinja); without one, the messages' contents joined by newlines, as a base model reads them.
  std::string render_chat(const std::vector<ChatMessage>& messages, bool add_generation_prompt) const;
  /// One user prompt as this model wants to see it, with exactly one BOS where the model has one.
  TokenIds encode_prompt(std::string_view prompt) const;
  /// The same with the text that the ids stand for.
  PromptEncoding encode_rendered(std::string_view prompt) const;
  /// A text that is complete, such as a document or a rendered chat, with exactly one BOS where the model has one.
  Encoding encode_whole(std::string_view text) const;

  /// SHA-256 over vocabulary, merges and special tokens: equal hashes tokenize alike.
  const std::string& fingerprint() const;

 private:
  struct State;
  explicit Tokenizer(std::unique_ptr<State> state);
  void settle_bos(Encoding& encoding) const;
  std::unique_ptr<State> state_;
};

}  // namespace fi
