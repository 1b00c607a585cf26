#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "fi/io/atomic_file.h"
#include "fi/io/csv.h"
#include "fi/report/format.h"
#include "fi/report/html.h"
#include "fi/report/markdown.h"
#include "fi/report/overview.h"
#include "fi/report/run_comparison.h"
#include "fi/report/text.h"
#include "rust/cpp/template.h"

namespace fi {

namespace embedded {
extern const std::map<std::string, std::string_view> page_files;
}

namespace {

constexpr size_t kMaxCapabilities = 60;

std::string effect_text(double effect) { return std::isfinite(effect) ? format_delta(effect) : ""; }

std::string table_row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += " " + (cell.empty() ? "–" : markdown_text(cell)) + " |";
  return line + "\n";
}

std::string rule(size_t num_cells) {
  std::string line = "|";
  for (size_t i = 0; i < num_cells; ++i) line += " --- |";
  return line + "\n";
}

std::string title_of(const std::vector<ComparedRun>& runs) {
  return fmt::format("{} {} of {}", runs.size(), runs.size() == 1 ? "target" : "targets",
                     runs.empty() ? "no base" : clean_line(runs.front().report.base.name));
}

// How strong a colour a cell gets: one of five steps, so that style sheets need no computed values.
std::string tint(double effect) {
  if (!std::isfinite(effect)) return "";
  const int step = static_cast<int>(std::lround(4 * std::min(1.0, std::abs(effect))));
  return step == 0 ? "" : fmt::format("{}{}", effect > 0 ? "up" : "down", step);
}

Json capability_json(const std::vector<ComparedRun>& runs) {
  Json rows = Json::array();
  for (const CapabilityRow& row : capability_rows(runs)) {
    if (rows.size() == kMaxCapabilities) break;
    Json cells = Json::array();
    for (const double effect : row.effects) cells.push_back({{"text", effect_text(effect)}, {"tint", tint(effect)}});
    rows.push_back({{"title", row.title}, {"cells", cells}});
  }
  return rows;
}

}  // namespace

std::string comparison_markdown(const std::vector<ComparedRun>& runs) {
  std::string text = "# " + markdown_text(title_of(runs)) + "\n\n";
  const std::vector<std::string> head = {"run", "target", "relation", "claims", "strongest", "effect", "widest layer"};
  text += table_row(head) + rule(head.size());
  for (const RunRow& row : run_rows(runs)) {
    text += table_row({row.name, row.target, row.relation, row.claims, row.strongest, row.effect, row.layer});
  }
  std::vector<std::string> capability_head = {"category"};
  for (const ComparedRun& run : runs) capability_head.push_back(run.name);
  text += "\n## Capability change by category\n\nStrongest change of the answers on discovery prompts, as Cliff's delta.\n\n";
  text += table_row(capability_head) + rule(capability_head.size());
  for (const CapabilityRow& row : capability_rows(runs)) {
    std::vector<std::string> cells = {row.title};
    for (const double effect : row.effects) cells.push_back(effect_text(effect));
    text += table_row(cells);
  }
  return text;
}

std::string comparison_html(const std::vector<ComparedRun>& runs) {
  const std::string_view style = embedded::page_files.at("report.css");
  Json context = {{"title", title_of(runs)}, {"style", style}, {"style_hash", script_hash(style)}};
  context["base"] = runs.empty() ? "" : model_line(runs.front().report.base);
  context["runs"] = Json::array();
  for (const RunRow& row : run_rows(runs)) {
    context["runs"].push_back({{"name", row.name},
                               {"target", row.target},
                               {"relation", row.relation},
                               {"claims", row.claims},
                               {"strongest", row.strongest},
                               {"effect", row.effect},
                               {"layer", row.layer}});
  }
  context["capabilities"] = capability_json(runs);
  return render_template(embedded::page_files.at("comparison.html.j2"), context, Escape::kHtml, "comparison.html.j2");
}

std::string comparison_csv(const std::vector<ComparedRun>& runs) {
  std::string csv = csv_row({"run", "target", "relation", "verdict", "claims", "strongest_claim", "effect", "widest_layer"});
  for (const RunRow& row : run_rows(runs)) {
    csv += csv_row({row.name, row.target, row.relation, row.verdict, row.claims, row.strongest, row.effect, row.layer});
  }
  return csv;
}

std::vector<std::filesystem::path> write_comparison(const std::vector<ComparedRun>& runs, const std::filesystem::path& folder) {
  make_folder(folder);
  const std::pair<const char*, std::string> files[] = {{"comparison.html", comparison_html(runs)},
                                                       {"comparison.md", comparison_markdown(runs)},
                                                       {"comparison.csv", comparison_csv(runs)}};
  std::vector<std::filesystem::path> paths;
  for (const auto& [name, text] : files) {
    paths.push_back(folder / name);
    write_file_atomically(paths.back(), text);
  }
  return paths;
}

}  // namespace fi
