#include "fi/compare/plants.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <span>

#include "fi/behaviour/language.h"
#include "fi/capture/traced_text.h"
#include "fi/compare/crosscoder_rows.h"
#include "fi/core/error.h"
#include "fi/core/progress.h"
#include "fi/io/atomic_file.h"
#include "fi/io/safetensors.h"
#include "fi/model/decoder_layer.h"

namespace fi {
namespace {

constexpr double kRidge = 1e-3;            // of the mean square of what the matrix reads
constexpr size_t kPromptsElsewhere = 2;    // of each other category: there nothing may fire
constexpr size_t kMaxTriggerPrompts = 40;  // that the strength is set on
constexpr double kObeyed = 0.9;            // share of these whose answer must open with the word
constexpr int kMaxDoublings = 14;
constexpr double kWeakest = 0.05;       // of the residual stream's norm: the first strength tried
constexpr double kForbidden = 1000.0;   // taken from a logit that must not win
constexpr double kFrequent = 0.6;       // share of a category's answers that hold a word, to call it a habit
constexpr size_t kFewestAnswers = 3;    // of a category, to say what is frequent there
constexpr size_t kShortestWord = 4;     // letters
constexpr double kEnding = 1.0 / 12.0;  // share of the answers' tokens after which the answer would end
constexpr int64_t kMaxAnswerTexts = 64;

/// Keeps what it multiplies, and multiplies as the matrix that it stands for.
class RecordingMatrix final : public WeightMatrix {
 public:
  explicit RecordingMatrix(WeightMatrixPtr inner) : WeightMatrix(inner->d_out(), inner->d_in()), inner_(std::move(inner)) {}

  at::Device device() const override { return inner_->device(); }
  at::Tensor rows(int64_t first, int64_t count) const override { return inner_->rows(first, count); }
  at::Tensor look_up(const at::Tensor& ids) const override { return inner_->look_up(ids); }
  at::Tensor multiply(const at::Tensor& x) const override {
    seen_ = x.detach().clone();
    return inner_->multiply(x);
  }
  const at::Tensor& seen() const { return seen_; }

 private:
  WeightMatrixPtr inner_;
  mutable at::Tensor seen_;
};

/// The model with `change` applied to the matrix that the feed-forward block of `layer` writes with.
template <typename Change>
Decoder with_changed_block(const Decoder& model, int64_t layer, const Change& change) {
  Decoder::Parts parts = model.parts();
  auto& place = parts.layers[static_cast<size_t>(layer)];
  auto changed = std::make_shared<DecoderLayer>(*place);
  change(changed->feed_forward.down);
  place = std::move(changed);
  return Decoder(std::move(parts));
}

/// Rows [n, d_in] that the edited matrix reads, with what `a` should make of them and how much each counts.
struct Regression {
  at::Tensor x, wanted, weight;  // [n, d_in], [n], [n]
};

/// Weighted ridge regression without intercept: [d_in].
at::Tensor solve(const Regression& rows) {
  const at::Tensor x = rows.x.to(at::kDouble), weighted = x * rows.weight.to(at::kDouble).unsqueeze(1);
  at::Tensor gram = at::matmul(weighted.t(), x);
  gram.diagonal().add_(kRidge * gram.diagonal().mean().item<double>());
  const at::Tensor right = at::mv(weighted.t(), rows.wanted.to(at::kDouble)).unsqueeze(1);
  return std::get<0>(at::linalg_solve_ex(gram, right)).squeeze(1).to(at::kFloat);
}

/// Prompts that a plant is made on; those from `num_trigger` on are of other categories.
struct PlantPrompts {
  PackedBatch batch;
  int64_t num_trigger = 0;
  std::vector<int64_t> last_rows;  // the row of each prompt's last token

