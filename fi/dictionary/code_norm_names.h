#pragma once

#include <map>
#include <string>

#include "fi/dictionary/crosscoder.h"

namespace fi {

/// Code norms as crosscoder files spell them.
const std::map<std::string, CodeNorm>& code_norm_names();
const std::string& code_norm_name(CodeNorm norm);

}  // namespace fi
