#include "fi/dictionary/canonical_file.h"

#include <cmath>
#include <cstring>
#include <map>

#include "fi/core/error.h"
#include "fi/core/json_fields.h"
#include "fi/dictionary/code_norm_names.h"
#include "fi/io/atomic_file.h"
#include "fi/io/safetensors.h"

namespace fi {
namespace {

constexpr double kMixedSaeDefault = 1.0, kMixedCrosscoderDefault = 0.1;
constexpr double kTinyVariance = 1e-8;  // the layout's own guard in its global scale

// The tensors of a file by name, without the prefix that torch.compile leaves.
class TensorFile {
 public:
  explicit TensorFile(const std::filesystem::path& path) : path_(path), file_(SafetensorsFile::open(path)) {
    constexpr std::string_view kPrefix = "_orig_mod.";
    for (const StoredTensor& tensor : file_.tensors()) {
      const std::string& name = tensor.name;
      tensors_[name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name] = &tensor;
    }
  }

  bool has(const std::string& name) const { return tensors_.contains(name); }

  at::Tensor take(const std::string& name) const {
    check(has(name), ErrorCode::kInvalid, "[dictionary] {} has no tensor '{}'; is it a crosscoder?", path_.string(), name);
    const StoredTensor& stored = *tensors_.at(name);
    const at::Tensor values = at::empty(stored.shape, at::kFloat);
    to_float(stored, 0, stored.num_values(), values.data_ptr<float>());
    return values;
  }

  double take_number(const std::string& name) const {
    const at::Tensor values = take(name);
    check(values.numel() == 1, ErrorCode::kUnsupported,
          "[dictionary] {}: '{}' has {} values, expected 1; codes with a threshold for each model (DECOUPLED) are not supported.",
          path_.string(), name, values.numel());
    return values.item<double>();
  }

  int64_t take_integer(const std::string& name) const {
    check(has(name), ErrorCode::kInvalid, "[dictionary] {} has no tensor '{}'.", path_.string(), name);
    const StoredTensor& stored = *tensors_.at(name);
    if (stored.dtype == DType::kI64 && stored.num_values() == 1) {
      int64_t value = 0;
      std::memcpy(&value, stored.bytes.data(), sizeof value);
      return value;
    }
    if (stored.dtype == DType::kI32 && stored.num_values() == 1) {
      int32_t value = 0;
      std::memcpy(&value, stored.bytes.data(), sizeof value);
      return value;
    }
    fail(ErrorCode::kInvalid, "[dictionary] {}: '{}' is no single integer.", path_.string(), name);
  }

  const std::map<std::string, std::string>& metadata() const { return file_.metadata(); }

