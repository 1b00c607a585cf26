#include <charconv>
#include <cmath>
#include <optional>

#include "fi/core/error.h"
#include "fi/dictionary/import_formats.h"

namespace fi {
namespace {

constexpr const char* kOpenMossNorm = "dataset_average_activation_norm.";

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<int64_t> layer_between(std::string_view name, std::string_view prefix, std::string_view suffix) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() <= prefix.size() + suffix.size()) return std::nullopt;
  return whole_number(name.substr(prefix.size(), name.size() - prefix.size() - suffix.size()));
}

std::vector<std::string> hook_points_of(const DictionarySource& source, int64_t models) {
  std::vector<std::string> names;
  const auto found = source.config.find("hook_points");
  if (found == source.config.end() || !found->is_array()) return names;
  for (const Json& name : *found) {
    if (name.is_string()) names.push_back(name.get<std::string>());
  }
  check(static_cast<int64_t>(names.size()) == models, ErrorCode::kInvalid,
        "[dictionary] {}: the config names {} hook points, 'W_E' has {} heads; take the config that belongs to the file.",
        source.tensors.path().string(), names.size(), models);
  return names;
}

// One name if all say the same place, else all of them: a crosscoder of several layers fits no rows of one.
std::string one_hook_point(const std::vector<std::string>& names) {
  std::set<std::string> places;
  for (const std::string& name : names) places.insert(hook_point_from(name));
  return fmt::format("{}", fmt::join(places, " and "));
}

// Their rows are multiplied by sqrt(d_model) / mean norm of the hook point. False if the file lacks a norm.
bool set_openmoss_scales(const NamedTensors& tensors, const std::vector<std::string>& hook_points, Crosscoder& c) {
  if (hook_points.empty()) return false;
  for (size_t m = 0; m < hook_points.size(); ++m) {
    const std::string name = kOpenMossNorm + hook_points[m];
    if (!tensors.has(name)) return false;
    const double norm = tensors.take_number(name);
    if (!std::isfinite(norm) || norm <= 0.0) return false;
    c.scaling.scale[static_cast<int64_t>(m)] = std::sqrt(static_cast<double>(c.d_model())) / norm;
  }
  return true;
}

}  // namespace

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string hook_point_from(const std::string& name) {
  if (const auto layer = layer_between(name, "blocks.", ".hook_resid_pre"); layer && *layer > 0)
    return fmt::format("resid_post.{}", *layer - 1);
  for (const auto& [prefix, suffix] : {std::pair{"blocks.", ".hook_resid_post"}, {"layers.", ""}, {"model.layers.", ""}}) {
    if (const auto layer = layer_between(name, prefix, suffix)) return fmt::format("resid_post.{}", *layer);
  }
  return name;
}

ForeignDictionary read_ckkissane(const DictionarySource& source) {
  const NamedTensors& tensors = source.tensors;
  ForeignDictionary result{.hook_point = hook_point_from(text_at(source.config, "hook_point")), .lacks_scaling = true};
  Crosscoder& c = result.crosscoder;
  c.encoder = tensors.take_dims("W_enc", 3, "num_models, d_model, num_latents");
  const int64_t models = c.num_models(), width = c.d_model(), latents = c.num_latents();
  c.encoder_bias = tensors.take_shaped("b_enc", {latents}, "num_latents");
  c.decoder =
      tensors.take_shaped("W_dec", {latents, models, width}, "num_latents, num_models, d_model").transpose(0, 1).contiguous();
  c.decoder_bias = tensors.take_shaped("b_dec", {models, width}, "num_models, d_model");
  c.scaling = identity_scaling(models, width);
  c.sparsity = Sparsity::kRelu;
  tensors.check_all_taken({}, "ckkissane crosscoder");
  return result;
}

ForeignDictionary read_openmoss(const DictionarySource& source) {
  const NamedTensors& tensors = source.tensors;
  const std::string norm = text_at(source.config, "norm_activation");
  std::string activation = text_at(source.config, "act_fn");
  if (tensors.has("activation_function.log_jumprelu_threshold")) activation = "jumprelu";  // whatever the config says
  check(activation.empty() || activation == "relu", ErrorCode::kUnsupported,
        "[dictionary] {}: act_fn is {}, expected relu: OpenMOSS crosscoders of other kinds gate each model by its own decoder "
        "norm, "
        "so that models have codes of their own.",
        tensors.path().string(), activation);
  check(norm != "token-wise" && norm != "batch-wise", ErrorCode::kUnsupported,
        "[dictionary] {}: norm_activation is {}, expected dataset-wise or inference: a scale for each row is not supported.",
        tensors.path().string(), norm);
  ForeignDictionary result;
  Crosscoder& c = result.crosscoder;
  c.encoder = tensors.take_dims("W_E", 3, "n_heads, d_model, d_sae");
  const int64_t models = c.num_models(), width = c.d_model(), latents = c.num_latents();
  c.encoder_bias = tensors.take_shaped("b_E", {models, latents}, "n_heads, d_sae").sum(0);
  c.decoder = tensors.take_shaped("W_D", {models, latents, width}, "n_heads, d_sae, d_model");
  c.decoder_bias = tensors.take_shaped("b_D", {models, width}, "n_heads, d_model");
  c.scaling = identity_scaling(models, width);
  c.sparsity = Sparsity::kRelu;
  const std::vector<std::string> hook_points = hook_points_of(source, models);
  result.hook_point = one_hook_point(hook_points);
  result.lacks_scaling = norm != "inference" && !set_openmoss_scales(tensors, hook_points, c);
  return result;
}

}  // namespace fi
