#include "fi/report/write_report.h"

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/report/html.h"
#include "fi/report/markdown.h"
#include "fi/report/tables.h"

namespace fi {
namespace {

std::string figures_beside(const std::filesystem::path& folder) {
  std::error_code error;
  const bool drawn = std::filesystem::exists(folder / ".." / "visualizations" / "layer_map.png", error);
  return drawn ? "../visualizations" : "";
}

}  // namespace

ReportFiles write_report(const Report& report, const std::filesystem::path& folder, const std::string& format) {
  check(format == "markdown" || format == "html" || format == "both", ErrorCode::kUsage,
        "[write report] report format: got '{}', expected markdown, html or both.", format);
  make_folder(folder);
  ReportFiles files;
  files.json = folder / "report.json";
  files.features_csv = folder / "features.csv";
  files.features_parquet = folder / "features.parquet";
  files.claims_csv = folder / "claims.csv";
  write_file_atomically(files.json, to_pretty_json(to_json(report)));
  write_file_atomically(files.features_csv, features_csv(report));
  write_file_atomically(files.features_parquet, features_parquet(report));
  write_file_atomically(files.claims_csv, claims_csv(report));
  if (format != "html") {
    files.markdown = folder / "report.md";
    write_file_atomically(files.markdown, to_markdown(report, {.figures_folder = figures_beside(folder)}));
  }
  if (format != "markdown") {
    files.html = folder / "report.html";
    write_file_atomically(files.html, to_html(report));
  }
  return files;
}

}  // namespace fi
