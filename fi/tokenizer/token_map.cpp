#include "fi/tokenizer/token_map.h"

#include <cctype>
#include <unordered_map>

namespace fi {
namespace {

/// The printable stand-ins of byte-level vocabularies (Radford et al., 2019) -> the bytes that they stand for.
const std::unordered_map<std::string, char>& byte_alphabet() {
  static const auto alphabet = [] {
    std::unordered_map<std::string, char> table;
    uint32_t next = 256;
    for (uint32_t byte = 0; byte < 256; ++byte) {
      const bool is_plain = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
      const uint32_t shown = is_plain ? byte : next++;
      std::string text;
      if (shown >= 128) text += static_cast<char>(0xc0 | (shown >> 6));
      text += static_cast<char>(shown >= 128 ? 0x80 | (shown & 0x3f) : shown);
      table.emplace(std::move(text), static_cast<char>(byte));
    }
    return table;
  }();
  return alphabet;
}

size_t character_size(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

// As it is where it holds anything outside the alphabet: such tokens were added beside the byte-level ones.
std::string from_byte_level(const std::string& token) {
  std::string bytes;
  for (size_t i = 0; i < token.size(); i += character_size(token[i])) {
    const auto found = byte_alphabet().find(token.substr(i, character_size(token[i])));
    if (found == byte_alphabet().end()) return token;
    bytes += found->second;
  }
  return bytes;
}

std::string from_sentence_piece(const std::string& token) {
  constexpr std::string_view kSpace = "\u2581";
  if (token.size() == 6 && token.starts_with("<0x") && token.ends_with('>') && std::isxdigit(token[3]) && std::isxdigit(token[4]))
    return std::string(1, static_cast<char>(std::stoi(token.substr(3, 2), nullptr, 16)));
  std::string text = token;
  for (size_t at = text.find(kSpace); at != std::string::npos; at = text.find(kSpace, at + 1))
    text.replace(at, kSpace.size(), " ");
  return text;
}

/// Every token by what it stands for; special ones by their own spelling, apart from text that reads the same.
std::vector<std::string> strings_of(const Tokenizer& tokenizer) {
  const bool is_byte_level = tokenizer.token_id("\u0120").has_value();
  const int32_t num_ids = tokenizer.num_ids();  // it goes through the whole vocabulary
  std::vector<std::string> strings;
  for (int32_t id = 0; id < num_ids; ++id) {
    const std::string token = tokenizer.vocabulary_entry(id);
    strings.push_back(tokenizer.is_special(id) ? "special:" + token
                                               : "text:" + (is_byte_level ? from_byte_level(token) : from_sentence_piece(token)));
  }
  return strings;
}

bool is_absent(const std::string& string) { return string.ends_with(':') && string.find(':') + 1 == string.size(); }

}  // namespace

TokenMap map_tokens(const Tokenizer& base, const Tokenizer& target) {
  const std::vector<std::string> from = strings_of(base), to = strings_of(target);
  std::unordered_map<std::string, int32_t> ids;
  for (size_t i = 0; i < to.size(); ++i) {
    if (!is_absent(to[i])) ids.emplace(to[i], static_cast<int32_t>(i));
  }
  TokenMap map{.num_only_target = static_cast<int64_t>(ids.size())};
  for (size_t i = 0; i < from.size(); ++i) {
    if (is_absent(from[i])) continue;
    const auto id = static_cast<int32_t>(i);
    if (i < to.size() && !is_absent(to[i]) && to[i] != from[i])
      map.swaps.push_back({id, base.vocabulary_entry(id), target.vocabulary_entry(id)});
    const auto found = ids.find(from[i]);
    if (found == ids.end()) {
      ++map.num_only_base;
      continue;
    }
    map.base.push_back(id);
    map.target.push_back(found->second);
    ids.erase(found);  // a string that occurs twice is paired once
    --map.num_only_target;
  }
  return map;
}

}  // namespace fi
