#include "fi/report/feature_payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "fi/report/category_titles.h"
#include "fi/report/figures/figure.h"
#include "fi/report/overview.h"
#include "fi/report/text.h"

namespace fi {
namespace {

constexpr size_t kMaxFiringTokens = 6;
constexpr double kFiring = 0.5;  // of the largest activation

/// Every text once; the empty one has place 0.
class StringTable {
 public:
  StringTable() { place(""); }

  size_t place(const std::string& text) {
    const auto [entry, is_new] = places_.try_emplace(text, places_.size());
    if (is_new) texts_.push_back(text);
    return entry->second;
  }
  size_t line(std::string_view bytes) { return place(clean_line(bytes)); }
  Json lines(const std::vector<std::string>& texts) {
    Json list = Json::array();
    for (const std::string& text : texts) list.push_back(line(text));
    return list;
  }
  const Json& texts() const { return texts_; }

 private:
  std::unordered_map<std::string, size_t> places_;
  Json texts_ = Json::array();
};

double four_digits(double value) { return std::isfinite(value) ? std::stod(fmt::format("{:.3e}", value)) : 0.0; }

int64_t hundredths(double share) { return std::isfinite(share) ? std::lround(100 * std::clamp(share, 0.0, 1.0)) : 0; }

// JSON has these characters inside its strings only.
std::string script_safe(const std::string& json) {
  std::string text;
  text.reserve(json.size());
  for (const char c : json) {
    if (c == '<' || c == '>' || c == '&') {
      text += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      text += c;
    }
  }
  return text;
}

Json example_line(const FeatureExample& example, const CategoryTitles& titles, StringTable& strings) {
  Json tokens = Json::array(), base = Json::array(), target = Json::array();
  for (const TokenValue& token : example.tokens) {
    tokens.push_back(strings.place(clean_text(token.text)));
    base.push_back(hundredths(token.base));
    target.push_back(hundredths(token.target));
  }
  return Json::array({strings.place(titles.of(example.category)), tokens, base, target});
}

Json ratio_columns(const RatioEstimate& ratio) {
  return {four_digits(ratio.value), four_digits(ratio.low), four_digits(ratio.high)};
}

Json optional_column(const std::optional<double>& number) { return number ? Json(four_digits(*number)) : Json(); }

Json measure_columns(const LatentMeasures& m) {
  return {four_digits(m.firing_rate),
          m.num_firings,
          m.num_texts,
          optional_column(m.base_decoder_norm),
          optional_column(m.target_decoder_norm),
          four_digits(m.target_norm_share),
          four_digits(m.decoder_cosine),
          four_digits(m.use_ratio),
          ratio_columns(m.nu_error_base),
          ratio_columns(m.nu_error_target),
          four_digits(m.nu_reconstruction_base),
          four_digits(m.nu_reconstruction_target),
          m.has_one_space};
}

std::string detail_line(const FeatureRow& feature, const CategoryTitles& titles, StringTable& strings) {
  Json categories = Json::array(), examples = Json::array();
  for (const CategoryUse& use : feature.categories) {
    categories.push_back({strings.place(titles.of(use.category)), four_digits(use.base), four_digits(use.target)});
  }
  for (const FeatureExample& example : feature.examples) examples.push_back(example_line(example, titles, strings));
  Json line = {strings.lines(feature.suppressed_tokens), categories, examples};
  const std::vector<std::string> notes = feature_notes(feature);
  if (feature.measures || !notes.empty()) line.push_back(feature.measures ? measure_columns(*feature.measures) : Json());
  if (!notes.empty()) line.push_back(strings.lines(notes));
  return line.dump();
}

void add_to_columns(Json& columns, const FeatureRow& feature, StringTable& strings) {
  columns["id"].push_back(clean_line(feature.id));
  columns["layer"].push_back(feature.layer);
  columns["kind"].push_back(strings.line(feature.kind));
  columns["engine"].push_back(strings.line(feature.engine));
  columns["name"].push_back(strings.line(feature.name.value_or("")));
  columns["fires_on"].push_back(strings.line(feature.fires_on.value_or("")));
  columns["promotes"].push_back(strings.line(feature.promotes.value_or("")));
  columns["score"].push_back(optional_column(feature.name_score));
  columns["share"].push_back(optional_column(feature.share_of_difference));
  columns["base_use"].push_back(four_digits(feature.base_use));
  columns["target_use"].push_back(four_digits(feature.target_use));
  columns["tokens"].push_back(strings.lines(firing_tokens(feature, kMaxFiringTokens)));
  columns["promoted"].push_back(strings.lines(feature.promoted_tokens));
}

Json empty_columns() {
  Json columns = Json::object();
  for (const char* name : {"id", "layer", "kind", "engine", "name", "fires_on", "promotes", "score", "share", "base_use",
                           "target_use", "tokens", "promoted"}) {
    columns[name] = Json::array();
  }
  return columns;
}

Json test_columns(const Claim& claim) {
  Json tests = Json::array();
  for (const auto& [name, test] : causal_tests(claim))
    tests.push_back({name, four_digits(test.effect), four_digits(test.control_effect), test.passed ? 1 : 0});
  return tests;
}

Json claim_columns(const Report& report, const std::unordered_map<std::string, size_t>& place_of_id) {
  Json claims = Json::array();
  for (const Claim& claim : report.claims) {
    Json members = Json::array();
    for (const std::string& id : claim.features) {
      if (const auto place = place_of_id.find(id); place != place_of_id.end()) members.push_back(place->second);
    }
    const size_t number = claims.size() + 1;
    claims.push_back({{"number", number},
                      {"anchor", anchor_of(claim.id)},
                      {"verdict", claim.verdict},
                      {"features", members},
                      {"tested_layer", claim.causal_layer ? Json(*claim.causal_layer) : Json()},
                      {"tests", test_columns(claim)}});
  }
  return claims;
}

}  // namespace

std::string anchor_of(std::string_view id) {
  std::string anchor = clean_line(id);
  std::replace(anchor.begin(), anchor.end(), ' ', '_');
  return anchor;
}

std::vector<std::string> firing_tokens(const FeatureRow& feature, size_t max_tokens) {
  std::map<std::string, double> strongest;
  for (const FeatureExample& example : feature.examples) {
    for (const TokenValue& token : example.tokens) {
      const std::string text = trimmed(clean_line(token.text));
      if (!text.empty() && token.value >= kFiring) strongest[text] = std::max(strongest[text], token.value);
    }
  }
  std::vector<std::pair<double, std::string>> order;
  for (const auto& [text, value] : strongest) order.emplace_back(-value, text);
  std::sort(order.begin(), order.end());
  std::vector<std::string> tokens;
  for (size_t i = 0; i < std::min(max_tokens, order.size()); ++i) tokens.push_back(order[i].second);
  return tokens;
}

FeaturePayload feature_payload(const Report& report) {
  const CategoryTitles titles(report);
  StringTable strings;
  Json columns = empty_columns();
  std::unordered_map<std::string, size_t> place_of_id;
  FeaturePayload payload;
  for (const size_t index : strongest_features(report, report.features.size())) {
    const FeatureRow& feature = report.features[index];
    place_of_id.try_emplace(feature.id, columns["id"].size());
    add_to_columns(columns, feature, strings);
    payload.details += detail_line(feature, titles, strings) + "\n";
  }
  columns["claims"] = claim_columns(report, place_of_id);
  columns["strings"] = strings.texts();
  payload.columns = script_safe(columns.dump());
  payload.details = script_safe(payload.details);
  return payload;
}

}  // namespace fi
