#pragma once

#include <functional>
#include <optional>
#include <string>

#include "fi/compare/budget.h"

namespace fi {

/// A budget of minutes: what `--budget 10` asks for, and, once it was fitted to models and machine, the level that fits. Written
/// "10" and "10@1.25"; a user who writes the latter gets the same run on any machine.
struct MinutesBudget {
  double minutes = 0.0;
  std::optional<double> level;
};

/// Levels of budget_at.
inline constexpr double kSmallestLevel = -1.0;
inline constexpr double kLargestLevel = 2.0;

/// Nothing for the name of a budget and for other text that is no such budget: minutes above 0 and at most 10,000, a level from
/// -1 to 2.
std::optional<MinutesBudget> minutes_budget_from(const std::string& text);
std::string to_text(const MinutesBudget& budget);
/// True for that and for the name of a budget.
bool is_budget(const std::string& text);

/// Level 0 is quick, 1 standard, 2 thorough; -1 is a glimpse. Between two of them every number lies between theirs, so that a
/// higher level looks at no less. A crosscoder is trained from level 1 on: a smaller one says too little.
Budget budget_at(double level);

/// The largest level, in hundredths, whose cost is at most `seconds`; the smallest level if none is. `seconds_of` does not fall
/// with the level.
double largest_level_within(double seconds, const std::function<double(double level)>& seconds_of);

}  // namespace fi