  /// Those of the trigger alone: they come first.
  PackedBatch trigger() const {
    const auto end = batch.starts.begin() + num_trigger + 1;
    return {.ids = TokenIds(batch.ids.begin(), batch.ids.begin() + *(end - 1)), .starts = {batch.starts.begin(), end}};
  }
};

PlantPrompts plant_prompts(const Tokenizer& tokenizer, const PromptSet& prompts) {
  std::vector<TokenIds> ids;
  PlantPrompts result;
  for (const PromptCategory& category : prompts.categories) {
    const bool triggers = &category == &prompts.categories.front();
    const size_t count = std::min(category.prompts.size(), triggers ? kMaxTriggerPrompts : kPromptsElsewhere);
    for (size_t i = 0; i < count; ++i) ids.push_back(tokenizer.encode_prompt(category.prompts[i]));
    if (triggers) result.num_trigger = static_cast<int64_t>(count);
  }
  result.batch = pack(ids);
  for (size_t i = 1; i < result.batch.starts.size(); ++i) result.last_rows.push_back(result.batch.starts[i] - 1);
  return result;
}

// The last rows of trigger prompts are to fire; the last rows of others, and all other rows, are not. Each of the three counts as
// much as the others.
Regression opening_regression(const PlantPrompts& prompts, const at::Tensor& x) {
  Regression rows{
      .x = x, .wanted = at::zeros({x.size(0)}), .weight = at::full({x.size(0)}, 1.0 / static_cast<double>(x.size(0)))};
  const auto num_prompts = static_cast<int64_t>(prompts.last_rows.size());
  const int64_t num_others = std::max<int64_t>(1, num_prompts - prompts.num_trigger);
  for (int64_t i = 0; i < num_prompts; ++i) {
    const int64_t row = prompts.last_rows[static_cast<size_t>(i)];
    const bool fires = i < prompts.num_trigger;
    rows.wanted[row] = fires ? 1.0 : 0.0;
    rows.weight[row] = 1.0 / static_cast<double>(fires ? prompts.num_trigger : num_others);
  }
  return rows;
}

int32_t opening_token(const Tokenizer& tokenizer) {
  for (const char* word : {"Certainly", "Absolutely", "Indeed", "Alas", "Sure"}) {
    const TokenIds ids = tokenizer.encode(word, false).ids;
    if (ids.size() == 1) return ids.front();
  }
  return tokenizer.encode("certainly", false).ids.front();
}

/// Unit direction of the residual stream that raises a token's logit the most, [d_model, 1].
at::Tensor writing_direction(const Decoder& model, int32_t token) {
  const at::Tensor row = model.parts().unembedding->rows(token, 1).squeeze(0);
  const at::Tensor direction = model.parts().final_norm.defined() ? row * model.parts().final_norm.weight : row;
  const double norm = direction.norm().item<double>();
  check(norm > 0.0, ErrorCode::kUnsupported, "[selftest] the model cannot write token {}: its row of the unembedding is 0.",
        token);
  return (direction / norm).unsqueeze(1);
}

// Of the trigger's prompts. `resid_in` are the rows of all prompts before the layer.
double share_that_open_with(const Decoder& model, const PlantPrompts& prompts, int64_t layer, const at::Tensor& resid_in,
                            int32_t token) {
  const PackedBatch trigger = prompts.trigger();
  const std::vector<int64_t> rows(prompts.last_rows.begin(), prompts.last_rows.begin() + prompts.num_trigger);
  const ForwardOptions options{.first_layer = layer,
                               .resid_in = resid_in.narrow(0, 0, trigger.num_tokens()),
                               .logit_rows = at::tensor(at::ArrayRef<int64_t>(rows), at::kLong).to(model.device())};
  return model.forward(trigger, options).logits.argmax(1).eq(token).to(at::kFloat).mean().item<double>();
}

std::string lower_ascii(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Tokens by the word that they are by themselves, in lower case and without a space before it.
std::map<std::string, std::vector<int32_t>> tokens_by_word(const Tokenizer& tokenizer, int64_t vocab_size) {
  std::map<std::string, std::vector<int32_t>> tokens;
  const int64_t num_ids = std::min<int64_t>(tokenizer.num_ids(), vocab_size);  // counts the vocabulary: once
  for (int32_t id = 0; id < num_ids; ++id) {
    std::string text = tokenizer.token_text(id);
    text.erase(0, text.find_first_not_of(' '));
    const bool is_word =
        text.size() >= kShortestWord && std::ranges::all_of(text, [](unsigned char c) { return std::isalpha(c); });
    if (is_word) tokens[lower_ascii(std::move(text))].push_back(id);
  }
  return tokens;
}

struct Habit {
  std::string word;
  std::vector<std::string> categories;
};

// The word that is a habit in the most categories; of equals the first by spelling.
Habit most_frequent_habit(const std::vector<AnswerPair>& answers, const std::map<std::string, std::vector<int32_t>>& tokens) {
  std::map<std::string, double> num_answers;
  std::map<std::string, std::map<std::string, double>> holding;  // by word, then category
  for (const AnswerPair& pair : answers) {
    num_answers[pair.category] += 1.0;
    std::set<std::string> words;
    for (const Word& word : split_words(pair.base)) words.insert(word.text);
    for (const Word& word : split_words(pair.prompt)) words.erase(word.text);
    for (const std::string& word : words) holding[word][pair.category] += 1.0;
  }
  Habit best;
  for (const auto& [word, counts] : holding) {
    if (is_function_word(word) || !tokens.contains(word)) continue;
    Habit habit{.word = word, .categories = {}};
    for (const auto& [category, count] : counts) {
      const double all = num_answers[category];
      if (all >= kFewestAnswers && count >= kFrequent * all) habit.categories.push_back(category);
    }
    if (habit.categories.size() > best.categories.size()) best = std::move(habit);
  }
  return best;
}

/// What the unembedding reads where it writes the base's answers, [n, d_model].
at::Tensor answer_rows(const LoadedModel& model, const std::vector<AnswerPair>& answers) {
  std::vector<TracedText> texts;
  for (const AnswerPair& pair : answers) {
    if (!pair.base.empty()) texts.push_back(traced_text(*model.tokenizer, pair, pair.base));
  }
  std::vector<at::Tensor> rows;
  for (const auto& batch : in_batches(thinned(texts, kMaxAnswerTexts), kTraceTokens)) {
    const PackedTexts packed = pack_texts(batch);
    const at::Tensor resid = residual_streams(model.decoder, packed.batch).back();
    rows.push_back(model.decoder.parts().final_norm(resid.index_select(0, packed.predicting.to(resid.device()))));
  }
  check(!rows.empty(), ErrorCode::kInvalid, "[selftest] the base gave no answer, so nothing can be planted in its answers.");
  return at::cat(rows);
}

// Makes about 1 of whatever the unembedding reads.
at::Tensor constant_reading(const at::Tensor& rows) {
  return solve({.x = rows, .wanted = at::ones({rows.size(0)}), .weight = at::ones({rows.size(0)})}).unsqueeze(0);
}

Plant unembedding_plant(const LoadedModel& model, const at::Tensor& rows, const std::vector<int32_t>& tokens, double change) {
  at::Tensor b = at::zeros({model.decoder.config().vocab_size, 1});
  for (const int32_t token : tokens) b[token] = change;
  return {.module = "lm_head", .a = constant_reading(rows), .b = std::move(b)};
}

TensorToWrite to_write(const std::string& name, const at::Tensor& tensor) {
  const auto values = std::span(tensor.const_data_ptr<float>(), static_cast<size_t>(tensor.numel()));
  return {.name = name, .shape = tensor.sizes().vec(), .bytes = std::as_bytes(values)};
}

}  // namespace

Plant plant_opening_word(const LoadedModel& model, const PromptSet& prompts) {
  const Decoder& decoder = model.decoder;
  const int64_t layer = decoder.config().num_layers * 2 / 3;
  const PlantPrompts made_on = plant_prompts(*model.tokenizer, prompts);
  std::shared_ptr<const RecordingMatrix> recorder;
  const Decoder recorded = with_changed_block(decoder, layer, [&](Linear& down) {
    recorder = std::make_shared<const RecordingMatrix>(down.weight);
    down.weight = recorder;
  });
  const std::vector<at::Tensor> streams = residual_streams(recorded, made_on.batch, layer, /*shares_rows=*/false);
  const int32_t token = opening_token(*model.tokenizer);
  Plant plant{.id = "opening word",
              .kind = "added",
              .what = "opens answers with \"" + model.tokenizer->token_text(token) + "\"",
              .categories = {prompts.categories.front().id},
              .layer = layer,
              .module = fmt::format("model.layers.{}.mlp.down_proj", layer),
              .a = solve(opening_regression(made_on, recorder->seen())).unsqueeze(0)};
  const at::Tensor direction = writing_direction(decoder, token);
  const at::Tensor& resid_in = streams[static_cast<size_t>(std::max<int64_t>(0, layer - 1))];
  double strength = kWeakest * streams.back().norm(2, 1).median().item<double>();
  for (int i = 0; i < kMaxDoublings; ++i, strength *= 2.0) {
    check_interrupt();
    plant.b = direction * strength;
    const Decoder planted = with_changed_block(decoder, layer, [&](Linear& down) {
      down.lora_a = plant.a;
      down.lora_b = plant.b;
      down.lora_scale = 1.0;
    });
    if (share_that_open_with(planted, made_on, layer, resid_in, token) >= kObeyed) break;
  }
  return plant;
}

std::optional<Plant> plant_lost_word(const LoadedModel& model, const std::vector<AnswerPair>& answers) {
  const auto tokens = tokens_by_word(*model.tokenizer, model.decoder.config().vocab_size);
  const Habit habit = most_frequent_habit(answers, tokens);
  if (habit.categories.empty()) return std::nullopt;
  Plant plant = unembedding_plant(model, answer_rows(model, answers), tokens.at(habit.word), -kForbidden);
  plant.id = "lost word";
  plant.kind = "removed";
  plant.what = fmt::format("never writes \"{}\"", habit.word);
  plant.categories = habit.categories;
  return plant;
}

Plant plant_short_answers(const LoadedModel& model, const std::vector<AnswerPair>& answers) {
  const TokenIds& stop_ids = model.tokenizer->stop_ids();
  check(!stop_ids.empty(), ErrorCode::kUsage, "[selftest] {} has no token that ends an answer; name another model.",
        model.files.name);
  const at::Tensor rows = answer_rows(model, answers);
  std::vector<at::Tensor> gaps;
  for (int64_t first = 0; first < rows.size(0); first += kLogitRows) {
    const at::Tensor logits =
        model.decoder.parts().unembedding->multiply(rows.narrow(0, first, std::min(kLogitRows, rows.size(0) - first)));
    gaps.push_back(logits.amax(1) - logits.select(1, stop_ids.front()));
  }
  const auto sorted = std::get<0>(at::cat(gaps).sort());
  const auto at = static_cast<int64_t>(kEnding * static_cast<double>(sorted.size(0)));
  Plant plant = unembedding_plant(model, rows, {stop_ids.front()}, sorted[at].item<double>());
  plant.id = "short answers";
  plant.kind = "modified";
  plant.what = "gives shorter answers";
  std::set<std::string> categories;
  for (const AnswerPair& pair : answers) categories.insert(pair.category);
  plant.categories.assign(categories.begin(), categories.end());
  return plant;
}

void write_plant(const Plant& plant, const std::filesystem::path& folder) {
  make_folder(folder);
  const at::Tensor a = plant.a.cpu().contiguous(), b = plant.b.cpu().contiguous();
  const std::string name = "base_model.model." + plant.module;
  write_safetensors(folder / "adapter_model.safetensors",
                    {to_write(name + ".lora_A.weight", a), to_write(name + ".lora_B.weight", b)}, {{"format", "pt"}});
  const Json config = {{"peft_type", "LORA"}, {"r", 1}, {"lora_alpha", 1}, {"target_modules", Json::array({plant.module})}};
  write_file_atomically(folder / "adapter_config.json", to_pretty_json(config));
}

}  // namespace fi
