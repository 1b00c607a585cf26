#include "fi/model/read_rope.h"

#include <map>

#include "fi/core/error.h"

namespace fi {
namespace {

const std::map<std::string, RopeScaling>& scalings() {
  static const std::map<std::string, RopeScaling> table = {
      {"default", RopeScaling::kNone},      {"none", RopeScaling::kNone},     {"linear", RopeScaling::kLinear},
      {"dynamic", RopeScaling::kDynamic},   {"llama3", RopeScaling::kLlama3}, {"yarn", RopeScaling::kYarn},
      {"longrope", RopeScaling::kLongRope}, {"su", RopeScaling::kLongRope}};
  return table;
}

// A Json::exception if it is there and no number.
double number(const Json& object, const char* key, double fallback) {
  const auto found = object.find(key);
  return found != object.end() && !found->is_null() ? found->get<double>() : fallback;
}

// `fields` holds a scaling's numbers; `document` is the whole config, where Phi-3 keeps the original length.
RopeConfig rope_of(const Json& fields, const Json& document, double theta, std::string_view where) {
  RopeConfig rope{.theta = number(fields, "rope_theta", theta)};
  rope.scaling = rope_scaling_of(fields.value("rope_type", fields.value("type", "default")), where);
  const double max_positions = number(document, "max_position_embeddings", 2048.0);
  rope.original_positions =
      number(fields, "original_max_position_embeddings", number(document, "original_max_position_embeddings", max_positions));
  rope.factor = number(fields, "factor", rope.original_positions > 0.0 ? max_positions / rope.original_positions : 1.0);
  rope.low_frequency_factor = number(fields, "low_freq_factor", rope.low_frequency_factor);
  rope.high_frequency_factor = number(fields, "high_freq_factor", rope.high_frequency_factor);
  rope.beta_fast = number(fields, "beta_fast", rope.beta_fast);
  rope.beta_slow = number(fields, "beta_slow", rope.beta_slow);
  rope.mscale = number(fields, "mscale", 0.0);
  rope.mscale_all_dim = number(fields, "mscale_all_dim", 0.0);
  rope.truncate = fields.value("truncate", true);
  if (fields.contains("attention_factor") && fields["attention_factor"].is_number())
    rope.attention_factor = fields["attention_factor"].get<double>();
  if (rope.scaling == RopeScaling::kLongRope) rope.divisors = fields.at("short_factor").get<std::vector<double>>();
  return rope;
}

}  // namespace

RopeScaling rope_scaling_of(const std::string& name, std::string_view where) {
  const auto found = scalings().find(name);
  if (found != scalings().end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [key, scaling] : scalings()) known.push_back(key);
  fail(ErrorCode::kUnsupported, "[model] {}: rope scaling '{}' is not supported; supported are {}.", where, name,
       fmt::join(known, ", "));
}

void read_rope(const Json& document, ModelConfig& config, std::string_view where) {
  const Json none = Json::object();
  const auto object = [&](const char* key) -> const Json& {
    return document.contains(key) && document[key].is_object() ? document[key] : none;
  };
  const Json& parameters = object("rope_parameters");
  const bool is_per_kind = parameters.contains("full_attention");
  const Json& global = is_per_kind ? parameters["full_attention"] : parameters.empty() ? object("rope_scaling") : parameters;
  const double theta = number(document, "rope_theta", number(document, "rotary_emb_base", 10000.0));
  config.rope = rope_of(global, document, theta, where);
  const double local_theta = number(document, "rope_local_base_freq", 0.0);
  config.local_rope = is_per_kind && parameters.contains("sliding_attention")
                          ? rope_of(parameters["sliding_attention"], document, 10000.0, where)
                      : local_theta > 0.0 ? RopeConfig{.theta = local_theta}
                                          : config.rope;
  const double rotated =
      number(global, "partial_rotary_factor", number(document, "partial_rotary_factor", number(document, "rotary_pct", 1.0)));
  check(rotated > 0.0 && rotated <= 1.0, ErrorCode::kInvalid, "[model] {}: partial_rotary_factor is {}, expected (0, 1].", where,
        rotated);
  config.rotary_dim = static_cast<int64_t>(static_cast<double>(config.head_dim) * rotated);
}

}  // namespace fi
