#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace fi {

/// Keeps the order of keys, so that everything we write has the same bytes every time.
using Json = nlohmann::ordered_json;

/// Parses untrusted JSON. Rejects nesting deeper than 64, duplicate keys and invalid UTF-8.
/// `operation` and `where` (a path, or "standard input") open the message of a kInvalid error, which gives line and column.
Json parse_json(std::string_view text, std::string_view operation, std::string_view where);

/// Two-space indentation and a final newline; non-finite numbers become null, bytes that are not UTF-8 become U+FFFD.
std::string to_pretty_json(const Json& value);

/// The known name nearest to `name` by edit distance, or "" if none is near.
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace fi
