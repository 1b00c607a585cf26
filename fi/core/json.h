#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fi {

/// Keeps the order of keys, so that everything we write has the same bytes every time.
using Json = nlohmann::ordered_json;

/// What a document may hold before it is refused, so that a small file cannot ask for much memory.
struct JsonLimits {
  size_t depth = 64;
  size_t values = SIZE_MAX;
};

/// Parses untrusted JSON, in time linear in its size (times the logarithm of the largest object). Rejects nesting deeper and
/// values more than the limits, duplicate keys and invalid UTF-8. `operation` and `where` (a path, or "standard input") open the
/// message of a kInvalid error, which gives line and column, both of them for a duplicate key.
Json parse_json(std::string_view text, std::string_view operation, std::string_view where, JsonLimits limits = {});

/// Two-space indentation and a final newline; non-finite numbers become null, bytes that are not UTF-8 become U+FFFD.
std::string to_pretty_json(const Json& value);

/// The known name nearest to `name` by edit distance, or "" if none is near.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace fi
