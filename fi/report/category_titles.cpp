#include "fi/report/category_titles.h"

#include <algorithm>

#include "fi/report/text.h"

namespace fi {

CategoryTitles::CategoryTitles(const Report& report) {
  for (const CategoryRow& row : report.categories) titles_.emplace(row.id, clean_line(row.title));
}

std::string CategoryTitles::of(const std::string& id) const {
  if (const auto entry = titles_.find(id); entry != titles_.end() && !entry->second.empty()) return entry->second;
  std::string title = clean_line(id);
  std::replace(title.begin(), title.end(), '_', ' ');
  return title;
}

std::vector<std::string> CategoryTitles::of(const std::vector<std::string>& ids) const {
  std::vector<std::string> titles;
  for (const std::string& id : ids) titles.push_back(of(id));
  return titles;
}

}  // namespace fi
