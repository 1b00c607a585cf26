#include "fi/compare/token_cue.h"

#include <algorithm>
#include <map>

#include "fi/compare/latent_use.h"
#include "fi/core/random.h"

namespace fi {
namespace {

constexpr size_t kCueTokens = 3;
constexpr size_t kInjectedTexts = 8;
constexpr size_t kFewestTexts = 4;
constexpr double kFiresShare = 0.5;  // of the strongest
constexpr double kQuietShare = 0.25;

// Those that add up to most where the feature fires.
TokenIds strongest_tokens(const std::vector<ShownText>& shown, double strongest) {
  std::map<int32_t, double> sums;
  for (const ShownText& text : shown) {
    for (const ShownRow& row : text.rows) {
      if (row.value >= kFiresShare * strongest) sums[row.token] += row.value;
    }
  }
  std::vector<std::pair<double, int32_t>> order;
  for (const auto& [token, sum] : sums) order.emplace_back(-sum, token);
  std::ranges::sort(order);
  TokenIds tokens;
  for (size_t i = 0; i < std::min(kCueTokens, order.size()); ++i) tokens.push_back(order[i].second);
  return tokens;
}

// In place of as many at the end of a long text, which may be as long as the models read. The first token stays the first.
TracedText with_tokens(TracedText text, const TokenIds& tokens, Random& random) {
  const int64_t start = std::max<int64_t>(text.answer_start, 1);
  if (std::ssize(text.ids) - start >= 2 * std::ssize(tokens)) text.ids.resize(text.ids.size() - tokens.size());
  for (const int32_t token : tokens) {
    const auto room = static_cast<uint64_t>(std::max<int64_t>(std::ssize(text.ids) - start, 0)) + 1;
    text.ids.insert(text.ids.begin() + std::min(start, std::ssize(text.ids)) + static_cast<int64_t>(random.below(room)), token);
  }
  return text;
}

}  // namespace

std::optional<TokenCue> inject_tokens(const std::vector<ShownText>& shown, const std::vector<TracedText>& texts,
                                      const LargestActivations& largest, uint64_t seed) {
  double strongest = 0.0;
  for (const ShownText& text : shown) strongest = std::max(strongest, text.largest());
  std::vector<size_t> quiet;
  for (const ShownText& text : shown) {
    if (text.largest() <= kQuietShare * strongest) quiet.push_back(static_cast<size_t>(text.text));
  }
  if (strongest <= 0.0 || quiet.size() < kFewestTexts) return std::nullopt;
  Random random(seed, stream_of("token injection"));
  random.shuffle(quiet);
  quiet.resize(std::min(quiet.size(), kInjectedTexts));
  TokenCue cue{.tokens = strongest_tokens(shown, strongest), .num_texts = std::ssize(quiet)};
  std::vector<TracedText> injected;
  for (const size_t i : quiet) injected.push_back(with_tokens(texts[i], cue.tokens, random));
  for (const double value : largest(injected)) cue.num_fired += value >= kFiresShare * strongest ? 1 : 0;
  return cue;
}

std::vector<double> CueReader::largest(const std::vector<TracedText>& changed, int64_t layer,
                                       const std::function<at::Tensor(const PairedRows&)>& values_of) const {
  const int64_t shared = shared_prefix(texts);
  const PairedRows rows = capture_rows(base, target, changed, {layer}, is_special, silent_progress()).front();
  const at::Tensor values = values_of(rows).to(at::kDouble).contiguous();
  std::vector<double> most(changed.size(), 0.0);
  for (size_t i = 0; i < rows.text.size(); ++i) {
    double& of_text = most[static_cast<size_t>(rows.text[i])];
    if (rows.position[i] >= shared) of_text = std::max(of_text, values.const_data_ptr<double>()[i]);
  }
  return most;
}

std::vector<double> LatentReader::largest(const std::vector<TracedText>& texts, int64_t latent) const {
  std::vector<double> most(texts.size(), 0.0);
  const ReadRows read = reader.read(texts);
  if (read.places.empty()) return most;
  const at::Tensor limits = at::tensor(rows.median_norms, at::kFloat) * rows.outlier_factor;
  const at::Tensor ordinary = read.rows.norm(2, {2}).le(limits).all(1);
  const MemoryRows as_read(dictionary.as_read(read.rows));
  const at::Tensor codes = codes_of(dictionary.crosscoder(), as_read, {latent}).select(1, 0).mul(ordinary).contiguous();
  for (size_t i = 0; i < read.places.size(); ++i) {
    double& of_text = most[static_cast<size_t>(read.places[i].text)];
    of_text = std::max<double>(of_text, codes.const_data_ptr<float>()[i]);
  }
  return most;
}

void add_token_cue(Json& entry, const std::vector<ShownText>& shown, const std::vector<TracedText>& texts,
                   const LargestActivations& largest, const Tokenizer& tokenizer, uint64_t seed) {
  const bool has_name = (entry.contains("name") && entry["name"].at("passes_bar")) ||
                        (entry.contains("described") && entry["described"].value("passes_bar", false));
  if (!has_name) return;
  const auto cue = inject_tokens(shown, texts, largest, seed);
  if (!cue) return;
  std::vector<std::string> tokens;
  for (const int32_t token : cue->tokens) tokens.push_back(tokenizer.token_text(token));
  entry["token_cue"] = {{"tokens", tokens}, {"num_fired", cue->num_fired}, {"num_texts", cue->num_texts}};
}

}  // namespace fi
