// Writes a sample report and its figures: write_sample rich|empty|nasty|large FOLDER. For tests of the page, and for looking.

#include <cstdio>
#include <string>

#include "fi/core/progress.h"
#include "fi/report/figures/figure.h"
#include "fi/report/write_report.h"
#include "sample_report.h"

int main(int argc, char** argv) {
  if (argc < 3) return std::fputs("usage: write_sample rich|empty|nasty|large FOLDER [figures]\n", stderr), 2;
  const std::string kind = argv[1];
  const std::filesystem::path folder = argv[2];
  const fi::Report report = kind == "empty"   ? fi::samples::empty_report()
                            : kind == "nasty" ? fi::samples::nasty_report()
                            : kind == "large" ? fi::samples::large_report(2000)
                                              : fi::samples::rich_report();
  fi::write_report(report, folder / "reports", "both");
  if (argc > 3) fi::write_figures(report, folder / "visualizations", fi::silent_progress());
  return 0;
}
