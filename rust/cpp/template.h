#pragma once

#include <string>
#include <string_view>

#include "fi/core/json.h"

namespace fi {

enum class Escape { kNone, kHtml };

/// Renders a Jinja template. Templates come from models and are not trusted: they run with limits on steps, depth and output, and
/// can reach nothing but `context`. kInvalid errors name `where` and the template's line.
std::string render_template(std::string_view source, const Json& context, Escape escape, std::string_view where);

}  // namespace fi
