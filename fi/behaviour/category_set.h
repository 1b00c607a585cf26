#pragma once

#include <optional>
#include <span>
#include <vector>

namespace fi {

struct CategoryEvidence {
  std::span<const double> differences;  // per prompt, target - base, in -1..1
  std::span<const size_t> category_of;  // per prompt
  std::vector<bool> eligible;           // per category: its own effect is large enough and has the sign that is looked for
};

/// The set of categories in which the differences are best explained by one common effect, none elsewhere; nothing if no set is
/// likelier than chance.
///
/// Two-groups model (Efron, 2008): a category's mean difference is m with probability pi, else 0; both have the category's
/// noise variance, which is shrunk towards that of all categories because a category has few prompts. Sets are grown by hard
/// expectation-maximisation from several starts. With C categories a lone one needs log((1 - pi) / pi), about log(2C/3), in its
/// favour: that is what keeps the best of many chance differences out.
std::optional<std::vector<bool>> explain_by_categories(const CategoryEvidence& evidence);

}  // namespace fi
