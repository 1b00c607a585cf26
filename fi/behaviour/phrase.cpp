#include <fmt/format.h>

#include "fi/behaviour/detector.h"
#include "fi/behaviour/ngrams.h"
#include "fi/behaviour/text_view.h"

namespace fi {
namespace {

Detector::Words words_for(const std::string& phrase) {
  const char* unit = phrase.find(' ') == std::string::npos ? "word" : "phrase";
  return {.id = std::string(kPhraseId) + phrase,
          .capability = fmt::format("use of the {} \"{}\"", unit, phrase),
          .shows = fmt::format("says \"{}\"", phrase),
          .group = "phrase",
          .definition = fmt::format("The answer holds the words \"{}\", in any case{}.", phrase,
                                    phrase.find('#') == std::string::npos ? "" : "; # stands for a number")};
}

class PhraseDetector : public Detector {
 public:
  explicit PhraseDetector(const std::string& phrase)
      : Detector(words_for(phrase)), parts_(phrase_words(phrase)), any_number_(phrase.find('#') != std::string::npos) {}

  double measure(std::string_view, std::string_view answer) const override {
    const auto view = view_of(answer);
    const std::vector<Word>& words = view->words();
    for (size_t i = 0; i + parts_.size() <= words.size(); ++i) {
      if (matches(words, i)) return 1.0;
    }
    return 0.0;
  }

 private:
  bool matches(const std::vector<Word>& words, size_t at) const {
    for (size_t k = 0; k < parts_.size(); ++k) {
      const std::string& text = words[at + k].text;
      if (text != parts_[k] && (!any_number_ || with_numbers_masked(text) != parts_[k])) return false;
    }
    return !parts_.empty();
  }

  std::vector<std::string> parts_;
  bool any_number_;
};

}  // namespace

std::shared_ptr<const Detector> phrase_detector(const std::string& phrase) { return std::make_shared<PhraseDetector>(phrase); }

}  // namespace fi
