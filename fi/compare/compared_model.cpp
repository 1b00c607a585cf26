#include "fi/compare/compared_model.h"

#include "fi/core/progress.h"
#include "fi/model/generate.h"

namespace fi {
namespace {

constexpr int64_t kAnswerTokens = 96;  // a name, or the numbers of twenty texts, in a JSON object

}  // namespace

std::string ComparedModel::answer(const std::string& instruction, const std::string& question) {
  const Tokenizer& tokenizer = *model_.tokenizer;
  const std::string chat = tokenizer.render_chat({{"system", instruction}, {"user", question}}, true);
  const std::vector<TokenIds> prompts = {tokenizer.encode_whole(chat).ids};
  const GenerateOptions options{.max_new_tokens = kAnswerTokens, .stop_ids = tokenizer.stop_ids()};
  const std::vector<Generation> answers = generate(model_.decoder, prompts, options, silent_progress());
  return tokenizer.decode(answers.front().ids, /*skip_special=*/true);
}

}  // namespace fi
