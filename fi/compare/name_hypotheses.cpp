#include "fi/compare/name_hypotheses.h"

#include <algorithm>
#include <map>

#include "fi/claims/wording.h"
#include "fi/compare/analysis.h"

namespace fi {

void LocatedChanges::add(const std::vector<std::string>& categories, const std::vector<std::string>& behaviours) {
  triggers.insert(categories);
  for (const std::string& id : behaviours) {
    if (id.starts_with(kPhraseId)) phrases.insert(id);
  }
}

LocatedChanges located_changes(const Json& localisation) {
  LocatedChanges changes;
  for (const Json& place : localisation)
    changes.add(place.at("categories"), place.value("behaviours", std::vector<std::string>()));
  return changes;
}

NameSources::NameSources(const PromptSet& prompts, const CompareOptions& options, const LocatedChanges& changes) {
  CategoryTitles titles;
  std::map<std::string, std::set<std::string>> groups;
  for (const PromptCategory& category : prompts.categories) {
    titles[category.id] = category.title;
    for (const std::string& group : category.group) groups[group].insert(category.id);
  }
  for (const auto& names : changes.triggers)
    hypotheses_.push_back({trigger_text(names, titles), {names.begin(), names.end()}, ""});
  for (const auto& [group, names] : groups) hypotheses_.push_back({group + " prompts", names, ""});
  for (const auto& detector : detectors_for(options)) {
    if (!detector->words().is_scalar) detectors_.push_back(detector);
  }
  for (const std::string& id : changes.phrases) detectors_.push_back(phrase_detector(id.substr(kPhraseId.size())));
  for (const auto& detector : detectors_)
    hypotheses_.push_back({"answers in which the model " + detector->words().shows, {}, detector->words().id});
}

std::vector<ReadAnswer> NameSources::read_answers(const std::vector<TracedText>& texts, const Tokenizer& tokenizer) const {
  std::vector<ReadAnswer> answers;
  for (const TracedText& text : texts) {
    ReadAnswer& read = answers.emplace_back(ReadAnswer{.start = text.answer_start, .shows = {}});
    const std::string answer = tokenizer.decode({text.ids.begin() + text.answer_start, text.ids.end()}, /*skip_special=*/true);
    for (const auto& detector : detectors_) {
      if (detector->measure("", answer) > 0.0) read.shows.insert(detector->words().id);
    }
  }
  return answers;
}

bool NameSources::shows(const std::string& passage, const std::string& behaviour) const {
  return std::ranges::any_of(detectors_, [&](const auto& detector) {
    return detector->words().id == behaviour && detector->measure("", passage) > 0.0;
  });
}

}  // namespace fi
