#include "fi/behaviour/language.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "fi/behaviour/unicode.h"
#include "fi/core/json.h"
#include "rust/cpp/language.h"

namespace fi {

namespace embedded {
extern const std::map<std::string, std::string_view> behaviour_data;
}

namespace {

constexpr double kSureShare = 0.12;  // of the words, weighted by how few languages share them
constexpr double kSureLead = 1.3;
constexpr double kSomeShare = 0.08;
constexpr size_t kTrigramBytes = 1024;

struct FunctionWords {
  std::vector<std::string> languages;
  std::unordered_map<std::string, std::vector<size_t>> languages_of_word;
};

const FunctionWords& function_words() {
  static const FunctionWords words = [] {
    FunctionWords loaded;
    const Json lists = parse_json(embedded::behaviour_data.at("function_words.json"), "behaviour", "the built-in function words");
    for (const auto& [language, list] : lists.items()) {
      for (const Word& word : split_words(list.get<std::string>())) {
        loaded.languages_of_word[word.text].push_back(loaded.languages.size());
      }
      loaded.languages.push_back(language);
    }
    return loaded;
  }();
  return words;
}

enum Script {
  kLatin,
  kCyrillic,
  kArabic,
  kDevanagari,
  kBengali,
  kTamil,
  kGreek,
  kHebrew,
  kThai,
  kHangul,
  kKana,
  kHan,
  kOther,
  kNumScripts
};

Script script_of(char32_t c) {
  if (c < 0x370 || (c >= 0x1E00 && c <= 0x1EFF)) return kLatin;
  if (c <= 0x3FF || (c >= 0x1F00 && c <= 0x1FFF)) return kGreek;
  if (c >= 0x400 && c <= 0x52F) return kCyrillic;
  if (c >= 0x590 && c <= 0x5FF) return kHebrew;
  if (c >= 0x600 && c <= 0x6FF) return kArabic;
  if (c >= 0x900 && c <= 0x97F) return kDevanagari;
  if (c >= 0x980 && c <= 0x9FF) return kBengali;
  if (c >= 0xB80 && c <= 0xBFF) return kTamil;
  if (c >= 0xE00 && c <= 0xE7F) return kThai;
  if ((c >= 0x1100 && c <= 0x11FF) || (c >= 0xAC00 && c <= 0xD7AF)) return kHangul;
  if (c >= 0x3041 && c <= 0x30FF) return kKana;
  if (c >= 0x3400 && c <= 0x9FFF) return kHan;
  return kOther;
}

// Letters of one script weigh as much of a word as they usually write: one Han letter is most of a word.
std::array<double, kNumScripts> script_weights(std::string_view text) {
  std::array<double, kNumScripts> weights{};
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (!is_letter(c)) continue;
    const Script script = script_of(c);
    weights[script] += script == kHan ? 3.0 : script == kKana || script == kHangul ? 2.0 : 1.0;
  }
  return weights;
}

bool contains_any(std::string_view text, std::initializer_list<std::string_view> letters) {
  return std::any_of(letters.begin(), letters.end(), [&](std::string_view l) { return text.find(l) != std::string_view::npos; });
}

std::string language_of_script(Script script, std::string_view text) {
  switch (script) {
    case kArabic:
      return contains_any(text, {"پ", "چ", "ژ", "گ", "ی"}) ? (contains_any(text, {"ٹ", "ڈ", "ے"}) ? "urd" : "pes") : "ara";
    case kDevanagari: return "hin";
    case kBengali: return "ben";
    case kTamil: return "tam";
    case kGreek: return "ell";
    case kHebrew: return "heb";
    case kThai: return "tha";
    case kHangul: return "kor";
    case kKana: return "jpn";
    case kHan: return "cmn";
    default: return "";
  }
}

struct LanguageScores {
  size_t best = 0;
  double best_share = 0.0;
  double second_share = 0.0;
};

// "l'eau" counts for its first part, "l'", where the whole is no function word.
const std::vector<size_t>* languages_of(const std::string& word) {
  const auto& table = function_words().languages_of_word;
  auto found = table.find(word);
  if (found == table.end()) {
    const size_t apostrophe = word.find('\'');
    if (apostrophe == std::string::npos || apostrophe > 2) return nullptr;
    found = table.find(word.substr(0, apostrophe));
  }
  return found == table.end() ? nullptr : &found->second;
}

LanguageScores score_languages(const std::vector<Word>& words) {
  std::vector<double> scores(function_words().languages.size(), 0.0);
  for (const Word& word : words) {
    const std::vector<size_t>* languages = languages_of(word.text);
    if (languages == nullptr) continue;
    for (const size_t language : *languages) scores[language] += 1.0 / static_cast<double>(languages->size());
  }
  LanguageScores result;
  result.best = static_cast<size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  const double scale = 1.0 / static_cast<double>(std::max<size_t>(words.size(), 1));
  result.best_share = scores[result.best] * scale;
  scores[result.best] = 0.0;
  result.second_share = *std::max_element(scores.begin(), scores.end()) * scale;
  return result;
}

std::string language_of_words(std::string_view prose, const std::vector<Word>& words) {
  const LanguageScores scores = score_languages(words);
  const std::string& best = function_words().languages[scores.best];
  const double hits = scores.best_share * static_cast<double>(words.size());
  if (scores.best_share >= kSureShare && scores.best_share >= kSureLead * scores.second_share && hits >= 1.5) return best;
  if (words.size() >= 4) {
    const auto detected = detect_language(prose.substr(0, kTrigramBytes));
    if (detected && detected->reliable) return detected->code;
  }
  return scores.best_share >= kSomeShare && hits >= 1.5 && scores.best_share > scores.second_share ? best : "";
}

}  // namespace

std::string language_of(std::string_view prose, const std::vector<Word>& words) {
  const auto weights = script_weights(prose);
  double total = 0.0;
  for (const double weight : weights) total += weight;
  if (total < 4.0) return "";
  const auto top = static_cast<Script>(std::max_element(weights.begin(), weights.end()) - weights.begin());
  if (weights[kKana] + weights[kHan] > 0.5 * total && weights[kKana] >= 0.1 * (weights[kKana] + weights[kHan])) return "jpn";
  if (weights[top] < 0.5 * total) return "";
  if (top == kLatin || top == kCyrillic || top == kOther) return language_of_words(prose, words);
  return language_of_script(top, prose);
}

bool is_function_word(std::string_view word) { return languages_of(std::string(word)) != nullptr; }

}  // namespace fi
