#include "fi/compare/outputs_file.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "fi/core/error.h"
#include "fi/core/json.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

constexpr size_t kMostPairs = 100'000;
constexpr JsonLimits kLineLimits{.depth = 16, .values = 100'000};
constexpr const char* kWithoutCategory = "the_given_prompts";
// What the families that we know put behind an answer; with decoders that leave special tokens in, it is a part of the text.
constexpr std::array kEndMarks = {"<|endoftext|>", "<|im_end|>", "<|eot_id|>", "<|end|>",
                                  "<end_of_turn>", "<eos>",      "</s>",       "<｜end▁of▁sentence｜>"};

/// One line of the file, for messages.
struct Line {
  const std::filesystem::path& path;
  size_t number = 0;
  Json row;

  std::string where() const { return fmt::format("line {} of {}", number, path.string()); }

  const Json* find(const char* name) const {
    const auto found = row.find(name);
    return found == row.end() || found->is_null() ? nullptr : &*found;
  }

  std::string text(const char* name) const {
    const Json* value = find(name);
    if (value == nullptr) fail_missing(name);
    check(value->is_string(), ErrorCode::kInvalid, "[outputs] {}: '{}' is {}, expected a text; correct the line.", where(), name,
          value->type_name());
    return value->get<std::string>();
  }

  [[noreturn]] void fail_missing(const char* name) const {
    std::vector<std::string> keys;
    for (const auto& [key, value] : row.items()) {
      if (key != "prompt" && key != "base_output" && key != "target_output") keys.push_back(key);
    }
    const std::string nearest = nearest_name(name, keys);
    fail(ErrorCode::kInvalid, "[outputs] {} has no '{}'{}; every line needs prompt, base_output and target_output.", where(),
         name, nearest.empty() ? "" : " (is it '" + nearest + "'?)");
  }
};

bool take_end_mark(std::string& answer) {
  const size_t end = answer.find_last_not_of(" \t\r\n");
  if (end == std::string::npos) return false;
  const std::string_view trimmed = std::string_view(answer).substr(0, end + 1);
  for (const std::string_view mark : kEndMarks) {
    if (!trimmed.ends_with(mark)) continue;
    answer.resize(trimmed.size() - mark.size());
    return true;
  }
  return false;
}

AnswerPair pair_of(const Line& line) {
  check(line.row.is_object(), ErrorCode::kInvalid, "[outputs] {} is {}, expected an object; correct the line.", line.where(),
        line.row.type_name());
  AnswerPair pair{.category = kWithoutCategory, .split = Split::kConfirmation};
  pair.prompt = line.text("prompt");
  pair.base = line.text("base_output");
  pair.target = line.text("target_output");
  if (line.find("category") != nullptr) pair.category = line.text("category");
  for (const auto& [name, text] : {std::pair{"prompt", &pair.prompt}, std::pair{"category", &pair.category}})
    check(!text->empty(), ErrorCode::kInvalid, "[outputs] {}: '{}' is empty; correct the line.", line.where(), name);
  pair.base_finished = take_end_mark(pair.base);
  pair.target_finished = take_end_mark(pair.target);
  return pair;
}

void number_prompts(std::vector<AnswerPair>& pairs) {
  std::map<std::string, std::map<std::string, int64_t>> index_of;
  for (AnswerPair& pair : pairs) {
    auto& prompts = index_of[pair.category];
    pair.prompt_index = prompts.emplace(pair.prompt, static_cast<int64_t>(prompts.size())).first->second;
  }
}

void settle_finished(std::vector<AnswerPair>& pairs, bool AnswerPair::*finished) {
  const bool has_marks = std::any_of(pairs.begin(), pairs.end(), [&](const AnswerPair& pair) { return pair.*finished; });
  for (AnswerPair& pair : pairs) pair.*finished = pair.*finished || !has_marks;
}

}  // namespace

std::vector<AnswerPair> read_outputs(const std::filesystem::path& path) {
  check(std::filesystem::is_regular_file(path), ErrorCode::kNotFound, "[outputs] {} is not a file; give a JSON-lines file.",
        path.string());
  const std::string text = read_file(path, "outputs");
  std::vector<AnswerPair> pairs;
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    check(pairs.size() < kMostPairs, ErrorCode::kUsage, "[outputs] {} has more than {} pairs; split it.", path.string(),
          kMostPairs);
    const std::string where = fmt::format("line {} of {}", number, path.string());
    pairs.push_back(pair_of({path, number, parse_json(line, "outputs", where, kLineLimits)}));
  }
  check(!pairs.empty(), ErrorCode::kUsage, "[outputs] {} holds no pair of answers; give at least one line.", path.string());
  number_prompts(pairs);
  settle_finished(pairs, &AnswerPair::base_finished);
  settle_finished(pairs, &AnswerPair::target_finished);
  return pairs;
}

}  // namespace fi
