#include "fi/claims/report_contract.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "fi/claims/report_data.h"
#include "fi/core/json_fields.h"

namespace fi {
namespace {

using AllowedNames = std::initializer_list<const char*>;

void require(const Json& object, const JsonPlace& place, AllowedNames names) {
  if (!object.is_object()) place.reject(object, "an object");
  for (const char* name : names) {
    check(object.contains(name), ErrorCode::kInvalid, "[read] {}: field '{}' is missing; re-create the file.", place.where,
          place.field(name).path);
  }
}

void require_choice(const Json& object, const JsonPlace& place, const char* name, AllowedNames choices) {
  const Json& value = object[name];
  const bool known = std::any_of(choices.begin(), choices.end(), [&](const char* choice) { return value == choice; });
  check(known, ErrorCode::kInvalid, "[read] {}: field '{}' is {}, expected one of {}; re-create the file.", place.where,
        place.field(name).path, value.dump(-1, ' ', true, Json::error_handler_t::replace), Json(choices).dump());
}

void check_claim(const Json& claim, const JsonPlace& place) {
  require(claim, place,
          {"id", "kind", "verdict", "sentence", "capability", "trigger", "behaviour", "layers", "effect", "causal", "features",
           "examples"});
  require_choice(claim, place, "kind", {"added", "removed", "modified"});
  require_choice(claim, place, "verdict", {"verified", "suggestive", "refuted", "untested"});
  require(claim["effect"], place.field("effect"),
          {"metric", "base", "target", "ci_low", "ci_high", "q_value", "num_prompts", "effect_size"});
}

void check_layer(const Json& layer, const JsonPlace& place) {
  require(layer, place, {"layer", "relative_difference", "noise_floor"});
}

void check_feature(const Json& feature, const JsonPlace& place) {
  require(feature, place, {"id", "layer", "kind", "name", "name_score"});
  require_choice(feature, place, "kind", {"added", "removed", "modified", "shared"});
}

void check_each(const Json& list, const JsonPlace& place, void (*check_item)(const Json&, const JsonPlace&)) {
  if (!list.is_array()) place.reject(list, "an array");
  for (size_t i = 0; i < list.size(); ++i) check_item(list[i], place.item(i));
}

}  // namespace

void check_report_document(const Json& document, std::string_view where) {
  const JsonPlace place{std::string(where), ""};
  require(document, {place.where, ""}, {"schema_version"});
  check(document["schema_version"] == kReportSchemaVersion, ErrorCode::kInvalid,
        "[read] {}: field 'schema_version' is {}, expected {}; re-create the file with this version of the tool.", where,
        document["schema_version"].dump(-1, ' ', true, Json::error_handler_t::replace), kReportSchemaVersion);
  require(document, place,
          {"tool_version", "base", "target", "relation", "verdict", "summary", "claims", "layers", "features", "not_seen",
           "tested", "seed"});
  require_choice(document, place, "relation", {"identical", "adapter", "fine-tune", "sibling", "unrelated", "outputs-only"});
  require_choice(document, place, "verdict", {"different", "no difference found"});
  for (const char* model : {"base", "target"}) require(document[model], place.field(model), {"name", "sha256"});
  require(document["tested"], place.field("tested"), {"num_hypotheses", "q_level"});
  require(document["not_seen"], place.field("not_seen"), {});
  check_each(document["claims"], place.field("claims"), check_claim);
  check_each(document["layers"], place.field("layers"), check_layer);
  check_each(document["features"], place.field("features"), check_feature);
}

void make_finite(Json& value, std::string_view name) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    const bool may_be_null = name == "kl_recovered" || name == "name_score";
    // A p-value that could not be computed must not read as 0, which would be overwhelming evidence.
    const double number = name == "p_value" || name == "q_value" ? 1.0 : 0.0;
    value = may_be_null ? Json(nullptr) : Json(number);
  } else if (value.is_object()) {
    for (auto& [key, item] : value.items()) make_finite(item, key);
  } else if (value.is_array()) {
    for (Json& item : value) make_finite(item, name);
  }
}

}  // namespace fi
