#include "fi/compare/depth.h"

#include <fmt/format.h>

#include "fi/core/hash.h"
#include "fi/diff/depth_map.h"

namespace fi {
namespace {

constexpr size_t kShownSwaps = 12;
constexpr size_t kShownIds = 24;

Json side_document(const LoadedModel& model, const std::string& first_prompt) {
  const PromptEncoding read = model.tokenizer->encode_rendered(first_prompt);
  TokenIds ids = read.encoding.ids;
  ids.resize(std::min(ids.size(), kShownIds));
  Json side = {{"first_ids", ids},
               {"has_chat_template", model.tokenizer->has_chat_template()},
               {"first_prompt_as_read_sha256", sha256_of_bytes(read.text)},
               {"num_ids", model.tokenizer->num_ids()}};
  side["bos_id"] = model.tokenizer->bos_id() ? Json(*model.tokenizer->bos_id()) : Json(nullptr);
  return side;
}

}  // namespace

Json depth_map_document(const LocateInputs& inputs, ProgressSink& progress) {
  const LoadedModel &base = inputs.pair.base, &target = inputs.pair.target;
  std::vector<AlignedText> texts;
  for (const AnswerPair& pair : thinned(inputs.analysis.discovery, inputs.budget.max_traced_texts))
    texts.push_back(align_text(*base.tokenizer, *target.tokenizer, pair.prompt, pair.target, pair.category));
  const TokenMap tokens = map_tokens(*base.tokenizer, *target.tokenizer);
  const DepthMap map = compare_depths(base.decoder, target.decoder, tokens, texts, progress);
  Json pairs = Json::array(), categories = Json::array();
  for (const DepthRow& row : map.layers) {
    pairs.push_back({{"target_layer", row.target_layer},
                     {"base_layer", row.base_layer},
                     {"similarity", row.similarity},
                     {"base_norm", row.base_norm},
                     {"target_norm", row.target_norm}});
  }
  for (const CategoryKl& category : map.categories)
    categories.push_back({{"category", category.category}, {"token_kl", category.token_kl}, {"num_tokens", category.num_tokens}});
  return {{"depth_pairs", pairs},
          {"categories", categories},
          {"token_kl", map.token_kl},
          {"num_predictions", map.num_predictions},
          {"num_answer_tokens", map.num_answer_tokens},
          {"num_rows", map.num_rows},
          {"share_covered", map.share_covered}};
}

int64_t least_similar_layer(const Json& depth_map) {
  // The first layers still hold the tokens, and the last ones the next token: there models differ as their vocabularies do.
  const Json& layers = depth_map.at("depth_pairs");
  const auto similarity = [&](size_t layer) { return layers[layer].at("similarity").get<double>(); };
  size_t least = layers.size() / 4;
  for (size_t layer = least; layer < layers.size() - layers.size() / 4; ++layer) {
    if (similarity(layer) < similarity(least)) least = layer;
  }
  return layers.at(least).at("target_layer").get<int64_t>();
}

Json tokenizer_document(const ModelPair& pair, const std::string& first_prompt) {
  const TokenMap map = map_tokens(*pair.base.tokenizer, *pair.target.tokenizer);
  Json swaps = Json::array();
  for (size_t i = 0; i < std::min(map.swaps.size(), kShownSwaps); ++i)
    swaps.push_back({{"id", map.swaps[i].id}, {"base", map.swaps[i].base}, {"target", map.swaps[i].target}});
  return {{"base", side_document(pair.base, first_prompt)},
          {"target", side_document(pair.target, first_prompt)},
          {"equal", map.is_identity()},
          {"num_common", map.base.size()},
          {"num_only_base", map.num_only_base},
          {"num_only_target", map.num_only_target},
          {"num_ids_with_other_strings", map.swaps.size()},
          {"ids_with_other_strings", swaps}};
}

Json depth_notes(const Json& manifest, const Json& layers) {
  Json notes = Json::object();
  notes["layers"] =
      "the models differ in depth, width, vocabulary or tokenizer: layers are matched by relative depth and compared by "
      "similarity; "
      "weights cannot be subtracted, and no block of one fits into the other, so that no claim has a layer or a causal test";
  notes["text read at the same place by both models"] = fmt::format(
      "{:.1f}% of the bytes, {} positions", 100.0 * layers.value("share_covered", 0.0), layers.value("num_rows", int64_t{0}));
  notes["token KL, target from base"] = layers.value("token_kl", 0.0);
  notes["answer tokens that both predict at the same place"] =
      fmt::format("{} of {}", layers.value("num_predictions", int64_t{0}), layers.value("num_answer_tokens", int64_t{0}));
  const Json tokenizers = manifest.value("tokenizers", Json::object());
  if (tokenizers.value("equal", true)) return notes;
  notes["tokenizers"] = fmt::format(
      "{} tokens are the same string in both, {} are the base's alone, {} the target's; {} ids stand for other strings, "
      "and were compared as strings; token KL counts all strings that only one has as one event",
      tokenizers.value("num_common", int64_t{0}), tokenizers.value("num_only_base", int64_t{0}),
      tokenizers.value("num_only_target", int64_t{0}), tokenizers.value("num_ids_with_other_strings", int64_t{0}));
  return notes;
}

}  // namespace fi
