#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fi/behaviour/text_view.h"

namespace fi {

/// A number measured on an answer, such as "num_words" or "share_of_digits".
using Scalar = double (*)(const TextView& prompt, const TextView& answer);

/// nullptr if there is none of this name. fi/behaviour/README.md lists them with their units.
Scalar find_scalar(std::string_view name);
std::vector<std::string> scalar_names();

}  // namespace fi
