#pragma once

#include <memory>
#include <string>

#include "fi/behaviour/detector.h"
#include "fi/core/json.h"

namespace fi {

/// Builds the detector of one library entry from its matcher field and that field's modifiers. Keys are already checked;
/// `name` ("data.json: concept 'apology'") opens kUsage errors about their values.
std::shared_ptr<const Detector> make_detector(Detector::Words words, const Json& entry, const std::string& name);

}  // namespace fi
