#pragma once

#include <string>

namespace fi {

/// Path of the small model that `make demo` fetches, or what FI_SMOLLM2 names instead. kNotFound if it is not there.
std::string demo_model();

}  // namespace fi
