#pragma once

#include <memory>
#include <vector>

#include "fi/behaviour/detector.h"
#include "fi/capture/answer_pair.h"

namespace fi {

/// Whether an answer holds one of its prompt's right answers, word by word in any case. Prompts of which no right answer is known
/// measure 0 in both models. Null if none of `pairs` knows one.
std::shared_ptr<const Detector> right_answer_detector(const std::vector<AnswerPair>& pairs);

/// `detectors` and, where right answers are known, the one that looks for them.
DetectorList with_right_answers(DetectorList detectors, const std::vector<AnswerPair>& pairs);

}  // namespace fi
