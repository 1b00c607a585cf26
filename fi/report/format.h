#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fi/claims/report_data.h"

namespace fi {

// Numbers as people write them. Minus is U+2212, ranges take an en dash.

std::string format_count(int64_t value);                           // "61,440"
std::string format_size(int64_t value);                            // "135 M", "1.5 B"
std::string format_number(double value);                           // three significant digits: "0.43", "12.4", "1,240"
std::string format_signed(double value);                           // "+0.43", "−12.4"
std::string format_share(double share);                            // "19%", "0.4%", ">99.9%"
std::string format_probability(const char* letter, double value);  // "q = 0.003", "q < 0.001"; without a letter "0.003"
std::string format_delta(double cliffs_delta);                     // "+0.94"

/// One model's mean of what the effect measures: "94%", or "38 words".
std::string format_measure(double value, const EffectEstimate& effect);
/// "19% → 94%", or "58 → 38 words".
std::string format_change(const EffectEstimate& effect);
/// "+62 to +87 points", or "−23 to −14 words".
std::string format_interval(const EffectEstimate& effect);
/// "24–96%" for 0.24, 0.96.
std::string format_share_range(double low, double high);

/// "layers 4, 7–9", "layer 4", "no single layer" for an empty list.
std::string format_layers(const std::vector<int64_t>& layers);

/// "numbered steps (20 categories)" is easier to read than a list of twenty ids: at most `max_shown`, then "and 17 more".
std::string format_list(const std::vector<std::string>& items, size_t max_shown);

}  // namespace fi
