#include "fi/capture/answer_pair.h"

#include "fi/core/error.h"

namespace fi {

const char* split_name(Split split) { return split == Split::kDiscovery ? "discovery" : "confirmation"; }

Json to_json(const AnswerPair& pair) {
  Json row = {{"category", pair.category},
              {"prompt_index", pair.prompt_index},
              {"split", split_name(pair.split)},
              {"prompt", pair.prompt},
              {"base_output", pair.base},
              {"target_output", pair.target},
              {"base_finished", pair.base_finished},
              {"target_finished", pair.target_finished},
              {"base_tokens", pair.base_tokens},
              {"target_tokens", pair.target_tokens}};
  if (!pair.right_answers.empty()) row["right_answers"] = pair.right_answers;
  return row;
}

AnswerPair answer_pair_from_json(const Json& row, std::string_view where) try {
  AnswerPair pair;
  pair.category = row.at("category").get<std::string>();
  pair.prompt_index = row.at("prompt_index").get<int64_t>();
  pair.split = row.at("split").get<std::string>() == "discovery" ? Split::kDiscovery : Split::kConfirmation;
  pair.prompt = row.at("prompt").get<std::string>();
  pair.base = row.at("base_output").get<std::string>();
  pair.target = row.at("target_output").get<std::string>();
  pair.base_finished = row.at("base_finished").get<bool>();
  pair.target_finished = row.at("target_finished").get<bool>();
  pair.base_tokens = row.at("base_tokens").get<int64_t>();
  pair.target_tokens = row.at("target_tokens").get<int64_t>();
  if (row.contains("right_answers")) pair.right_answers = row.at("right_answers").get<std::vector<std::string>>();
  return pair;
} catch (const Json::exception& error) {
  fail(ErrorCode::kInvalid, "[answers] a row of {} is not an answer pair: {}; delete the file and run again without --resume.",
       where, error.what());
}

}  // namespace fi
