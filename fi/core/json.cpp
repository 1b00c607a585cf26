#include "fi/core/json.h"

#include <algorithm>
#include <set>

#include "fi/core/error.h"

namespace fi {
namespace {

constexpr int kMaxDepth = 64;

struct Position {
  size_t line = 1;
  size_t column = 1;
};

Position position_of(std::string_view text, size_t offset) {
  Position at;
  for (size_t i = 0; i < std::min(offset, text.size()); ++i) {
    if (text[i] == '\n') {
      ++at.line;
      at.column = 1;
    } else {
      ++at.column;
    }
  }
  return at;
}

// nlohmann keeps the last of two equal keys silently; a reader that keeps the first would then see another file.
class StrictCallback {
 public:
  StrictCallback(std::string_view operation, std::string_view where) : operation_(operation), where_(where) {}

  bool operator()(int depth, Json::parse_event_t event, Json& value) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      check(depth < kMaxDepth, ErrorCode::kInvalid, "[{}] JSON in {} is nested deeper than {} levels; flatten it.", operation_,
            where_, kMaxDepth);
    }
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end) keys_.pop_back();
    if (event == Event::key) {
      const auto& key = value.get_ref<const std::string&>();
      check(keys_.back().insert(key).second, ErrorCode::kInvalid, "[{}] JSON in {} has the key '{}' twice; remove one.",
            operation_, where_, key);
    }
    return true;
  }

 private:
  std::string_view operation_;
  std::string_view where_;
  std::vector<std::set<std::string>> keys_;
};

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

}  // namespace

Json parse_json(std::string_view text, std::string_view operation, std::string_view where) {
  try {
    return Json::parse(text, StrictCallback(operation, where));
  } catch (const Json::parse_error& error) {
    const Position at = position_of(text, error.byte > 0 ? error.byte - 1 : 0);
    fail(ErrorCode::kInvalid, "[{}] {} is not valid JSON at line {}, column {}; correct or re-create the file.", operation, where,
         at.line, at.column);
  }
}

std::string to_pretty_json(const Json& value) { return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const size_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace fi
