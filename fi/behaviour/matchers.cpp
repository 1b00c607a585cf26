#include "fi/behaviour/matchers.h"

#include <re2/re2.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "fi/behaviour/scalars.h"
#include "fi/behaviour/structures.h"
#include "fi/behaviour/text_view.h"
#include "fi/core/error.h"

namespace fi {
namespace {

class RegexDetector : public Detector {
 public:
  RegexDetector(Words words, std::unique_ptr<re2::RE2> pattern, Scope scope, int64_t min_count)
      : Detector(std::move(words)), pattern_(std::move(pattern)), scope_(scope), min_count_(min_count) {}

  double measure(std::string_view, std::string_view answer) const override {
    const auto view = view_of(answer);
    re2::StringPiece rest(view->text(scope_));
    if (min_count_ == 1) return re2::RE2::PartialMatch(rest, *pattern_) ? 1.0 : 0.0;
    int64_t count = 0;
    while (count < min_count_ && re2::RE2::FindAndConsume(&rest, *pattern_)) ++count;
    return count >= min_count_ ? 1.0 : 0.0;
  }

 private:
  std::unique_ptr<re2::RE2> pattern_;
  Scope scope_;
  int64_t min_count_;
};

using PhraseTable = std::unordered_map<std::string, std::vector<std::vector<std::string>>>;  // by first word

class LexiconDetector : public Detector {
 public:
  LexiconDetector(Words words, PhraseTable phrases, Scope scope, int64_t min_hits, double per_100_words)
      : Detector(std::move(words)),
        phrases_(std::move(phrases)),
        scope_(scope),
        min_hits_(min_hits),
        per_100_words_(per_100_words) {}

  double measure(std::string_view, std::string_view answer) const override {
    const auto view = view_of(answer);
    const std::vector<Word>& words = view->words(scope_);
    int64_t hits = 0;
    for (size_t i = 0; i < words.size(); ++i) hits += starts_phrase(words, i) ? 1 : 0;
    const double rate = 100.0 * static_cast<double>(hits) / static_cast<double>(std::max<size_t>(words.size(), 1));
    return hits >= min_hits_ && rate >= per_100_words_ ? 1.0 : 0.0;
  }

 private:
  bool starts_phrase(const std::vector<Word>& words, size_t at) const {
    const auto found = phrases_.find(words[at].text);
    if (found == phrases_.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(), [&](const std::vector<std::string>& phrase) {
      if (at + phrase.size() > words.size()) return false;
      for (size_t k = 1; k < phrase.size(); ++k) {
        if (words[at + k].text != phrase[k]) return false;
      }
      return true;
    });
  }

  PhraseTable phrases_;
  Scope scope_;
  int64_t min_hits_;
  double per_100_words_;
};

class StructureDetector : public Detector {
 public:
  StructureDetector(Words words, Structure structure) : Detector(std::move(words)), structure_(structure) {}

  double measure(std::string_view prompt, std::string_view answer) const override {
    return structure_(*view_of(prompt), *view_of(answer)) ? 1.0 : 0.0;
  }

 private:
  Structure structure_;
};

class LanguageDetector : public Detector {
 public:
  LanguageDetector(Words words, std::string code) : Detector(std::move(words)), code_(std::move(code)) {}

  double measure(std::string_view, std::string_view answer) const override {
    return view_of(answer)->language() == code_ ? 1.0 : 0.0;
  }

 private:
  std::string code_;
};

class ScalarDetector : public Detector {
 public:
  ScalarDetector(Words words, Scalar scalar) : Detector(std::move(words)), scalar_(scalar) {}

  double measure(std::string_view prompt, std::string_view answer) const override {
    return scalar_(*view_of(prompt), *view_of(answer));
  }

