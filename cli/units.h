#pragma once

#include <string>

namespace fi {

std::string duration_text(double seconds);  // "42 s", "7 min 05 s"
std::string size_text(double bytes);        // "120 MB", "1.4 GB"

}  // namespace fi
