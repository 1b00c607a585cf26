#pragma once

#include <cstdint>
#include <string>

namespace fi {

/// "20,692".
std::string count_text(int64_t count);

}  // namespace fi
