#pragma once

#include <string>

#include "fi/core/json.h"

namespace fi {

/// Variance explained of a DictionaryQuality: "base 0.735, target 0.726"; with several layers "base 0.735/0.702, target ...".
std::string explained_words(const Json& quality);

}  // namespace fi
