#pragma once

#include <string>

#include "fi/core/json.h"

namespace fi {

/// The plan of a comparison (fi/compare/plan.h) in lines for people.
std::string plan_text(const Json& plan);

}  // namespace fi
