#pragma once

#include "fi/claims/report_data.h"
#include "fi/core/json.h"

namespace fi {

/// Everything that the page's template needs, as plain text and inline SVG: numbers are formatted, texts cleaned, changed words
/// of answers marked. The template only arranges.
Json page_context(const Report& report);

}  // namespace fi
