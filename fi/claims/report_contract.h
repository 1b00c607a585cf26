#pragma once

#include <string_view>

#include "fi/core/json.h"

namespace fi {

/// What every reader of report.json may rely on: the fields that the published schema requires, and its lists of words.
/// Throws kInvalid naming the field's path. Types are checked where fields are read.
void check_report_document(const Json& document, std::string_view where);

/// JSON has no NaN or infinity, and the contract wants numbers: optional numbers become null, p- and q-values 1, others 0.
void make_finite(Json& value, std::string_view name = "");

}  // namespace fi
