#include "fi/behaviour/ngrams.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "fi/behaviour/language.h"
#include "fi/behaviour/text_view.h"
#include "fi/behaviour/unicode.h"

namespace fi {
namespace {

constexpr size_t kMaxWords = 4;
constexpr size_t kMaxWordsOfAnswer = 2'000;
constexpr double kPriorDocuments = 2.0;
constexpr double kSmallestPrior = 0.5;  // of a phrase seen nowhere else: less would let an absent phrase have any variance

using Gram = std::array<uint32_t, kMaxWords>;  // word ids, 0 behind the last

struct GramHash {
  size_t operator()(const Gram& gram) const {
    uint64_t hash = 0;
    for (const uint32_t id : gram) hash = (hash ^ id) * 0x9E3779B97F4A7C15ULL + (hash >> 29);
    return hash;
  }
};

struct Postings {
  std::vector<uint32_t> base;
  std::vector<uint32_t> target;
};

class PhraseCounter {
 public:
  std::unordered_set<Gram, GramHash> grams_of(std::string_view text) {
    const auto view = view_of(text);
    const std::vector<Word>& words = view->words();
    const size_t size = std::min(words.size(), kMaxWordsOfAnswer);
    std::unordered_set<Gram, GramHash> grams;
    for (size_t i = 0; i < size; ++i) {
      Gram gram{};
      for (size_t n = 0; n < kMaxWords && i + n < size; ++n) {
        if (n > 0 && words[i + n].starts_segment) break;
        gram[n] = id_of(words[i + n].text);
        grams.insert(gram);
      }
    }
    return grams;
  }

  std::string text_of(const Gram& gram) const {
    std::string text;
    for (const uint32_t id : gram) {
      if (id == 0) break;
      const std::string& word = words_[id - 1];
      size_t first = 0;
      const bool glued = !text.empty() && is_unspaced_letter(next_code_point(word, first));
      text += text.empty() || glued ? word : ' ' + word;
    }
    return text;
  }

  bool has_content(const Gram& gram) const {
    return std::any_of(gram.begin(), gram.end(), [&](uint32_t id) { return id != 0 && is_content_[id - 1]; });
  }

 private:
  uint32_t id_of(const std::string& raw) {
    const std::string word = with_numbers_masked(raw);
    const auto [entry, is_new] = ids_.emplace(word, static_cast<uint32_t>(words_.size() + 1));
    if (is_new) {
      words_.push_back(word);
      is_content_.push_back(!is_function_word(word) && word.size() > 1 && word.find_first_not_of("#.,_") != std::string::npos);
    }
    return entry->second;
  }

  std::unordered_map<std::string, uint32_t> ids_;
  std::vector<std::string> words_;
  std::vector<bool> is_content_;
};

using PostingTable = std::unordered_map<Gram, Postings, GramHash>;

void add_answer(const std::unordered_set<Gram, GramHash>& asked, const std::unordered_set<Gram, GramHash>& said, uint32_t prompt,
                std::vector<uint32_t> Postings::*side, PostingTable& table) {
  for (const Gram& gram : said) {
    if (asked.contains(gram)) continue;
    std::vector<uint32_t>& prompts = table[gram].*side;
    if (prompts.empty() || prompts.back() != prompt) prompts.push_back(prompt);
  }
}

size_t num_words(const Gram& gram) { return static_cast<size_t>(std::find(gram.begin(), gram.end(), 0U) - gram.begin()); }

}  // namespace

std::string with_numbers_masked(std::string_view word) {
  std::string masked;
  for (const char c : word) {
    const bool digit = c >= '0' && c <= '9';
    const bool joins_digits = (c == '.' || c == ',') && masked.ends_with('#');
    if ((digit && masked.ends_with('#')) || joins_digits) continue;
    masked += digit ? '#' : c;
  }
  return masked;
}

std::vector<std::string> phrase_words(std::string_view phrase) {
  std::string text(phrase);
  const bool any_number = text.find('#') != std::string::npos;
  std::replace(text.begin(), text.end(), '#', '0');
  std::vector<std::string> parts;
  for (const Word& word : split_words(text)) parts.push_back(any_number ? with_numbers_masked(word.text) : word.text);
  return parts;
}

std::vector<PhraseCount> count_phrases(const std::vector<AnswerPair>& pairs, const PromptTable& table, size_t min_prompts) {
  PhraseCounter counter;
  PostingTable postings;
  for (uint32_t prompt = 0; prompt < table.num_prompts(); ++prompt) {
    for (const size_t i : table.pairs_of[prompt]) {
      const auto asked = counter.grams_of(pairs[i].prompt);
      add_answer(asked, counter.grams_of(pairs[i].base), prompt, &Postings::base, postings);
      add_answer(asked, counter.grams_of(pairs[i].target), prompt, &Postings::target, postings);
    }
  }
  std::vector<PhraseCount> phrases;
  for (auto& [gram, sides] : postings) {
    if (std::max(sides.base.size(), sides.target.size()) < min_prompts || !counter.has_content(gram)) continue;
    phrases.push_back({counter.text_of(gram), num_words(gram), std::move(sides.base), std::move(sides.target)});
  }
  std::sort(phrases.begin(), phrases.end(), [](const PhraseCount& a, const PhraseCount& b) { return a.text < b.text; });
  return phrases;
}

double log_odds_z(double base, double target, double num_documents, double prior_rate) {
  const double prior = std::max(kPriorDocuments * prior_rate, kSmallestPrior);
  const auto log_odds = [&](double count) {
    return std::log((count + prior) / (num_documents + kPriorDocuments - count - prior + 1e-3));
  };
  return (log_odds(target) - log_odds(base)) / std::sqrt(1.0 / (base + prior) + 1.0 / (target + prior));
}

}  // namespace fi
