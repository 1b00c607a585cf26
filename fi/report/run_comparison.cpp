#include "fi/report/run_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/report/category_titles.h"
#include "fi/report/format.h"
#include "fi/report/overview.h"
#include "fi/report/text.h"

namespace fi {
namespace {

std::filesystem::path document_of(const std::filesystem::path& folder) {
  for (const char* name : {"reports/report.json", "features/features.json"}) {
    std::error_code error;
    if (std::filesystem::is_regular_file(folder / name, error)) return folder / name;
  }
  check(
      false, ErrorCode::kNotFound,
      "[compare runs] {}: got a folder without reports/report.json, expected the folder of a finished run; run `compare` first.",
      folder.string());
  return {};
}

// Weights decide where both runs know them; else the name has to.
bool same_base(const ModelIdentity& a, const ModelIdentity& b) {
  return a.sha256 && b.sha256 ? *a.sha256 == *b.sha256 : a.name == b.name;
}

std::string run_name(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder.lexically_normal();
  return clean_line((path.has_filename() ? path : path.parent_path()).filename().string());
}

std::string claim_counts(const Report& report) {
  if (report.claims.empty()) return "none";
  std::string parts;
  for (const char* verdict : {"verified", "suggestive", "untested", "refuted"}) {
    const auto count =
        std::count_if(report.claims.begin(), report.claims.end(), [&](const Claim& c) { return c.verdict == verdict; });
    if (count > 0) parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", count, verdict);
  }
  return parts;
}

std::string widest_layer(const Report& report) {
  const LayerRow* widest = nullptr;
  for (const LayerRow& row : report.layers) {
    if (row.relative_difference > (widest ? widest->relative_difference : 0.0)) widest = &row;
  }
  return widest ? fmt::format("{} ({})", widest->layer, format_number(widest->relative_difference)) : "";
}

}  // namespace

std::vector<ComparedRun> read_runs(const std::vector<std::filesystem::path>& folders) {
  std::vector<ComparedRun> runs;
  for (const std::filesystem::path& folder : folders) {
    const std::string path = document_of(folder).string();
    runs.push_back({run_name(folder), report_from_json(parse_json(read_file(path, "compare runs"), "compare runs", path), path)});
    check(same_base(runs.front().report.base, runs.back().report.base), ErrorCode::kIncompatible,
          "[compare runs] base of {}: got {}, expected {}, the base of {}; lay only runs of one base side by side.",
          folder.string(), runs.back().report.base.name, runs.front().report.base.name, folders.front().string());
  }
  return runs;
}

std::vector<RunRow> run_rows(const std::vector<ComparedRun>& runs) {
  std::vector<RunRow> rows;
  for (const ComparedRun& run : runs) {
    const Report& report = run.report;
    RunRow row{run.name, clean_line(report.target.name), relation_label(report.relation), report.verdict, claim_counts(report)};
    row.strongest = report.claims.empty() ? headline(report) : clean_line(report.claims.front().sentence);
    if (!report.claims.empty()) row.effect = clean_line(format_change(report.claims.front().effect));
    row.layer = widest_layer(report);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<CapabilityRow> capability_rows(const std::vector<ComparedRun>& runs) {
  std::map<std::string, CapabilityRow> by_id;
  for (size_t i = 0; i < runs.size(); ++i) {
    const CategoryTitles titles(runs[i].report);
    for (const CategoryRow& category : runs[i].report.categories) {
      CapabilityRow& row = by_id[category.id];
      row.title = titles.of(category.id);
      row.effects.resize(runs.size(), std::numeric_limits<double>::quiet_NaN());
      row.effects[i] = category.largest_effect;
    }
  }
  const auto reach = [](const CapabilityRow& row) {
    double largest = 0.0;
    for (const double effect : row.effects) largest = std::max(largest, std::isfinite(effect) ? std::abs(effect) : 0.0);
    return largest;
  };
  std::vector<CapabilityRow> rows;
  for (auto& [id, row] : by_id) rows.push_back(std::move(row));
  std::stable_sort(rows.begin(), rows.end(), [&](const CapabilityRow& a, const CapabilityRow& b) { return reach(a) > reach(b); });
  return rows;
}

}  // namespace fi
