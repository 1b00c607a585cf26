#pragma once

#include <string>

#include "fi/claims/report_data.h"

namespace fi {

/// What the page's script reads about features. Neither text can end a script element: '<', '>' and '&' are written as escapes.
struct FeaturePayload {
  std::string columns;  // one JSON object, a column a property: fi/report/page/src/payload.ts
  std::string details;  // a line of JSON a feature, read when it is opened: fi/report/page/src/details.ts
};

/// Features in the order of `strongest_features`. Texts come cleaned, each once; numbers with four digits.
FeaturePayload feature_payload(const Report& report);

/// The address of a feature or claim within the page: its id without spaces.
std::string anchor_of(std::string_view id);

/// The tokens that fire a feature most in its examples, strongest first, each once.
std::vector<std::string> firing_tokens(const FeatureRow& feature, size_t max_tokens);

}  // namespace fi
