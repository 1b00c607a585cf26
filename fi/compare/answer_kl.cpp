#include "fi/compare/answer_kl.h"

#include <cmath>

#include "fi/compare/crosscoder_rows.h"
#include "fi/compare/run_files.h"
#include "fi/core/error.h"
#include "fi/diff/token_kl.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

constexpr double kSteps = 1e4;  // values are kept to a tenth of a millinat

bool begins_character(std::string_view text, size_t at) {
  return at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
}

struct ReadAnswer {
  const AnswerPair* pair = nullptr;
  const std::string* answer = nullptr;
};

std::vector<ReadAnswer> answers_to_read(const std::vector<const AnswerPair*>& pairs) {
  std::vector<ReadAnswer> answers;
  for (const AnswerPair* pair : pairs) {
    answers.push_back({pair, &pair->base});
    if (pair->target != pair->base) answers.push_back({pair, &pair->target});
  }
  return answers;
}

Json read_answers(const LocateInputs& in, ProgressSink& progress) {
  const Tokenizer& tokenizer = *in.pair.base.tokenizer;
  const std::vector<ReadAnswer> answers = answers_to_read(shown_answers(in.analysis, in.budget.shown_answers));
  std::vector<TracedText> texts;
  for (const auto& [pair, answer] : answers) texts.push_back(traced_text(tokenizer, *pair, *answer));
  const auto nats = token_kl(in.pair.base.decoder, in.pair.target.decoder, texts, progress);
  Json document = Json::array();
  for (size_t i = 0; i < answers.size(); ++i) {
    const auto& [pair, answer] = answers[i];
    const AnswerKl kl = kl_by_token(*answer, tokenizer.encode(*answer, false).spans, nats[i]);
    document.push_back({{"prompt", pair->prompt}, {"answer", *answer}, {"tokens", kl.tokens}, {"nats", kl.nats}});
  }
  return document;
}

}  // namespace

std::vector<const AnswerPair*> shown_answers(const Analysis& analysis, int64_t count) {
  std::vector<const AnswerPair*> all;
  for (const auto* part : {&analysis.discovery, &analysis.confirmation}) {
    for (const AnswerPair& pair : *part) all.push_back(&pair);
  }
  return thinned(all, count);
}

AnswerKl kl_by_token(std::string_view answer, const std::vector<std::pair<size_t, size_t>>& spans,
                     const std::vector<double>& nats) {
  const size_t unknown = spans.size() - std::min(spans.size(), nats.size());
  AnswerKl kl;
  if (unknown > 1 || nats.size() > spans.size()) return kl;
  size_t begin = 0;
  double largest = 0.0;
  for (size_t i = 0; i < spans.size(); ++i) {
    if (i >= unknown && std::isfinite(nats[i - unknown])) largest = std::max(largest, nats[i - unknown]);
    const bool is_last = i + 1 == spans.size();
    const size_t end = is_last ? answer.size() : std::min(spans[i].second, answer.size());
    if (end <= begin || !begins_character(answer, end)) continue;
    kl.tokens.emplace_back(answer.substr(begin, end - begin));
    kl.nats.push_back(std::round(largest * kSteps) / kSteps);
    begin = end;
    largest = 0.0;
  }
  return kl;
}

void write_answer_kl(const LocateInputs& inputs, ProgressSink& progress) {
  const bool has_kl = inputs.pair.relation != "identical" && has_equal_vocabulary(inputs.pair);
  const Json document = has_kl ? read_answers(inputs, progress) : Json::array();
  write_file_atomically(inputs.folder / kAnswerKlFile, document.dump(-1, ' ', false, Json::error_handler_t::replace));
}

AnswerKlMap read_answer_kl(const std::filesystem::path& path) try {
  AnswerKlMap map;
  if (!std::filesystem::is_regular_file(path)) return map;
  for (const Json& entry : parse_json(read_file(path, "features"), "features", path.string())) {
    AnswerKl kl{.tokens = entry.at("tokens"), .nats = entry.at("nats")};
    check(kl.tokens.size() == kl.nats.size(), ErrorCode::kInvalid,
          "[features] {} has {} tokens of an answer and {} values of them, expected as many; run the activations stage again.",
          path.string(), kl.tokens.size(), kl.nats.size());
    map[{entry.at("prompt"), entry.at("answer")}] = std::move(kl);
  }
  return map;
} catch (const Json::exception& error) {
  fail(ErrorCode::kInvalid, "[features] {} is damaged: {}; run the activations stage again.", path.string(), error.what());
}

}  // namespace fi
