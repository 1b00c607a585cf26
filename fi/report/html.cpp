#include "fi/report/html.h"

#include <map>

#include "fi/core/error.h"
#include "fi/core/hash.h"
#include "fi/report/answer_payload.h"
#include "fi/report/feature_payload.h"
#include "fi/report/page_context.h"
#include "rust/cpp/template.h"

namespace fi {

namespace embedded {
extern const std::map<std::string, std::string_view> page_files;
}

namespace {

std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

std::string base64(std::string_view bytes) {
  constexpr const char* kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = (group << 8) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) text += i + k > bytes.size() ? '=' : kLetters[(group >> (18 - 6 * k)) & 63];
  }
  return text;
}

// Large data bypass the template engine, which limits what it writes. In text that the template escapes no such mark can occur.
void put_in_place_of(std::string& page, std::string_view mark, std::string_view text) {
  const size_t at = page.find(mark);
  invariant(at != std::string::npos, "page template without a mark");
  page.replace(at, mark.size(), text);
}

}  // namespace

std::string script_hash(std::string_view script) { return "sha256-" + base64(bytes_of_hex(sha256_of_bytes(script))); }

std::string to_html(const Report& report) {
  const std::string_view script = embedded::page_files.at("report.js"), style = embedded::page_files.at("report.css");
  Json context = page_context(report);
  context["style"] = style;
  context["style_hash"] = script_hash(style);
  context["script"] = script;
  context["script_hash"] = script_hash(script);
  const std::string answers = answer_payload(report);
  context["has_answer_kl"] = !answers.empty();
  std::string page = render_template(embedded::page_files.at("report.html.j2"), context, Escape::kHtml, "report.html.j2");
  const FeaturePayload features = feature_payload(report);
  put_in_place_of(page, "<!--feature-data-->", features.columns);
  put_in_place_of(page, "<!--feature-details-->", features.details);
  put_in_place_of(page, "<!--answer-kl-->", answers);
  return page;
}

}  // namespace fi
