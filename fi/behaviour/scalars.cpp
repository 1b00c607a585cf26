#include "fi/behaviour/scalars.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "fi/behaviour/language.h"
#include "fi/behaviour/unicode.h"

namespace fi {
namespace {

double ratio(double part, double whole) { return whole > 0.0 ? part / whole : 0.0; }
double num_words_of(const TextView& answer) { return static_cast<double>(answer.words().size()); }

template <typename Predicate>
double count_characters(const TextView& answer, Predicate predicate) {
  const std::string& text = answer.text();
  int64_t count = 0;
  for (size_t at = 0; at < text.size();) {
    if (predicate(next_code_point(text, at))) ++count;
  }
  return static_cast<double>(count);
}

bool is_blank(char32_t c) { return c == U' ' || c == U'\n' || c == U'\t'; }
double num_characters(const TextView& answer) {
  return count_characters(answer, [](char32_t c) { return !is_blank(c); });
}

template <typename Predicate>
double per_100_words(const TextView& answer, Predicate predicate) {
  const auto& words = answer.words();
  const auto hits = std::count_if(words.begin(), words.end(), [&](const Word& word) { return predicate(word.text); });
  return 100.0 * ratio(static_cast<double>(hits), num_words_of(answer));
}

double num_words(const TextView&, const TextView& answer) { return num_words_of(answer); }
double num_lines(const TextView&, const TextView& answer) { return static_cast<double>(answer.lines().size()); }

double num_sentences(const TextView&, const TextView& answer) {
  const auto& words = answer.words(Scope::kProse);
  return static_cast<double>(std::count_if(words.begin(), words.end(), [](const Word& word) { return word.starts_segment; }));
}

double words_per_sentence(const TextView& prompt, const TextView& answer) {
  return ratio(static_cast<double>(answer.words(Scope::kProse).size()), num_sentences(prompt, answer));
}

double letters_per_word(const TextView&, const TextView& answer) {
  return ratio(count_characters(answer, is_letter), num_words_of(answer));
}

double num_paragraphs(const TextView&, const TextView& answer) {
  const std::string& text = answer.text();
  double count = answer.lines().empty() ? 0.0 : 1.0;
  size_t end = text.find_last_not_of(" \n\t");
  for (size_t at = text.find("\n\n"); at != std::string::npos && at < end; at = text.find("\n\n", at)) {
    if (at > 0) ++count;
    at = std::min(text.find_first_not_of(" \n\t", at), text.size());
  }
  return count;
}

// Share of the four-word sequences that came before.
double repetition(const TextView&, const TextView& answer) {
  const auto& words = answer.words();
  if (words.size() < 4) return 0.0;
  std::unordered_set<std::string> seen;
  const size_t num_grams = words.size() - 3;
  for (size_t i = 0; i < num_grams; ++i) {
    seen.insert(words[i].text + ' ' + words[i + 1].text + ' ' + words[i + 2].text + ' ' + words[i + 3].text);
  }
  return 1.0 - ratio(static_cast<double>(seen.size()), static_cast<double>(num_grams));
}

// Over the first 50 words, because the ratio falls with length.
double type_token_ratio(const TextView&, const TextView& answer) {
  const size_t num = std::min<size_t>(answer.words().size(), 50);
  std::unordered_set<std::string_view> types;
  for (size_t i = 0; i < num; ++i) types.insert(answer.words()[i].text);
  return ratio(static_cast<double>(types.size()), static_cast<double>(num));
}

double share_of_digits(const TextView&, const TextView& answer) {
  return 100.0 * ratio(count_characters(answer, is_digit), num_characters(answer));
}

double share_of_capitals(const TextView&, const TextView& answer) {
  const double upper = count_characters(answer, [](char32_t c) { return is_letter(c) && lower_case(c) != c; });
  return 100.0 * ratio(upper, count_characters(answer, is_letter));
}

double share_of_punctuation(const TextView&, const TextView& answer) {
  const double marks = count_characters(answer, [](char32_t c) { return !is_blank(c) && !is_letter(c) && !is_digit(c); });
  return 100.0 * ratio(marks, num_characters(answer));
}

double share_of_non_ascii(const TextView&, const TextView& answer) {
  return 100.0 * ratio(count_characters(answer, [](char32_t c) { return c >= 0x80; }), num_characters(answer));
}

template <char32_t kMark>
double marks_per_100_words(const TextView&, const TextView& answer) {
  return 100.0 * ratio(count_characters(answer, [](char32_t c) { return c == kMark; }), num_words_of(answer));
}

bool is_any_of(std::string_view word, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

double first_person(const TextView&, const TextView& answer) {
  return per_100_words(
      answer, [](std::string_view w) { return is_any_of(w, {"i", "me", "my", "mine", "myself", "i'm", "i'll", "i've", "i'd"}); });
}

double second_person(const TextView&, const TextView& answer) {
  return per_100_words(answer, [](std::string_view w) {
    return is_any_of(w, {"you", "your", "yours", "yourself", "yourselves", "you're", "you'll", "you've", "you'd"});
  });
}

double contractions(const TextView&, const TextView& answer) {
  return per_100_words(answer, [](std::string_view w) {
    return w.ends_with("n't") || w.ends_with("'re") || w.ends_with("'ll") || w.ends_with("'ve") || w.ends_with("'m") ||
           is_any_of(w, {"it's", "that's", "there's", "let's", "what's", "here's", "he's", "she's", "i'd", "you'd"});
  });
}

double long_words(const TextView&, const TextView& answer) {
  return per_100_words(answer, [](std::string_view w) { return w.size() >= 9; });
}

double function_words(const TextView&, const TextView& answer) {
  return per_100_words(answer, [](std::string_view w) { return is_function_word(w); });
}

double negations(const TextView&, const TextView& answer) {
  return per_100_words(answer, [](std::string_view w) {
    return w.ends_with("n't") || is_any_of(w, {"no", "not", "never", "none", "nothing", "nor", "neither", "cannot", "without"});
  });
}

// Share of the prompt's content words that come back.
double prompt_overlap(const TextView& prompt, const TextView& answer) {
  std::unordered_set<std::string_view> said;
  for (const Word& word : answer.words()) said.insert(word.text);
  std::unordered_set<std::string_view> asked;
  for (const Word& word : prompt.words()) {
    if (!is_function_word(word.text)) asked.insert(word.text);
  }
  const auto shared = std::count_if(asked.begin(), asked.end(), [&](std::string_view word) { return said.contains(word); });
  return 100.0 * ratio(static_cast<double>(shared), static_cast<double>(asked.size()));
}

double share_of_code(const TextView&, const TextView& answer) {
  double code = 0.0;
  for (const std::string_view block : answer.code_blocks()) code += static_cast<double>(block.size());
  return 100.0 * ratio(code, static_cast<double>(answer.text().size()));
}

struct Named {
  const char* name;
  Scalar scalar;
};

constexpr Named kScalars[] = {
    {"num_words", num_words},
    {"num_lines", num_lines},
    {"num_sentences", num_sentences},
    {"num_paragraphs", num_paragraphs},
    {"words_per_sentence", words_per_sentence},
    {"letters_per_word", letters_per_word},
    {"repetition", repetition},
    {"type_token_ratio", type_token_ratio},
    {"share_of_digits", share_of_digits},
    {"share_of_capitals", share_of_capitals},
    {"share_of_punctuation", share_of_punctuation},
    {"share_of_non_ascii", share_of_non_ascii},
    {"share_of_code", share_of_code},
    {"exclamation_marks", marks_per_100_words<U'!'>},
    {"question_marks", marks_per_100_words<U'?'>},
    {"commas", marks_per_100_words<U','>},
    {"first_person", first_person},
    {"second_person", second_person},
    {"contractions", contractions},
    {"long_words", long_words},
    {"function_words", function_words},
    {"negations", negations},
    {"prompt_overlap", prompt_overlap},
};

}  // namespace

Scalar find_scalar(std::string_view name) {
  for (const Named& entry : kScalars) {
    if (name == entry.name) return entry.scalar;
  }
  return nullptr;
}

std::vector<std::string> scalar_names() {
  std::vector<std::string> names;
  for (const Named& entry : kScalars) names.emplace_back(entry.name);
  return names;
}

}  // namespace fi
