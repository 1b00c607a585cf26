#include "fi/behaviour/right_answer.h"

#include <algorithm>
#include <map>
#include <string>

namespace fi {
namespace {

Detector::Words right_answer_words() {
  return {.id = "right_answer",
          .capability = "right answers",
          .shows = "gives the right answer",
          .group = "correctness",
          .definition = "The answer holds a text that is known to be right for its prompt."};
}

class RightAnswerDetector : public Detector {
 public:
  explicit RightAnswerDetector(const std::vector<AnswerPair>& pairs) : Detector(right_answer_words()) {
    for (const AnswerPair& pair : pairs) {
      if (pair.right_answers.empty() || right_.contains(pair.prompt)) continue;
      for (const std::string& answer : pair.right_answers) right_[pair.prompt].push_back(phrase_detector(answer));
    }
  }

  bool knows_any() const { return !right_.empty(); }

  double measure(std::string_view prompt, std::string_view answer) const override {
    const auto known = right_.find(prompt);
    if (known == right_.end()) return 0.0;
    const auto holds = [&](const auto& phrase) { return phrase->measure(prompt, answer) > 0.0; };
    return std::ranges::any_of(known->second, holds) ? 1.0 : 0.0;
  }

 private:
  std::map<std::string, DetectorList, std::less<>> right_;  // by prompt
};

}  // namespace

std::shared_ptr<const Detector> right_answer_detector(const std::vector<AnswerPair>& pairs) {
  auto detector = std::make_shared<RightAnswerDetector>(pairs);
  return detector->knows_any() ? detector : nullptr;
}

DetectorList with_right_answers(DetectorList detectors, const std::vector<AnswerPair>& pairs) {
  if (auto right_answer = right_answer_detector(pairs)) detectors.push_back(std::move(right_answer));
  return detectors;
}

}  // namespace fi
