#include "fi/report/tables.h"

#include <fmt/ranges.h>

#include <functional>
#include <type_traits>

#include "fi/io/csv.h"
#include "fi/io/parquet.h"
#include "fi/report/text.h"

namespace fi {
namespace {

using Cell = std::optional<std::string>;

Cell text(const std::string& value) { return clean_line(value); }
Cell text(const std::optional<std::string>& value) { return value ? Cell(clean_line(*value)) : std::nullopt; }

Cell joined(const std::vector<std::string>& texts) {
  std::string line;
  for (const std::string& item : texts) line += (line.empty() ? "" : " | ") + clean_line(item);
  return line;
}

/// A column of what `get` makes of each row: a whole number, a number or a text, or an optional one.
template <typename Row, typename Get>
TableColumn column(const char* name, const std::vector<Row>& rows, const Get& get) {
  using Got = std::decay_t<std::invoke_result_t<const Get&, const Row&>>;
  using Value = std::conditional_t<std::is_arithmetic_v<Got>, std::optional<Got>, Got>;
  std::vector<Value> cells;
  for (const Row& row : rows) cells.push_back(std::invoke(get, row));
  return {name, std::move(cells)};
}

std::vector<TableColumn> feature_columns(const std::vector<FeatureRow>& rows) {
  using F = FeatureRow;
  return {column("id", rows, [](const F& f) { return text(f.id); }),
          column("layer", rows, &F::layer),
          column("kind", rows, [](const F& f) { return text(f.kind); }),
          column("engine", rows, [](const F& f) { return text(f.engine); }),
          column("name", rows, [](const F& f) { return text(f.name); }),
          column("fires_on", rows, [](const F& f) { return text(f.fires_on); }),
          column("promotes", rows, [](const F& f) { return text(f.promotes); }),
          column("name_score", rows, &F::name_score),
          column("name_low", rows, &F::name_low),
          column("name_high", rows, &F::name_high),
          column("share_of_difference", rows, &F::share_of_difference),
          column("base_use", rows, &F::base_use),
          column("target_use", rows, &F::target_use),
          column("promoted_tokens", rows, [](const F& f) { return joined(f.promoted_tokens); }),
          column("suppressed_tokens", rows, [](const F& f) { return joined(f.suppressed_tokens); })};
}

std::vector<TableColumn> claim_columns(const std::vector<Claim>& rows) {
  using C = Claim;
  return {column("id", rows, [](const C& c) { return text(c.id); }),
          column("kind", rows, [](const C& c) { return text(c.kind); }),
          column("verdict", rows, [](const C& c) { return text(c.verdict); }),
          column("sentence", rows, [](const C& c) { return text(c.sentence); }),
          column("capability", rows, [](const C& c) { return text(c.capability); }),
          column("trigger", rows, [](const C& c) { return text(c.trigger); }),
          column("behaviour", rows, [](const C& c) { return text(c.behaviour); }),
          column("layers", rows, [](const C& c) { return Cell(fmt::format("{}", fmt::join(c.layers, " "))); }),
          column("metric", rows, [](const C& c) { return text(c.effect.metric); }),
          column("base", rows, [](const C& c) { return c.effect.base; }),
          column("target", rows, [](const C& c) { return c.effect.target; }),
          column("ci_low", rows, [](const C& c) { return c.effect.ci_low; }),
          column("ci_high", rows, [](const C& c) { return c.effect.ci_high; }),
          column("p_value", rows, [](const C& c) { return c.effect.p_value; }),
          column("q_value", rows, [](const C& c) { return c.effect.q_value; }),
          column("effect_size", rows, [](const C& c) { return c.effect.effect_size; }),
          column("num_prompts", rows, [](const C& c) { return c.effect.num_prompts; }),
          column("features", rows, [](const C& c) { return joined(c.features); })};
}

}  // namespace

std::string features_csv(const Report& report) { return csv_table(feature_columns(report.features)); }

std::string features_parquet(const Report& report) { return parquet_bytes(feature_columns(report.features)); }

std::string claims_csv(const Report& report) { return csv_table(claim_columns(report.claims)); }

}  // namespace fi
