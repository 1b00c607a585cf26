#include "fi/report/figures/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fi/report/text.h"

namespace fi {
namespace {

struct Paint {
  const char* name;
  const char* hex;
};

Paint paint(Ink ink) {
  switch (ink) {
    case Ink::kPaper: return {"paper", "#fdfcfa"};
    case Ink::kCard: return {"card", "#ffffff"};
    case Ink::kInk: return {"ink", "#1c1b19"};
    case Ink::kSoft: return {"soft", "#625e57"};
    case Ink::kLine: return {"line", "#dfdad0"};
    case Ink::kBase: return {"base", "#3f6fb0"};
    case Ink::kTarget: return {"target", "#c8622d"};
    case Ink::kBaseTint: return {"base-tint", "#d5e2f3"};
    case Ink::kTargetTint: return {"target-tint", "#f9dcc8"};
    case Ink::kModified: return {"modified", "#dcab2f"};
    case Ink::kShared: return {"shared", "#a9a498"};
    case Ink::kGood: return {"good", "#2a7048"};
    case Ink::kWarn: return {"warn", "#8a5a00"};
  }
  return {"ink", "#1c1b19"};
}

// At most two decimals, no negative zero, no exponent.
std::string number(double value) {
  const double rounded = std::isfinite(value) ? std::round(value * 100) / 100 : 0.0;
  std::string text = fmt::format("{:.2f}", rounded == 0 ? 0.0 : rounded);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string fill(const FillStyle& style) {
  const Paint p = paint(style.fill);
  const std::string opacity = style.opacity < 1 ? fmt::format(" fill-opacity=\"{}\"", number(style.opacity)) : "";
  return fmt::format("class=\"f-{}\" fill=\"{}\"{}", p.name, p.hex, opacity);
}

std::string stroke(const StrokeStyle& style) {
  const Paint p = paint(style.ink);
  return fmt::format("class=\"s-{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"{}", p.name, p.hex, number(style.width),
                     style.dashed ? " stroke-dasharray=\"3 3\"" : "");
}

std::string geometry(const Box& box, double radius) {
  const std::string corner = radius > 0 ? fmt::format(" rx=\"{}\"", number(radius)) : "";
  return fmt::format("x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{}", number(box.x), number(box.y),
                     number(std::max(0.0, box.width)), number(std::max(0.0, box.height)), corner);
}

void erase_all(std::string& text, std::string_view what, size_t length) {
  size_t to = 0;
  for (size_t at = 0; at < text.size();) {
    if (text.compare(at, what.size(), what) == 0) {
      at += length;
    } else {
      text[to++] = text[at++];
    }
  }
  text.resize(to);
}

// A page's style sheet gives the classes their colours. In escaped text, no such attribute can occur.
std::string without_colours(std::string body) {
  constexpr size_t kHex = std::string_view("#000000\"").size();
  for (const std::string_view attribute : {" fill=\"#", " stroke=\"#"}) erase_all(body, attribute, attribute.size() - 1 + kHex);
  for (const std::string_view attribute : {" fill=\"none\"", " stroke-width=\"1\""}) erase_all(body, attribute, attribute.size());
  return body;
}

std::string list(const std::vector<Point>& points) {
  std::string text;
  for (const Point& point : points) text += fmt::format("{}{},{}", text.empty() ? "" : " ", number(point.x), number(point.y));
  return text;
}

}  // namespace

void Svg::rect(const Box& box, const FillStyle& style) {
  body_ += fmt::format("<rect {} {}/>\n", geometry(box, style.radius), fill(style));
}

void Svg::boxes(const std::vector<Box>& boxes, const FillStyle& style) {
  if (boxes.empty()) return;
  std::string path;
  for (const Box& box : boxes) {
    path +=
        fmt::format("M{} {}h{}v{}h{}z", number(box.x), number(box.y), number(box.width), number(box.height), number(-box.width));
  }
  body_ += fmt::format("<path d=\"{}\" {}/>\n", path, fill(style));
}

void Svg::frame(const Box& box, const StrokeStyle& style, double radius) {
  body_ += fmt::format("<rect {} {}/>\n", geometry(box, radius), stroke(style));
}

void Svg::line(Point from, Point to, const StrokeStyle& style) {
  body_ +=
      fmt::format("<path d=\"M{} {}L{} {}\" {}/>\n", number(from.x), number(from.y), number(to.x), number(to.y), stroke(style));
}

void Svg::polyline(const std::vector<Point>& points, const StrokeStyle& style) {
  body_ += fmt::format("<polyline points=\"{}\" {} stroke-linejoin=\"round\"/>\n", list(points), stroke(style));
}

void Svg::polygon(const std::vector<Point>& points, const FillStyle& style) {
  body_ += fmt::format("<polygon points=\"{}\" {}/>\n", list(points), fill(style));
}

void Svg::circle(Point centre, double radius, const FillStyle& style) {
  body_ +=
      fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {}/>\n", number(centre.x), number(centre.y), number(radius), fill(style));
}

void Svg::text(Point baseline, std::string_view text, const TextStyle& style) {
  if (text.empty()) return;
  const double width = text_width(text, style.font);
  const double shift = style.anchor == Anchor::kStart ? 0 : style.anchor == Anchor::kMiddle ? width / 2 : width;
  const double size = style.font.size;
  text_boxes_.push_back({{baseline.x - shift, baseline.y - 0.78 * size, width, 1.02 * size}, std::string(text)});
  // Tokens keep their leading space, which SVG would drop.
  const bool keeps_space = text.front() == ' ' || text.back() == ' ' || text.find("  ") != std::string_view::npos;
  const char* space = keeps_space ? " xml:space=\"preserve\"" : "";
  constexpr const char* kAnchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
  body_ += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\"{}{}{} {}>{}</text>\n", number(baseline.x), number(baseline.y),
                       number(size), style.font.weight == FontWeight::kBold ? " font-weight=\"700\"" : "",
                       kAnchors[static_cast<int>(style.anchor)], space, fill({.fill = style.ink}), escape_xml(clean_line(text)));
}

void Svg::hit_area(const Box& box, std::string_view tooltip, std::string_view key, std::string_view value) {
  body_ += fmt::format("<rect {} class=\"hit\" fill-opacity=\"0\" data-{}=\"{}\"><title>{}</title></rect>\n", geometry(box, 0),
                       key, escape_xml(value), escape_xml(clean_line(tooltip)));
}

void Svg::append(const Svg& other) {
  body_ += other.body_;
  text_boxes_.insert(text_boxes_.end(), other.text_boxes_.begin(), other.text_boxes_.end());
}

std::string Svg::finish(double height, std::string_view alt, bool paper) const {
  const std::string size = paper ? fmt::format(" width=\"{}\" height=\"{}\"", number(width_), number(height)) : "";
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\"{} viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" class=\"figure\" "
      "font-family=\"'DejaVu Sans', Verdana, 'Segoe UI', system-ui, sans-serif\">\n",
      size, number(width_), number(height), escape_xml(clean_line(alt)));
  if (paper) svg += fmt::format("<rect {} {}/>\n", geometry({0, 0, width_, height}, 0), fill({.fill = Ink::kPaper}));
  return svg + (paper ? body_ : without_colours(body_)) + "</svg>\n";
}

}  // namespace fi
