#include <algorithm>
#include <map>
#include <set>

#include "fi/behaviour/detector.h"
#include "fi/behaviour/matchers.h"
#include "fi/core/error.h"

namespace fi {

namespace embedded {
extern const std::map<std::string, std::string_view> behaviour_data;
}

namespace {

const std::vector<std::string> kTexts = {"id", "capability", "shows", "group", "definition"};

// Each matcher with the modifiers that it understands.
const std::map<std::string, std::vector<std::string>> kMatchers = {{"regex", {"min_count", "case_sensitive", "scope"}},
                                                                   {"lexicon", {"min_hits", "per_100_words", "scope"}},
                                                                   {"structure", {}},
                                                                   {"language", {}},
                                                                   {"scalar", {"unit"}}};

std::string matcher_of(const Json& entry, const std::string& name) {
  std::vector<std::string> found;
  for (const auto& [matcher, modifiers] : kMatchers) {
    if (entry.contains(matcher)) found.push_back(matcher);
  }
  check(found.size() == 1, ErrorCode::kUsage,
        "[behaviour] {}: expected exactly one of regex, lexicon, structure, language and scalar, got {}.", name, found.size());
  return found.front();
}

void check_keys(const Json& object, const std::vector<std::string>& known, const std::string& name) {
  for (const auto& [key, value] : object.items()) {
    const std::string nearest = nearest_name(key, known);
    check(std::find(known.begin(), known.end(), key) != known.end(), ErrorCode::kUsage,
          "[behaviour] {}: key '{}' is unknown{}; remove or correct it.", name, key,
          nearest.empty() ? "" : fmt::format(" here, nearest is '{}'", nearest));
  }
}

std::string text_field(const Json& entry, const std::string& key, const std::string& name) {
  check(entry.contains(key) && entry.at(key).is_string() && !entry.at(key).get_ref<const std::string&>().empty(),
        ErrorCode::kUsage, "[behaviour] {}, field '{}': missing or no text; add it.", name, key);
  return entry.at(key).get<std::string>();
}

std::shared_ptr<const Detector> detector_from_entry(const Json& entry, size_t index, std::string_view where) {
  check(entry.is_object(), ErrorCode::kUsage, "[behaviour] {}: concept {} is no object.", where, index);
  const bool has_id = entry.contains("id") && entry.at("id").is_string();
  const std::string label = has_id ? entry.at("id").get<std::string>() : std::to_string(index);
  const std::string name = fmt::format("{}, concept '{}'", where, label);
  // A misspelt matcher is the likeliest unknown key, so all known ones are offered before the matcher is looked for.
  std::vector<std::string> every = kTexts;
  for (const auto& [matcher, modifiers] : kMatchers) {
    every.push_back(matcher);
    every.insert(every.end(), modifiers.begin(), modifiers.end());
  }
  check_keys(entry, every, name);
  const std::string matcher = matcher_of(entry, name);
  std::vector<std::string> known = kTexts;
  known.push_back(matcher);
  known.insert(known.end(), kMatchers.at(matcher).begin(), kMatchers.at(matcher).end());
  check_keys(entry, known, name);
  Detector::Words words{.id = text_field(entry, "id", name),
                        .capability = text_field(entry, "capability", name),
                        .shows = text_field(entry, "shows", name),
                        .group = text_field(entry, "group", name),
                        .definition = text_field(entry, "definition", name)};
  return make_detector(std::move(words), entry, name);
}

}  // namespace

DetectorList detectors_from_json(const Json& document, std::string_view where) {
  check(document.is_object(), ErrorCode::kUsage, "[behaviour] {}: expected an object with the key 'concepts'.", where);
  check_keys(document, {"concepts"}, std::string(where));
  check(document.contains("concepts") && document.at("concepts").is_array(), ErrorCode::kUsage,
        "[behaviour] {}: 'concepts' is missing or no list; see fi/behaviour/README.md.", where);
  DetectorList detectors;
  std::set<std::string> ids;
  for (const Json& entry : document.at("concepts")) {
    detectors.push_back(detector_from_entry(entry, detectors.size(), where));
    const std::string& id = detectors.back()->words().id;
    check(ids.insert(id).second, ErrorCode::kUsage, "[behaviour] {}: concept '{}' comes twice; rename one.", where, id);
  }
  return detectors;
}

const DetectorList& builtin_detectors() {
  static const DetectorList detectors = [] {
    const std::string_view text = embedded::behaviour_data.at("concepts.json");
    return detectors_from_json(parse_json(text, "behaviour", "the built-in concepts"), "the built-in concepts");
  }();
  return detectors;
}

}  // namespace fi