 private:
  Scalar scalar_;
};

const std::string& string_field(const Json& entry, const char* key, const std::string& name) {
  const Json& value = entry.at(key);
  check(value.is_string(), ErrorCode::kUsage, "[behaviour] {}, field '{}': expected a string, got {}.", name, key, value.dump());
  return value.get_ref<const std::string&>();
}

int64_t count_field(const Json& entry, const char* key, const std::string& name) {
  if (!entry.contains(key)) return 1;
  const Json& value = entry.at(key);
  check(value.is_number_integer() && value.get<int64_t>() >= 1 && value.get<int64_t>() <= 1000, ErrorCode::kUsage,
        "[behaviour] {}, field '{}': expected a whole number of 1 to 1000, got {}.", name, key, value.dump());
  return value.get<int64_t>();
}

double rate_field(const Json& entry, const std::string& name) {
  if (!entry.contains("per_100_words")) return 0.0;
  const Json& value = entry.at("per_100_words");
  check(value.is_number() && value.get<double>() > 0.0 && value.get<double>() <= 100.0, ErrorCode::kUsage,
        "[behaviour] {}, field 'per_100_words': expected a number above 0 and at most 100, got {}.", name, value.dump());
  return value.get<double>();
}

Scope scope_field(const Json& entry, const std::string& name) {
  if (!entry.contains("scope")) return Scope::kAnswer;
  const std::vector<std::string> known = {"answer", "prose", "start", "end"};
  const std::string& value = string_field(entry, "scope", name);
  const auto found = std::find(known.begin(), known.end(), value);
  check(found != known.end(), ErrorCode::kUsage,
        "[behaviour] {}, field 'scope': got '{}', expected answer, prose, start or end; nearest is '{}'.", name, value,
        nearest_name(value, known));
  return static_cast<Scope>(found - known.begin());
}

std::vector<std::string> string_list(const Json& value, const char* key, const std::string& name) {
  if (value.is_string()) return {value.get<std::string>()};
  check(value.is_array() && !value.empty(), ErrorCode::kUsage,
        "[behaviour] {}, field '{}': expected a string or a list of strings, got {}.", name, key, value.dump());
  std::vector<std::string> list;
  for (const Json& item : value) {
    check(item.is_string(), ErrorCode::kUsage, "[behaviour] {}, field '{}': expected strings, got {}.", name, key, item.dump());
    list.push_back(item.get<std::string>());
  }
  return list;
}

std::shared_ptr<const Detector> make_regex(Detector::Words words, const Json& entry, const std::string& name) {
  std::string source;
  for (const std::string& part : string_list(entry.at("regex"), "regex", name)) {
    source += (source.empty() ? "(?:" : "|(?:") + part + ")";
  }
  const Json case_sensitive = entry.value("case_sensitive", Json(false));
  check(case_sensitive.is_boolean(), ErrorCode::kUsage, "[behaviour] {}, field 'case_sensitive': expected true or false, got {}.",
        name, case_sensitive.dump());
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  auto pattern = std::make_unique<re2::RE2>((case_sensitive.get<bool>() ? "(?m)" : "(?mi)") + source, options);
  check(pattern->ok(), ErrorCode::kUsage, "[behaviour] {}, field 'regex': {}; see the RE2 syntax.", name, pattern->error());
  check(!re2::RE2::PartialMatch("", *pattern), ErrorCode::kUsage,
        "[behaviour] {}, field 'regex': it matches the empty text, so every answer; make some part obligatory.", name);
  return std::make_shared<RegexDetector>(std::move(words), std::move(pattern), scope_field(entry, name),
                                         count_field(entry, "min_count", name));
}

std::shared_ptr<const Detector> make_lexicon(Detector::Words words, const Json& entry, const std::string& name) {
  PhraseTable phrases;
  for (const std::string& phrase : string_list(entry.at("lexicon"), "lexicon", name)) {
    std::vector<std::string> parts;
    for (Word& word : split_words(phrase)) parts.push_back(std::move(word.text));
    check(!parts.empty(), ErrorCode::kUsage, "[behaviour] {}, field 'lexicon': '{}' holds no word.", name, phrase);
    std::string first = parts.front();
    phrases[std::move(first)].push_back(std::move(parts));
  }
  return std::make_shared<LexiconDetector>(std::move(words), std::move(phrases), scope_field(entry, name),
                                           count_field(entry, "min_hits", name), rate_field(entry, name));
}

std::shared_ptr<const Detector> make_structure(Detector::Words words, const Json& entry, const std::string& name) {
  const std::string& value = string_field(entry, "structure", name);
  const Structure structure = find_structure(value);
  check(structure != nullptr, ErrorCode::kUsage, "[behaviour] {}, field 'structure': '{}' is unknown; nearest is '{}'.", name,
        value, nearest_name(value, structure_names()));
  return std::make_shared<StructureDetector>(std::move(words), structure);
}

std::shared_ptr<const Detector> make_language(Detector::Words words, const Json& entry, const std::string& name) {
  const std::string& code = string_field(entry, "language", name);
  const bool is_code = code.size() == 3 && std::all_of(code.begin(), code.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  check(is_code, ErrorCode::kUsage, "[behaviour] {}, field 'language': got '{}', expected an ISO 639-3 code such as 'fra'.", name,
        code);
  return std::make_shared<LanguageDetector>(std::move(words), code);
}

std::shared_ptr<const Detector> make_scalar(Detector::Words words, const Json& entry, const std::string& name) {
  const std::string& value = string_field(entry, "scalar", name);
  const Scalar scalar = find_scalar(value);
  check(scalar != nullptr, ErrorCode::kUsage, "[behaviour] {}, field 'scalar': '{}' is unknown; nearest is '{}'.", name, value,
        nearest_name(value, scalar_names()));
  words.is_scalar = true;
  if (entry.contains("unit")) words.unit = string_field(entry, "unit", name);
  return std::make_shared<ScalarDetector>(std::move(words), scalar);
}

}  // namespace

std::shared_ptr<const Detector> make_detector(Detector::Words words, const Json& entry, const std::string& name) {
  if (entry.contains("regex")) return make_regex(std::move(words), entry, name);
  if (entry.contains("lexicon")) return make_lexicon(std::move(words), entry, name);
  if (entry.contains("structure")) return make_structure(std::move(words), entry, name);
  if (entry.contains("language")) return make_language(std::move(words), entry, name);
  return make_scalar(std::move(words), entry, name);
}

}  // namespace fi
