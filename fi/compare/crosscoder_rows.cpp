#include "fi/compare/crosscoder_rows.h"

#include "fi/capture/store_rows.h"
#include "fi/compare/corpus_texts.h"
#include "fi/compare/row_stores.h"
#include "fi/compare/run_files.h"
#include "fi/core/random.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

int64_t num_new_ids(const TracedText& text) { return static_cast<int64_t>(text.ids.size()) - text.num_repeated; }

TracedText text_of_answer(const TokenizerPair& tokenizers, const AnswerPair& pair, const std::string& answer) {
  if (tokenizers.is_one) return traced_text(tokenizers.base, pair, answer);
  return traced_text(align_text(tokenizers.base, tokenizers.target, pair.prompt, answer, pair.category));
}

}  // namespace

TracedText traced_text(const Tokenizer& tokenizer, const AnswerPair& pair, const std::string& answer) {
  TracedText text{.ids = tokenizer.encode_prompt(pair.prompt), .category = pair.category};
  text.answer_start = static_cast<int64_t>(text.ids.size());
  const TokenIds ids = tokenizer.encode(answer, false).ids;
  text.ids.insert(text.ids.end(), ids.begin(), ids.end());
  return text;
}

std::vector<TracedText> crosscoder_texts(const TokenizerPair& tokenizers, const std::vector<const AnswerPair*>& pairs,
                                         int64_t max_tokens, uint64_t seed) {
  std::vector<const AnswerPair*> order = pairs;
  Random random(seed, stream_of("crosscoder texts"));
  random.shuffle(order);
  std::vector<TracedText> texts;
  int64_t num_tokens = 0;
  for (const AnswerPair* pair : order) {
    if (num_tokens >= max_tokens) break;
    texts.push_back(text_of_answer(tokenizers, *pair, pair->target));
    num_tokens += num_new_ids(texts.back());
    if (pair->base == pair->target) continue;
    TracedText other = text_of_answer(tokenizers, *pair, pair->base);
    other.num_repeated = shared_prefix({texts.back(), other});
    num_tokens += num_new_ids(other);
    texts.push_back(std::move(other));
  }
  return texts;
}

void write_crosscoder_rows(const LocateInputs& in, int64_t layer, ProgressSink& progress) {
  make_folder(in.folder / kRowsFolder);
  if (in.budget.crosscoder_tokens == 0) return;
  std::vector<const AnswerPair*> pairs;
  for (const auto* part : {&in.analysis.discovery, &in.analysis.confirmation}) {
    for (const AnswerPair& pair : *part) pairs.push_back(&pair);
  }
  const TokenizerPair tokenizers = tokenizers_of(in.pair);
  const int64_t max_tokens = in.budget.crosscoder_tokens;
  const auto seed = static_cast<uint64_t>(in.options.seed);
  std::vector<TracedText> texts = crosscoder_texts(tokenizers, pairs, max_tokens, seed);
  if (in.corpus) {
    const int64_t max_length =
        std::min(in.pair.base.decoder.config().max_positions, in.pair.target.decoder.config().max_positions);
    texts = mix_texts(std::move(texts), corpus_texts(tokenizers, *in.corpus, {max_tokens, max_length}), max_tokens, seed);
  }
  std::vector<LayerGroup> layers = layers_from_text(in.options.layers);
  if (layers.empty()) layers.push_back({layer});
  for (const LayerGroup& chosen : layers) {
    store_rows(
        in.pair.base.decoder, in.pair.target.decoder, texts, [&](int32_t id) { return tokenizers.base.is_special(id); },
        {.folder = row_store_folder(in.folder, chosen),
         .base = in.pair.base.files.name,
         .target = in.pair.target.files.name,
         .relation = in.pair.relation,
         .tokenizer = tokenizers.base.fingerprint(),
         .target_tokenizer = tokenizers.is_one ? "" : tokenizers.target.fingerprint(),
         .layers = chosen},
        progress);
  }
}

}  // namespace fi
