#pragma once

#include <string>
#include <string_view>

#include "fi/claims/report_data.h"

namespace fi {

/// The report as one page that opens offline: it asks for nothing from anywhere, and its content security policy forbids it to.
std::string to_html(const Report& report);

/// "sha256-..." of a script's text, as a content security policy names it.
std::string script_hash(std::string_view script);

}  // namespace fi