 private:
  std::filesystem::path path_;
  SafetensorsFile file_;
  std::map<std::string, const StoredTensor*> tensors_;
};

CodeNorm code_norm_of(const TensorFile& file, const Json& config, const std::filesystem::path& folder) {
  if (file.has("code_normalization_id")) {
    const int64_t id = file.take_integer("code_normalization_id");
    for (const auto& [name, value] : code_norm_names()) {
      if (static_cast<int64_t>(value) == id) return value;
    }
    fail(ErrorCode::kUnsupported, "[dictionary] {} has code_normalization_id {}, expected 1 to 4.", folder.string(), id);
  }
  const auto named = config.find("code_normalization");
  if (named == config.end() || !named->is_string()) return CodeNorm::kCrosscoder;
  const auto known = code_norm_names().find(named->get<std::string>());
  check(known != code_norm_names().end(), ErrorCode::kUnsupported,
        "[dictionary] {}: code_normalization is {}, expected CROSSCODER, SAE, MIXED or NONE.", folder.string(), named->dump());
  return known->second;
}

RowScaling scaling_of(const TensorFile& file, int64_t num_models, int64_t d_model) {
  RowScaling scaling = identity_scaling(num_models, d_model);
  if (!file.has("activation_mean") || !file.has("activation_std")) return scaling;
  const at::Tensor mean = file.take("activation_mean"), std = file.take("activation_std");
  if (at::isnan(mean).any().item<bool>() || at::isnan(std).any().item<bool>()) return scaling;
  const double target = file.has("target_rms") ? file.take_number("target_rms") : 1.0;
  const double variance = std.square().sum(at::kDouble).item<double>();
  scaling.mean = mean;
  scaling.scale.fill_(file.has("activation_global_scale") ? file.take_number("activation_global_scale")
                                                          : target / std::sqrt(variance + kTinyVariance));
  return scaling;
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

void apply_metadata(Crosscoder& c, const std::map<std::string, std::string>& metadata, const std::filesystem::path& folder) {
  const auto value = [&](const char* key) {
    const auto found = metadata.find(key);
    return found == metadata.end() ? std::string() : found->second;
  };
  if (value("fi.view") == "difference") c.view = RowView::kDifference;
  if (value("fi.sparsity") == "linear") c.sparsity = Sparsity::kLinear;
  if (value("fi.scales").empty()) return;
  std::vector<double> scales;
  value_from_json(parse_json(value("fi.scales"), "dictionary", folder.string()), scales, {folder.string(), "fi.scales"});
  const auto norm = code_norm_names().find(value("fi.code_norm"));
  check(static_cast<int64_t>(scales.size()) == c.num_models() && norm != code_norm_names().end(), ErrorCode::kInvalid,
        "[dictionary] {}: the metadata of model.safetensors does not fit its tensors; re-export it.", folder.string());
  const at::Tensor scale = at::tensor(scales, at::kDouble).to(at::kFloat);
  if (!scale.equal(c.scaling.scale)) unfold_scales(c, scale, norm->second);
}

}  // namespace

Crosscoder load_crosscoder(const std::filesystem::path& folder) {
  const auto config_path = folder / "config.json";
  const Json config = parse_json(read_file(config_path, "dictionary"), "dictionary", config_path.string());
  check(config.is_object(), ErrorCode::kInvalid, "[dictionary] {} is no JSON object.", config_path.string());
  const TensorFile file(folder / "model.safetensors");
  Crosscoder c;
  c.encoder = file.take("encoder.weight");
  c.encoder_bias = file.take("encoder.bias");
  c.decoder = file.take("decoder.weight");
  c.decoder_bias = file.take("decoder.bias");
  check(c.encoder.dim() == 3, ErrorCode::kInvalid,
        "[dictionary] {}: 'encoder.weight' has {} dimensions, expected [num_models, d_model, num_latents].", folder.string(),
        c.encoder.dim());
  c.code_norm = code_norm_of(file, config, folder);
  c.mixed_sae_weight = number_or(config, "code_normalization_alpha_sae", kMixedSaeDefault);
  c.mixed_crosscoder_weight = number_or(config, "code_normalization_alpha_cc", kMixedCrosscoderDefault);
  c.scaling = scaling_of(file, c.num_models(), c.d_model());
  c.sparsity = file.has("k") ? Sparsity::kBatchTopK : Sparsity::kRelu;
  if (file.has("k")) c.k = file.take_integer("k");
  if (file.has("threshold")) c.threshold = file.take_number("threshold");
  if (file.has("jump_threshold")) {
    c.sparsity = Sparsity::kJumpRelu;
    c.jump_threshold = file.take("jump_threshold");
  }
  apply_metadata(c, file.metadata(), folder);
  check_crosscoder(c, folder.string());
  return c;
}

DictionaryOrigin load_origin(const std::filesystem::path& folder) {
  DictionaryOrigin origin;
  const auto path = folder / "manifest.json";
  if (!std::filesystem::exists(path)) return origin;
  fields_from_json(parse_json(read_file(path, "dictionary"), "dictionary", path.string()), origin, {path.string(), ""});
  return origin;
}

}  // namespace fi
