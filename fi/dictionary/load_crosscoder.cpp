#include <cmath>
#include <map>

#include "fi/core/error.h"
#include "fi/core/json_fields.h"
#include "fi/dictionary/canonical_file.h"
#include "fi/dictionary/code_norm_names.h"
#include "fi/dictionary/import_formats.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

constexpr double kMixedSaeDefault = 1.0, kMixedCrosscoderDefault = 0.1;
constexpr double kTinyVariance = 1e-8;  // the layout's own guard in its global scale

CodeNorm code_norm_of(const NamedTensors& file, const Json& config) {
  if (file.has("code_normalization_id")) {
    const int64_t id = file.take_integer("code_normalization_id");
    for (const auto& [name, value] : code_norm_names()) {
      if (static_cast<int64_t>(value) == id) return value;
    }
    fail(ErrorCode::kUnsupported, "[dictionary] {} has code_normalization_id {}, expected 1 to 4.", file.path().string(), id);
  }
  const auto named = config.find("code_normalization");
  if (named == config.end() || !named->is_string()) return CodeNorm::kCrosscoder;
  const auto known = code_norm_names().find(named->get<std::string>());
  check(known != code_norm_names().end(), ErrorCode::kUnsupported,
        "[dictionary] {}: code_normalization is {}, expected CROSSCODER, SAE, MIXED or NONE.", file.path().string(),
        named->dump());
  return known->second;
}

double number_or(const Json& config, const char* key, double fallback) {
  const auto found = config.find(key);
  return found != config.end() && found->is_number() ? found->get<double>() : fallback;
}

void unfold_scales(Crosscoder& crosscoder, const at::Tensor& scale, CodeNorm code_norm) {
  const at::Tensor factor = (scale / crosscoder.scaling.scale).view({-1, 1, 1});
  crosscoder.encoder = crosscoder.encoder / factor;
  crosscoder.decoder = crosscoder.decoder * factor;
  crosscoder.decoder_bias = crosscoder.decoder_bias * factor.view({-1, 1});
  crosscoder.scaling.scale = scale;
  crosscoder.code_norm = code_norm;
}

void apply_metadata(Crosscoder& c, const std::map<std::string, std::string>& metadata, const std::string& where) {
  const auto value = [&](const char* key) {
    const auto found = metadata.find(key);
    return found == metadata.end() ? std::string() : found->second;
  };
  if (value("fi.view") == "difference") c.view = RowView::kDifference;
  if (value("fi.sparsity") == "linear") c.sparsity = Sparsity::kLinear;
  if (value("fi.sparsity") == "topk") c.sparsity = Sparsity::kTopK;
  if (!value("fi.widths").empty())
    value_from_json(parse_json(value("fi.widths"), "dictionary", where), c.scaling.widths, {where, "fi.widths"});
  if (value("fi.scales").empty()) return;
  std::vector<double> scales;
  value_from_json(parse_json(value("fi.scales"), "dictionary", where), scales, {where, "fi.scales"});
  const auto norm = code_norm_names().find(value("fi.code_norm"));
  check(static_cast<int64_t>(scales.size()) == c.num_models() && norm != code_norm_names().end(), ErrorCode::kInvalid,
        "[dictionary] {}: the metadata of model.safetensors does not fit its tensors; re-export it.", where);
  const at::Tensor scale = at::tensor(scales, at::kDouble).to(at::kFloat);
  if (!scale.equal(c.scaling.scale)) unfold_scales(c, scale, norm->second);
}

}  // namespace

RowScaling stored_scaling(const NamedTensors& file, int64_t num_models, int64_t d_model) {
  RowScaling scaling = identity_scaling(num_models, d_model);
  if (!file.has("activation_mean") || !file.has("activation_std")) return scaling;
  const at::Tensor mean = file.take("activation_mean"), std = file.take("activation_std");
  if (at::isnan(mean).any().item<bool>() || at::isnan(std).any().item<bool>()) return scaling;
  const double target = file.has("target_rms") ? file.take_number("target_rms") : 1.0;
  const double variance = std.square().sum(at::kDouble).item<double>();
  scaling.mean = mean.dim() == 1 ? mean.unsqueeze(0) : mean;
  scaling.scale.fill_(file.has("activation_global_scale") ? file.take_number("activation_global_scale")
                                                          : target / std::sqrt(variance + kTinyVariance));
  return scaling;
}

Crosscoder read_canonical(const NamedTensors& file, const Json& whole_config) {
  // What the library's trainer writes beside its checkpoints has these keys one level deeper.
  const Json& config =
      whole_config.contains("trainer") && whole_config["trainer"].is_object() ? whole_config["trainer"] : whole_config;
  Crosscoder c;
  c.encoder = file.take_dims("encoder.weight", 3, "num_models, d_model, num_latents");
  const int64_t models = c.num_models(), width = c.d_model(), latents = c.num_latents();
  c.encoder_bias = file.take_shaped("encoder.bias", {latents}, "num_latents");
  c.decoder = file.take_shaped("decoder.weight", {models, latents, width}, "num_models, num_latents, d_model");
  c.decoder_bias = file.take_shaped("decoder.bias", {models, width}, "num_models, d_model");
  c.code_norm = code_norm_of(file, config);
  c.mixed_sae_weight = number_or(config, "code_normalization_alpha_sae", kMixedSaeDefault);
  c.mixed_crosscoder_weight = number_or(config, "code_normalization_alpha_cc", kMixedCrosscoderDefault);
  c.scaling = stored_scaling(file, models, width);
  c.sparsity = file.has("k") ? Sparsity::kBatchTopK : Sparsity::kRelu;
  if (file.has("k")) c.k = file.take_integer("k");
  if (file.has("threshold")) c.threshold = file.take_number("threshold");
  if (file.has("jump_threshold")) {
    c.sparsity = Sparsity::kJumpRelu;
    c.jump_threshold = file.take("jump_threshold");
  }
  apply_metadata(c, file.metadata(), file.path().string());
  check_crosscoder(c, file.path().string());
  return c;
}

Crosscoder load_crosscoder(const std::filesystem::path& folder) {
  const auto config_path = folder / "config.json";
  const Json config = parse_json(read_file(config_path, "dictionary"), "dictionary", config_path.string());
  check(config.is_object(), ErrorCode::kInvalid, "[dictionary] {} is no JSON object.", config_path.string());
  return read_canonical(NamedTensors::open(folder / "model.safetensors"), config);
}

DictionaryOrigin load_origin(const std::filesystem::path& folder) {
  DictionaryOrigin origin;
  const auto path = folder / "manifest.json";
  if (!std::filesystem::exists(path)) return origin;
  fields_from_json(parse_json(read_file(path, "dictionary"), "dictionary", path.string()), origin, {path.string(), ""});
  return origin;
}

}  // namespace fi
