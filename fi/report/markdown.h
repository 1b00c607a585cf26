#pragma once

#include <string>

#include "fi/claims/report_data.h"

namespace fi {

struct MarkdownOptions {
  std::string figures_folder;  // relative to the Markdown file, such as "../visualizations"; empty: no figures were drawn
};

/// The report for repositories and terminals. Prompts, answers and names are inert: no markup, link or HTML of theirs works.
std::string to_markdown(const Report& report, const MarkdownOptions& options);

/// Untrusted text on one line, without any meaning in Markdown or HTML, also inside a table cell.
std::string markdown_text(std::string_view text);

/// Untrusted text of several lines as a fenced block that it cannot close, wrapped at `width` characters.
std::string markdown_block(std::string_view text, size_t width = 96);

}  // namespace fi
