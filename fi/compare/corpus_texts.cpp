#include "fi/compare/corpus_texts.h"

#include <algorithm>

#include "fi/core/error.h"
#include "fi/core/hash.h"
#include "fi/core/random.h"

namespace fi {
namespace {

// Hardly any text has fewer tokens than one for so many bytes.
constexpr int64_t kBytesPerToken = 16;

int64_t num_ids(const TracedText& text) { return static_cast<int64_t>(text.ids.size()); }

TracedText read_by_both(const TokenizerPair& tokenizers, const CorpusText& text) {
  const Tokenizer& tokenizer = tokenizers.base;
  if (!tokenizers.is_one) return traced_text(align_plain_text(tokenizer, tokenizers.target, text.text, kOwnTexts));
  try {
    const std::string plain = text.messages.empty() ? text.text : tokenizer.render_chat(text.messages, false);
    return {.ids = tokenizer.encode_whole(plain).ids, .category = kOwnTexts};
  } catch (const Error& error) {
    fail(ErrorCode::kInvalid, "[texts] {}: {} Correct or remove it.", text.place, error.what());
  }
}

// Both readings end where the shorter of them would be too long.
void cut(TracedText& text, size_t longest) {
  size_t kept = std::min(text.ids.size(), longest);
  if (text.target) {
    OwnReading& own = *text.target;
    const auto too_far = [&](int32_t partner) { return partner >= static_cast<int32_t>(longest); };
    kept = std::min<size_t>(kept, std::find_if(own.partners.begin(), own.partners.end(), too_far) - own.partners.begin());
    own.partners.resize(kept);
    const auto last = std::max_element(own.partners.begin(), own.partners.end());
    own.ids.resize(last == own.partners.end() ? 0 : static_cast<size_t>(*last + 1));
  }
  text.ids.resize(kept);
}

void note_repeated(std::vector<TracedText>& texts) {
  const int64_t shared = shared_prefix(texts);
  for (TracedText& text : texts) text.num_repeated = std::max(text.num_repeated, shared);
}

/// Moves texts from one list to another while these hold fewer tokens than asked for.
class Taker {
 public:
  explicit Taker(std::vector<TracedText> from) : from_(std::move(from)) {}

  void take(int64_t max_tokens, std::vector<TracedText>& to, int64_t& num_tokens) {
    for (; next_ < from_.size() && num_tokens < max_tokens; ++next_) {
      num_tokens += num_ids(from_[next_]);
      to.push_back(std::move(from_[next_]));
    }
  }

 private:
  std::vector<TracedText> from_;
  size_t next_ = 0;
};

}  // namespace

std::optional<TextCorpus> read_corpus(const CompareOptions& options, const Budget& budget) {
  if (options.texts.empty()) return std::nullopt;
  return sample_texts(options.texts, {.column = options.text_column,
                                      .min_bytes = budget.crosscoder_tokens * kBytesPerToken,
                                      .seed = static_cast<uint64_t>(options.seed)});
}

void check_readable(const TokenizerPair& tokenizers, const TextCorpus& corpus) {
  for (const CorpusText& text : corpus.texts) {
    check(tokenizers.is_one || text.messages.empty(), ErrorCode::kUnsupported,
          "[texts] {} is a chat, and the models have tokenizers and templates of their own; give plain texts, with --text-column "
          "if they are in another field.",
          text.place);
  }
}

std::vector<TracedText> corpus_texts(const TokenizerPair& tokenizers, const TextCorpus& corpus, const CorpusLimits& limits) {
  const auto longest = static_cast<size_t>(std::min(limits.max_length, kTraceTokens));
  check_readable(tokenizers, corpus);
  std::vector<TracedText> chats, plain;
  int64_t num_tokens = 0;
  for (const CorpusText& source : corpus.texts) {
    if (num_tokens >= limits.max_tokens) break;
    TracedText text = read_by_both(tokenizers, source);
    cut(text, longest);
    num_tokens += num_ids(text);
    (source.messages.empty() ? plain : chats).push_back(std::move(text));
  }
  note_repeated(plain);
  note_repeated(chats);
  plain.insert(plain.end(), std::make_move_iterator(chats.begin()), std::make_move_iterator(chats.end()));
  return plain;
}

std::vector<TracedText> mix_texts(std::vector<TracedText> answers, std::vector<TracedText> corpus, int64_t max_tokens,
                                  uint64_t seed) {
  note_repeated(answers);
  Random random(seed, stream_of("crosscoder texts of two kinds"));
  random.shuffle(corpus);
  Taker from_answers(std::move(answers)), from_corpus(std::move(corpus));
  std::vector<TracedText> texts;
  int64_t num_tokens = 0;
  from_corpus.take(max_tokens / 2, texts, num_tokens);
  from_answers.take(max_tokens, texts, num_tokens);
  from_corpus.take(max_tokens, texts, num_tokens);
  random.shuffle(texts);
  return texts;
}

Json corpus_document(const CompareOptions& options, const TextCorpus& corpus) {
  return {{"file", options.texts}, {"sha256", corpus.sha256}, {"column", options.text_column}, {"num_texts", corpus.num_texts}};
}

bool is_same_corpus(const CompareOptions& options, const Json& manifest) {
  if (options.texts.empty()) return true;  // the options themselves are compared elsewhere
  const auto earlier = manifest.find("texts");
  return earlier != manifest.end() && earlier->is_object() && earlier->value("sha256", "") == sha256_of_file(options.texts);
}

}  // namespace fi
