#include "fi/tokenizer/gguf_vocabulary.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "fi/core/error.h"
#include "fi/core/json.h"

namespace fi {
namespace {

enum TokenType : int64_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kByte = 6 };

constexpr const char* kSpace = "\u2581";

std::optional<int64_t> optional_id(const GgufFile& file, const std::string& key, size_t vocab_size) {
  if (!file.has(key)) return std::nullopt;
  const int64_t id = file.get_int(key);
  check(id >= 0 && static_cast<size_t>(id) < vocab_size, ErrorCode::kInvalid,
        "[tokenizer] {}: {} is {}, but there are {} tokens.", file.path().string(), key, id, vocab_size);
  return id;
}

Json byte_level(bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

Json split_by(const char* pattern) {
  return {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
}

Json sequence(Json first, Json second) {
  return {{"type", "Sequence"}, {"pretokenizers", Json::array({std::move(first), std::move(second)})}};
}

/// How text is cut into words before BPE, by the name that GGUF gives it.
const std::map<std::string, Json>& pre_tokenizers() {
  constexpr const char* kQwen2 =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  constexpr const char* kLlama3 =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  static const Json qwen2 = sequence(split_by(kQwen2), byte_level(false));
  static const Json llama3 = sequence(split_by(kLlama3), byte_level(false));
  static const Json gpt2 = byte_level(true);
  static const std::map<std::string, Json> table = {
      {"smollm", sequence({{"type", "Digits"}, {"individual_digits", true}}, byte_level(true))},
      {"qwen2", qwen2},
      {"deepseek-r1-qwen", qwen2},
      {"llama-bpe", llama3},
      {"llama3", llama3},
      {"llama-v3", llama3},
      {"dbrx", llama3},
      {"smaug-bpe", llama3},
      {"gpt-2", gpt2},
      {"olmo", gpt2},
      {"phi-2", gpt2},
      {"default", gpt2},
  };
  return table;
}

// Llama 3 takes a word that is a token as it is, and begins every text with BOS although its files need not say so.
bool is_llama3(const GgufVocabulary& vocabulary) {
  return vocabulary.pre == "llama-bpe" || vocabulary.pre == "llama3" || vocabulary.pre == "llama-v3";
}

Json pre_tokenizer_for(const std::string& pre) {
  const auto found = pre_tokenizers().find(pre);
  if (found != pre_tokenizers().end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [name, json] : pre_tokenizers()) known.push_back(name);
  fail(ErrorCode::kUnsupported,
       "[tokenizer] GGUF pre-tokenizer '{}' is not supported; supported are {}. Use a folder with tokenizer.json.", pre,
       fmt::join(known, ", "));
}

Json added_tokens(const GgufVocabulary& vocabulary) {
  Json added = Json::array();
  for (size_t id = 0; id < vocabulary.token_types.size(); ++id) {
    const int64_t type = vocabulary.token_types[id];
    if (type != kControl && type != kUserDefined) continue;
    added.push_back({{"id", id},
                     {"content", vocabulary.tokens[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", type == kControl}});
  }
  return added;
}

// Appended directly: insertion into an object that keeps its order searches for duplicates, in quadratic time over a vocabulary.
Json vocabulary_map(const GgufVocabulary& vocabulary) {
  Json map = Json::object();
  auto& entries = static_cast<Json::object_t::Container&>(map.get_ref<Json::object_t&>());
  entries.reserve(vocabulary.tokens.size());
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) entries.emplace_back(vocabulary.tokens[id], id);
  return map;
}

// SentencePiece ranks merges by the score of the token that they make. Ties keep the order of ids.
std::vector<std::pair<std::string, std::string>> merges_from_scores(const GgufVocabulary& vocabulary) {
  std::unordered_map<std::string_view, size_t> ids;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) ids.emplace(vocabulary.tokens[id], id);
  struct Merge {
    double score;
    size_t left, right;
  };
  std::vector<Merge> merges;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (!vocabulary.token_types.empty() && vocabulary.token_types[id] != kNormal && vocabulary.token_types[id] != kUserDefined)
      continue;
    const std::string_view token = vocabulary.tokens[id];
    std::vector<Merge> local;
    for (size_t cut = 1; cut < token.size(); ++cut) {
      if ((static_cast<unsigned char>(token[cut]) & 0xC0) == 0x80) continue;  // inside a character
      const auto left = ids.find(token.substr(0, cut)), right = ids.find(token.substr(cut));
      if (left != ids.end() && right != ids.end()) local.push_back({vocabulary.scores[id], left->second, right->second});
    }
    std::sort(local.begin(), local.end(),
              [](const Merge& a, const Merge& b) { return std::pair(a.left, a.right) < std::pair(b.left, b.right); });
    merges.insert(merges.end(), local.begin(), local.end());
  }
  std::stable_sort(merges.begin(), merges.end(), [](const Merge& a, const Merge& b) { return a.score > b.score; });
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const Merge& merge : merges) pairs.emplace_back(vocabulary.tokens[merge.left], vocabulary.tokens[merge.right]);
  return pairs;
}

Json post_processor(const GgufVocabulary& vocabulary) {
  if (!vocabulary.add_bos || !vocabulary.bos_id) return nullptr;
  const std::string& bos = vocabulary.tokens[static_cast<size_t>(*vocabulary.bos_id)];
  const Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const Json start = {{"SpecialToken", {{"id", bos}, {"type_id", 0}}}};
  return {{"type", "TemplateProcessing"},
          {"single", Json::array({start, text})},
          {"pair", Json::array({start, text, {{"Sequence", {{"id", "B"}, {"type_id", 0}}}}})},
          {"special_tokens", {{bos, {{"id", bos}, {"ids", {*vocabulary.bos_id}}, {"tokens", {bos}}}}}}};
}

Json byte_level_document(const GgufVocabulary& vocabulary) {
  Json merges = Json::array();
  for (const std::string& merge : vocabulary.merges) merges.push_back(merge);
  return {{"version", "1.0"},
          {"added_tokens", added_tokens(vocabulary)},
          {"normalizer", vocabulary.pre == "qwen2" ? Json{{"type", "NFC"}} : Json(nullptr)},
          {"pre_tokenizer", pre_tokenizer_for(vocabulary.pre)},
          {"post_processor", post_processor(vocabulary)},
          {"decoder", byte_level(true)},
          {"model",
           {{"type", "BPE"},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", is_llama3(vocabulary)},
            {"vocab", vocabulary_map(vocabulary)},
            {"merges", merges}}}};
}

Json sentence_piece_document(const GgufVocabulary& vocabulary) {
  Json merges = Json::array();
  for (const auto& [left, right] : merges_from_scores(vocabulary)) merges.push_back({left, right});
  const Json unknown =
      vocabulary.unknown_id ? Json(vocabulary.tokens[static_cast<size_t>(*vocabulary.unknown_id)]) : Json(nullptr);
  Json normalizer = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSpace}};
  Json decoders = {
      {{"type", "Replace"}, {"pattern", {{"String", kSpace}}}, {"content", " "}}, {{"type", "ByteFallback"}}, {{"type", "Fuse"}}};
  if (vocabulary.add_space_prefix) {
    normalizer = {{"type", "Sequence"}, {"normalizers", {{{"type", "Prepend"}, {"prepend", kSpace}}, normalizer}}};
    decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  return {{"version", "1.0"},
          {"added_tokens", added_tokens(vocabulary)},
          {"normalizer", normalizer},
          {"pre_tokenizer", nullptr},
          {"post_processor", post_processor(vocabulary)},
          {"decoder", {{"type", "Sequence"}, {"decoders", decoders}}},
          {"model",
           {{"type", "BPE"},
            {"unk_token", unknown},
            {"fuse_unk", true},
            {"byte_fallback", true},
            {"vocab", vocabulary_map(vocabulary)},
            {"merges", merges}}}};
}

}  // namespace

GgufVocabulary read_gguf_vocabulary(const GgufFile& file) {
  GgufVocabulary vocabulary;
  vocabulary.model = file.get_string("tokenizer.ggml.model");
  check(vocabulary.model == "gpt2" || vocabulary.model == "llama", ErrorCode::kUnsupported,
        "[tokenizer] {} has tokenizer model '{}', supported are gpt2 and llama; use a folder with tokenizer.json.",
        file.path().string(), vocabulary.model);
  vocabulary.pre = file.has("tokenizer.ggml.pre") ? file.get_string("tokenizer.ggml.pre") : "default";
  vocabulary.tokens = file.get_strings("tokenizer.ggml.tokens");
  if (file.has("tokenizer.ggml.token_type")) vocabulary.token_types = file.get_ints("tokenizer.ggml.token_type");
  check(vocabulary.token_types.empty() || vocabulary.token_types.size() == vocabulary.tokens.size(), ErrorCode::kInvalid,
        "[tokenizer] {}: {} token types for {} tokens; re-convert it.", file.path().string(), vocabulary.token_types.size(),
        vocabulary.tokens.size());
  if (vocabulary.model == "gpt2") vocabulary.merges = file.get_strings("tokenizer.ggml.merges");
  if (vocabulary.model == "llama") vocabulary.scores = file.get_doubles("tokenizer.ggml.scores");
  check(vocabulary.model != "llama" || vocabulary.scores.size() == vocabulary.tokens.size(), ErrorCode::kInvalid,
        "[tokenizer] {}: {} scores for {} tokens; re-convert it.", file.path().string(), vocabulary.scores.size(),
        vocabulary.tokens.size());
  const size_t size = vocabulary.tokens.size();
  vocabulary.bos_id = optional_id(file, "tokenizer.ggml.bos_token_id", size);
  vocabulary.eos_id = optional_id(file, "tokenizer.ggml.eos_token_id", size);
  vocabulary.unknown_id = optional_id(file, "tokenizer.ggml.unknown_token_id", size);
  vocabulary.add_bos = file.get_bool("tokenizer.ggml.add_bos_token", vocabulary.model == "llama" || is_llama3(vocabulary));
  vocabulary.add_space_prefix = file.get_bool("tokenizer.ggml.add_space_prefix", true);
  if (file.has("tokenizer.chat_template")) vocabulary.chat_template = file.get_string("tokenizer.chat_template");
  return vocabulary;
}

std::string tokenizer_json_from_gguf(const GgufVocabulary& vocabulary) {
  const Json document = vocabulary.model == "gpt2" ? byte_level_document(vocabulary) : sentence_piece_document(vocabulary);
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace fi
