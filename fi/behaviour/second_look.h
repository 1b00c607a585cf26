#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fi/behaviour/detector.h"
#include "fi/capture/answer_pair.h"

namespace fi {

/// The categories that deserve more discovery prompts: few prompts of each cannot show a change in a part of one category, but
/// they can say where to look again. A category is as suspicious as its most suspicious detector: how surprisingly often one
/// model shows it there and the other does not, plus how one-sided the difference is over all prompts (both in nats of evidence).
/// Most suspicious first, at most `count`. Discovery only: what is found is tested on other prompts.
std::vector<std::string> categories_to_look_at_again(const std::vector<AnswerPair>& discovery, const DetectorList& detectors,
                                                     double min_effect_size, int64_t count);

}  // namespace fi
