#pragma once

#include <string>
#include <vector>

#include "fi/behaviour/detector.h"
#include "fi/capture/traced_text.h"
#include "fi/core/progress.h"
#include "fi/model/decoder.h"
#include "fi/model/generate.h"
#include "fi/tokenizer/tokenizer.h"

namespace fi {

/// What a model with exchanged blocks answers, measured by the detector of a claim.
struct TransplantAnswers {
  std::string model;             // "base with blocks 10-24 of the target"
  std::vector<double> measures;  // [num_prompts]
  double mean = 0.0;
  std::string example;  // its answer to the first prompt
};

/// Shows a change in generated text: the base with the target's blocks of the range (does the behaviour appear?), the target with
/// the base's blocks there (is it gone?), and as control the base with equally many of the target's other blocks, as far as there
/// are so many, those nearest to the output. Greedy answers; kIncompatible unless the models have equal shapes.
std::vector<TransplantAnswers> answer_with_exchanged_blocks(const Decoder& base, const Decoder& target, BlockRange range,
                                                            const std::vector<std::string>& prompts, const Detector& detector,
                                                            const Tokenizer& tokenizer, const GenerateOptions& options,
                                                            ProgressSink& progress);

}  // namespace fi
