// Writes a sample report and its figures, or of 50,000 features the page alone: write_sample rich|empty|nasty|large|huge FOLDER
// [figures]. For tests of the page, and for looking.

#include <cstdio>
#include <string>

#include "fi/core/progress.h"
#include "fi/io/atomic_file.h"
#include "fi/report/figures/figure.h"
#include "fi/report/html.h"
#include "fi/report/write_report.h"
#include "sample_report.h"

int main(int argc, char** argv) {
  if (argc < 3) return std::fputs("usage: write_sample rich|empty|nasty|large|huge FOLDER [figures]\n", stderr), 2;
  const std::string kind = argv[1];
  const std::filesystem::path folder = argv[2];
  if (kind == "huge") {
    fi::make_folder(folder / "reports");
    fi::write_file_atomically(folder / "reports/report.html", fi::to_html(fi::samples::large_report(50'000)));
    return 0;
  }
  const fi::Report report = kind == "empty"   ? fi::samples::empty_report()
                            : kind == "nasty" ? fi::samples::nasty_report()
                            : kind == "large" ? fi::samples::large_report(2000)
                                              : fi::samples::rich_report();
  fi::write_report(report, folder / "reports", "both");
  if (argc > 3) fi::write_figures(report, folder / "visualizations", fi::silent_progress());
  return 0;
}
