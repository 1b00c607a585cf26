#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "fi/core/error.h"
#include "fi/core/json.h"

namespace fi {

/// Structs become JSON and back through one field list: a function `visit_fields(Struct&, visit)`, found by argument-dependent
/// lookup, that calls `visit("name", member)` for every field. Fields absent from a document keep their default.
template <typename T>
concept HasFields = requires(T& value) { visit_fields(value, [](const char*, auto&) {}); };

template <typename T>
Json fields_to_json(const T& value);

template <typename T>
Json value_to_json(const T& value) {
  if constexpr (HasFields<T>) {
    return fields_to_json(value);
  } else {
    return Json(value);
  }
}

template <typename T>
Json value_to_json(const std::optional<T>& value) {
  return value.has_value() ? value_to_json(*value) : Json(nullptr);
}

template <typename T>
Json value_to_json(const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(value_to_json(value));
  return array;
}

template <typename T>
Json fields_to_json(const T& value) {
  Json document = Json::object();
  visit_fields(const_cast<T&>(value), [&](const char* name, auto& member) { document[name] = value_to_json(member); });
  return document;
}

/// Where in which document we are, for messages: "features.json: claims[2].effect".
struct JsonPlace {
  std::string where;
  std::string path;

  JsonPlace field(const char* name) const { return {where, path.empty() ? name : path + "." + name}; }
  JsonPlace item(size_t index) const { return {where, fmt::format("{}[{}]", path, index)}; }

  [[noreturn]] void reject(const Json& got, const char* expected) const {
    fail(ErrorCode::kInvalid, "[read] {}: field '{}' is {}, expected {}; re-create the file.", where, path, got.type_name(),
         expected);
  }
};

template <typename T>
void fields_from_json(const Json& document, T& value, const JsonPlace& place);

template <typename T>
void value_from_json(const Json& json, T& value, const JsonPlace& place) {
  if constexpr (std::is_same_v<T, Json>) {
    value = json;
  } else if constexpr (HasFields<T>) {
    fields_from_json(json, value, place);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) place.reject(json, "a boolean");
    value = json.get<bool>();
  } else if constexpr (std::is_integral_v<T>) {
    if (!json.is_number_integer()) place.reject(json, "an integer");
    value = json.get<T>();
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!json.is_number() && !json.is_null()) place.reject(json, "a number");
    value = json.is_null() ? T{} : json.get<T>();  // a non-finite number was written as null
  } else {
    if (!json.is_string()) place.reject(json, "a string");
    value = json.get<T>();
  }
}

template <typename T>
void value_from_json(const Json& json, std::optional<T>& value, const JsonPlace& place) {
  if (json.is_null()) return value.reset();
  value_from_json(json, value.emplace(), place);
}

template <typename T>
void value_from_json(const Json& json, std::vector<T>& values, const JsonPlace& place) {
  if (!json.is_array()) place.reject(json, "an array");
  values.assign(json.size(), T{});
  for (size_t i = 0; i < json.size(); ++i) value_from_json(json[i], values[i], place.item(i));
}

template <typename T>
void fields_from_json(const Json& document, T& value, const JsonPlace& place) {
  if (!document.is_object()) place.reject(document, "an object");
  visit_fields(value, [&](const char* name, auto& member) {
    const auto found = document.find(name);
    if (found != document.end()) value_from_json(*found, member, place.field(name));
  });
}

}  // namespace fi
