#pragma once

#include <filesystem>
#include <string>

#include "fi/claims/report_data.h"

namespace fi {

struct ReportFiles {
  std::filesystem::path json;
  std::filesystem::path markdown;  // empty unless asked for
  std::filesystem::path html;      // empty unless asked for
  std::filesystem::path features_csv;
  std::filesystem::path features_parquet;
  std::filesystem::path claims_csv;
};

/// Writes report.json, features.csv, features.parquet and claims.csv always, and report.md or report.html as `format` says:
/// "markdown", "html" or "both" (kUsage otherwise). Each file appears whole or not at all. Markdown links the figures of the
/// sibling folder `visualizations` if they are there.
ReportFiles write_report(const Report& report, const std::filesystem::path& folder, const std::string& format);

}  // namespace fi
