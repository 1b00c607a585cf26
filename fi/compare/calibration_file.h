#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "fi/core/json.h"

namespace fi {

/// Where `calibrate` leaves its document for a base model of this SHA-256: under XDG_CACHE_HOME or ~/.cache.
std::filesystem::path calibration_path(const std::string& base_sha256);

/// What a calibration says, in a sentence for the report. kInvalid for a document that is no calibration.
std::string calibration_sentence(const Json& calibration, std::string_view where);

/// That sentence for the calibration of this base on this machine, or that there is none.
std::string measured_false_claims(const std::string& base_sha256);

}  // namespace fi
