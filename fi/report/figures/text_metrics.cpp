#include "fi/report/figures/text_metrics.h"

#include <algorithm>
#include <cstdint>

#include "fi/report/text.h"

namespace fi {
namespace {

struct Block {
  char32_t first, last;
  const uint16_t* widths;  // in 1/2048 em, 0: no glyph
};

#include "fi/report/figures/dejavu_widths.inc"

constexpr double kUnitsPerEm = 2048.0;

bool is_wide(char32_t code) {
  return (code >= 0x1100 && code <= 0x11FF) || (code >= 0x2E80 && code <= 0xA4CF) || (code >= 0xAC00 && code <= 0xD7A3) ||
         (code >= 0xF900 && code <= 0xFAFF) || (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFFEF) ||
         (code >= 0x20000 && code <= 0x3FFFF);
}

bool is_emoji(char32_t code) { return (code >= 0x1F000 && code <= 0x1FAFF) || (code >= 0x2600 && code <= 0x27BF); }

double em_width(char32_t code, FontWeight weight) {
  for (const Block& block : weight == FontWeight::kBold ? kBoldBlocks : kRegularBlocks) {
    if (code < block.first || code > block.last) continue;
    if (const uint16_t width = block.widths[code - block.first]) return width / kUnitsPerEm;
  }
  if (is_emoji(code)) return 1.4;
  if (is_wide(code)) return 1.05;
  return 1.1;  // other scripts: their widest letters
}

// A cluster is as wide as its first code point, as marks stack on it. Joined emoji may be drawn side by side.
double cluster_width(const std::string& cluster, const Font& font) {
  double width = 0.0;
  for (const char32_t code : code_points(cluster)) {
    if (width == 0.0 || is_emoji(code)) width += em_width(code, font.weight);
  }
  return width * font.size;
}

bool breaks_after(const std::string& cluster) {
  const char32_t code = code_points(cluster)[0];
  return code == ' ' || code == '\n' || code == '-' || code == '/' || code == '_' || is_wide(code);
}

struct Piece {
  std::string text;
  double width = 0.0;
};

// Unbreakable pieces; a piece wider than a line is cut.
std::vector<Piece> pieces_of(std::string_view text, double max_width, const Font& font) {
  std::vector<Piece> pieces;
  bool open = false;
  for (const std::string& cluster : clusters(text)) {
    const double width = cluster_width(cluster, font);
    if (!open || pieces.back().width + width > max_width) pieces.emplace_back();
    pieces.back().text += cluster;
    pieces.back().width += width;
    open = !breaks_after(cluster);
  }
  return pieces;
}

std::string without_end_blanks(std::string text) {
  text.erase(text.find_last_not_of(" \n") + 1);
  return text;
}

}  // namespace

double text_width(std::string_view text, const Font& font) {
  double width = 0.0;
  for (const std::string& cluster : clusters(text)) width += cluster_width(cluster, font);
  return width;
}

std::string ellipsise(std::string_view text, double max_width, const Font& font) {
  if (text_width(text, font) <= max_width) return std::string(text);
  double width = text_width("…", font);
  std::string kept;
  for (const std::string& cluster : clusters(text)) {
    width += cluster_width(cluster, font);
    if (width > max_width) break;
    kept += cluster;
  }
  return without_end_blanks(kept) + "…";
}

std::vector<std::string> wrap(std::string_view text, double max_width, const Font& font, size_t max_lines) {
  std::vector<std::string> lines;
  double used = 0.0;
  for (const Piece& piece : pieces_of(text, max_width, font)) {
    const bool fits =
        !lines.empty() && used + text_width(without_end_blanks(piece.text), font) <= max_width && lines.back().back() != '\n';
    if (!fits) {
      lines.emplace_back();
      used = 0.0;
    }
    lines.back() += piece.text;
    used += piece.width;
  }
  if (lines.size() > max_lines) {
    std::string rest;
    for (size_t i = max_lines - 1; i < lines.size(); ++i) rest += lines[i];
    std::replace(rest.begin(), rest.end(), '\n', ' ');
    lines.resize(max_lines);
    lines.back() = ellipsise(rest, max_width, font);
  }
  for (std::string& line : lines) line = without_end_blanks(line);
  return lines;
}

}  // namespace fi
