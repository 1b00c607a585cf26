#include "fi/prompts/text_corpus.h"

#include <map>

#include "fi/core/error.h"
#include "fi/core/hash.h"
#include "fi/core/random.h"
#include "fi/prompts/corpus_file.h"

namespace fi {
namespace {

int64_t num_bytes(const CorpusText& text) {
  size_t bytes = text.text.size();
  for (const ChatMessage& message : text.messages) bytes += message.content.size();
  return static_cast<int64_t>(bytes);
}

/// Keeps the texts with the smallest of random keys: a uniform sample, in the order of the keys a random order.
class Sampler {
 public:
  explicit Sampler(const TextSample& sample) : min_bytes_(sample.min_bytes), random_(sample.seed, stream_of("text corpus")) {}

  void add(CorpusText text) {
    ++num_texts_;
    bytes_ += num_bytes(text);
    kept_.emplace(random_.next_u64(), std::move(text));
    while (kept_.size() > 1 && bytes_ - num_bytes(kept_.rbegin()->second) >= min_bytes_) {
      bytes_ -= num_bytes(kept_.rbegin()->second);
      kept_.erase(std::prev(kept_.end()));
    }
  }

  TextCorpus finish() {
    TextCorpus corpus{.num_texts = num_texts_};
    for (auto& [key, text] : kept_) corpus.texts.push_back(std::move(text));
    return corpus;
  }

 private:
  int64_t min_bytes_;
  Random random_;
  std::multimap<uint64_t, CorpusText> kept_;
  int64_t bytes_ = 0;
  int64_t num_texts_ = 0;
};

}  // namespace

void for_each_text(const std::filesystem::path& path, const std::string& column, const std::function<void(CorpusText)>& take) {
  check(std::filesystem::is_regular_file(path), ErrorCode::kNotFound,
        "[texts] {} is not a file; give JSON lines, Parquet or plain text.", path.string());
  const std::string end = path.extension().string();
  if (end == ".parquet") return read_parquet_texts(path, column, take);
  if (end == ".jsonl" || end == ".ndjson" || end == ".json") return read_json_texts(path, column, take);
  read_plain_texts(path, take);
}

TextCorpus sample_texts(const std::filesystem::path& path, const TextSample& sample) {
  Sampler sampler(sample);
  for_each_text(path, sample.column, [&](CorpusText text) { sampler.add(std::move(text)); });
  TextCorpus corpus = sampler.finish();
  check(corpus.num_texts > 0, ErrorCode::kInvalid, "[texts] {} holds no text; give at least one.", path.string());
  corpus.sha256 = sha256_of_file(path);
  return corpus;
}

}  // namespace fi
