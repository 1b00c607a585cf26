#include "rust/cpp/template.h"

#include "rust/cpp/bytes.h"

namespace fi {

std::string render_template(std::string_view source, const Json& context, Escape escape, std::string_view where) {
  const std::string values = context.dump(-1, ' ', false, Json::error_handler_t::replace);
  FiBytes out{};
  const int32_t code =
      fi_rs_render_template(rust_data(source), source.size(), rust_data(values), values.size(), escape == Escape::kHtml, &out);
  return take_result(code, out, "template", where);
}

}  // namespace fi
