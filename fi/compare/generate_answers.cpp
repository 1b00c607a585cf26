#include "fi/compare/generate_answers.h"

#include "fi/compare/models.h"
#include "fi/core/error.h"
#include "fi/model/generate.h"

namespace fi {
namespace {

void check_request(const AnswerRequest& request) {
  validate(request.models);
  check(!request.prompts.empty(), ErrorCode::kUsage, "[generate] there is no prompt; give at least one with --prompt.");
  for (const std::string& prompt : request.prompts)
    check(!prompt.empty(), ErrorCode::kUsage, "[generate] a prompt is empty; write something or leave it out.");
  check(request.max_new_tokens >= 1 && request.max_new_tokens <= 4096, ErrorCode::kUsage,
        "[generate] --max-new-tokens got {}, expected 1 to 4096.", request.max_new_tokens);
  check(request.temperature >= 0.0 && request.temperature <= 100.0, ErrorCode::kUsage,
        "[generate] --temperature got {}, expected 0 (greedy) to 100.", request.temperature);
  check(request.top_p > 0.0 && request.top_p <= 1.0, ErrorCode::kUsage, "[generate] --top-p got {}, expected above 0, at most 1.",
        request.top_p);
}

std::vector<std::string> answers_of(const LoadedModel& model, const AnswerRequest& request, ProgressSink& progress) {
  std::vector<TokenIds> prompts;
  for (const std::string& prompt : request.prompts) prompts.push_back(model.tokenizer->encode_prompt(prompt));
  const auto generations = generate(model.decoder, prompts,
                                    {.max_new_tokens = request.max_new_tokens,
                                     .temperature = request.temperature,
                                     .top_p = request.top_p,
                                     .seed = static_cast<uint64_t>(request.models.seed),
                                     .stop_ids = model.tokenizer->stop_ids()},
                                    progress);
  std::vector<std::string> answers;
  for (const Generation& generation : generations) answers.push_back(model.tokenizer->decode(generation.ids, true));
  return answers;
}

void add_side(Json& result, const char* side, const LoadedModel& model, const AnswerRequest& request, ProgressSink& progress) {
  result["models"][side] = model.files.name;
  if (model.files.adapter) result["models"][side] = model.files.name + " + " + model.files.adapter->string();
  const std::vector<std::string> answers = answers_of(model, request, progress);
  for (size_t i = 0; i < answers.size(); ++i) result["answers"][i][side] = answers[i];
}

}  // namespace

Json generate_answers(const AnswerRequest& request, ProgressSink& progress) {
  check_request(request);
  Json result = {{"models", Json::object()}, {"answers", Json::array()}};
  for (const std::string& prompt : request.prompts) result["answers"].push_back({{"prompt", prompt}});
  if (request.models.target_model.empty() && request.models.target_adapter.empty()) {
    add_side(result, "base", load_base(request.models, progress), request, progress);
    return result;
  }
  const BothModels pair = load_both(request.models, progress);
  add_side(result, "base", pair.base, request, progress);
  add_side(result, "target", pair.target, request, progress);
  return result;
}

}  // namespace fi
