#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fi/report/figures/text_metrics.h"

namespace fi {

/// Colours of figures. Each is written as an attribute (for files) and a class (so that a page can restyle it, for dark mode).
enum class Ink {
  kPaper,
  kCard,
  kInk,
  kSoft,
  kLine,
  kBase,
  kTarget,
  kBaseTint,
  kTargetTint,
  kModified,
  kShared,
  kGood,
  kWarn,
};

enum class Anchor { kStart, kMiddle, kEnd };

struct Point {
  double x = 0.0, y = 0.0;
};

struct Box {
  double x = 0.0, y = 0.0, width = 0.0, height = 0.0;
};

struct FillStyle {
  Ink fill = Ink::kInk;
  double opacity = 1.0;
  double radius = 0.0;
};

struct StrokeStyle {
  Ink ink = Ink::kLine;
  double width = 1.0;
  bool dashed = false;
};

struct TextStyle {
  Font font;
  Ink ink = Ink::kInk;
  Anchor anchor = Anchor::kStart;
};

/// Where a text stands, in pixels of the drawing.
struct TextBox {
  Box box;
  std::string text;
};

/// Writes SVG with fixed number format and order, so that equal drawings have equal bytes. Text is escaped and stays
/// selectable; callers make it fit (`ellipsise`, `wrap`).
class Svg {
 public:
  explicit Svg(double width) : width_(width) {}

  double width() const { return width_; }
  void rect(const Box& box, const FillStyle& style);
  /// Sharp boxes of one colour, as one shape.
  void boxes(const std::vector<Box>& boxes, const FillStyle& style);
  void frame(const Box& box, const StrokeStyle& style, double radius);
  void line(Point from, Point to, const StrokeStyle& style);
  void polyline(const std::vector<Point>& points, const StrokeStyle& style);
  void polygon(const std::vector<Point>& points, const FillStyle& style);
  void circle(Point centre, double radius, const FillStyle& style);
  void text(Point baseline, std::string_view text, const TextStyle& style);
  /// An invisible area with a tooltip; `key` and `value` become a data attribute that a page's script may read.
  void hit_area(const Box& box, std::string_view tooltip, std::string_view key, std::string_view value);

  /// Draws another drawing on top.
  void append(const Svg& other);

  /// `alt` describes the drawing to those who do not see it. With `paper`, a background is painted; without, the drawing is for
  /// a page whose style sheet has the colours of the classes, and names none itself.
  std::string finish(double height, std::string_view alt, bool paper) const;
  const std::vector<TextBox>& text_boxes() const { return text_boxes_; }

 private:
  double width_;
  std::string body_;
  std::vector<TextBox> text_boxes_;
};

}  // namespace fi
