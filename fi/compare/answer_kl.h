#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fi/claims/report_data.h"
#include "fi/compare/locate.h"

namespace fi {

/// The answers that a report shows side by side: at most `count` prompts, evenly spread over all.
std::vector<const AnswerPair*> shown_answers(const Analysis& analysis, int64_t count);

/// `answer` in tokens that cover whole characters, with the KL of each. `spans` are the bytes [begin, end) of each token. Tokens
/// that end within a character join the next, with the largest KL among them; bytes between two tokens belong to the second.
/// `nats` has a value a token, or one less if the first has none: that token's is 0. Empty if the two do not fit.
AnswerKl kl_by_token(std::string_view answer, const std::vector<std::pair<size_t, size_t>>& spans,
                     const std::vector<double>& nats);

/// Both models read both answers to each of the shown prompts: activations/answer_kl.json, with the tokens and KL of each.
/// An answer that both gave is read once. Nothing is read of identical models, nor of models with different vocabularies.
void write_answer_kl(const LocateInputs& inputs, ProgressSink& progress);

/// By prompt and answer.
using AnswerKlMap = std::map<std::pair<std::string, std::string>, AnswerKl>;

/// Empty without such a file, as earlier versions wrote none. kInvalid if it is damaged.
AnswerKlMap read_answer_kl(const std::filesystem::path& path);

}  // namespace fi
