#pragma once

#include <map>
#include <string>
#include <vector>

#include "fi/claims/report_data.h"

namespace fi {

/// What readers see instead of the ids of prompt categories: "Word problems" for "word_problems". Titles come cleaned.
class CategoryTitles {
 public:
  explicit CategoryTitles(const Report& report);

  /// An id that the report does not list is shown without its underscores.
  std::string of(const std::string& id) const;
  std::vector<std::string> of(const std::vector<std::string>& ids) const;

 private:
  std::map<std::string, std::string> titles_;
};

}  // namespace fi
