#include "fi/intervene/transplant_answers.h"

#include <fmt/format.h>

#include <algorithm>

#include "fi/core/statistics.h"

namespace fi {
namespace {

// The target's blocks outside of the range, as many as the range has, from the output backwards.
Decoder control_of(const Decoder& base, const Decoder& target, BlockRange range) {
  Decoder control = base;
  int64_t wanted = range.last - range.first;
  for (int64_t block = base.config().num_layers - 1; block >= 0 && wanted > 0; --block) {
    if (block >= range.first && block < range.last) continue;
    control = transplant(control, target, block, block + 1);
    --wanted;
  }
  return control;
}

std::string blocks_text(BlockRange range) {
  return range.last - range.first == 1 ? fmt::format("block {}", range.first)
                                       : fmt::format("blocks {}-{}", range.first, range.last - 1);
}

}  // namespace

std::vector<TransplantAnswers> answer_with_exchanged_blocks(const Decoder& base, const Decoder& target, BlockRange range,
                                                            const std::vector<std::string>& prompts, const Detector& detector,
                                                            const Tokenizer& tokenizer, const GenerateOptions& options,
                                                            ProgressSink& progress) {
  std::vector<TokenIds> ids;
  for (const std::string& prompt : prompts) ids.push_back(tokenizer.encode_prompt(prompt));
  const auto answers_of = [&](std::string name, const Decoder& model) {
    TransplantAnswers result{.model = std::move(name)};
    const std::vector<Generation> generations = generate(model, ids, options, progress);
    for (size_t i = 0; i < prompts.size(); ++i) {
      const std::string answer = tokenizer.decode(generations[i].ids, true);
      result.measures.push_back(detector.measure(prompts[i], answer));
      if (i == 0) result.example = answer;
    }
    result.mean = mean(result.measures);
    return result;
  };
  const std::string blocks = blocks_text(range);
  return {answers_of(fmt::format("base with {} of the target", blocks), transplant(base, target, range.first, range.last)),
          answers_of(fmt::format("target with {} of the base", blocks), transplant(target, base, range.first, range.last)),
          answers_of("control: base with other blocks of the target", control_of(base, target, range))};
}

}  // namespace fi
