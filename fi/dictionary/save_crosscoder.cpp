#include <cmath>
#include <deque>
#include <map>

#include "fi/core/error.h"
#include "fi/core/json_fields.h"
#include "fi/dictionary/canonical_file.h"
#include "fi/dictionary/code_norm_names.h"
#include "fi/io/atomic_file.h"
#include "fi/io/safetensors.h"

namespace fi {
namespace {

at::Tensor folding_factor(const RowScaling& scaling, double file_scale) { return (scaling.scale / file_scale).view({-1, 1, 1}); }

// Weights for rows that are all scaled by `file_scale`, from weights for rows scaled model by model.
Crosscoder fold_scales(const Crosscoder& crosscoder, double file_scale) {
  Crosscoder folded = with_unit_code_norms(crosscoder);
  const at::Tensor factor = folding_factor(crosscoder.scaling, file_scale);
  folded.encoder = folded.encoder * factor;
  folded.decoder = folded.decoder / factor;
  folded.decoder_bias = folded.decoder_bias / factor.view({-1, 1});
  folded.scaling.scale = at::full({crosscoder.num_models()}, file_scale);
  folded.code_norm = CodeNorm::kNone;
  return folded;
}

bool has_one_scale(const RowScaling& scaling) { return scaling.scale.eq(scaling.scale[0]).all().item<bool>(); }

bool has_k(const Crosscoder& c) { return c.sparsity == Sparsity::kBatchTopK || c.sparsity == Sparsity::kTopK; }

Json config_of(const Crosscoder& c, double target_rms) {
  Json config = {{"activation_dim", c.d_model()},
                 {"dict_size", c.num_latents()},
                 {"num_layers", c.num_models()},
                 {"code_normalization", code_norm_name(c.code_norm)},
                 {"code_normalization_alpha_sae", c.mixed_sae_weight},
                 {"code_normalization_alpha_cc", c.mixed_crosscoder_weight},
                 {"init_with_transpose", true},
                 {"same_init_for_all_layers", false},
                 {"target_rms", target_rms}};
  if (has_k(c)) config["k"] = c.k;
  return config;
}

class Tensors {
 public:
  void add(const std::string& name, const at::Tensor& tensor) {
    const at::Tensor& kept = kept_.emplace_back(tensor.contiguous());
    const DType dtype = kept.scalar_type() == at::kLong  ? DType::kI64
                        : kept.scalar_type() == at::kInt ? DType::kI32
                                                         : DType::kF32;
    entries_.push_back({.name = name,
                        .dtype = dtype,
                        .shape = kept.sizes().vec(),
                        .bytes = {static_cast<const std::byte*>(kept.const_data_ptr()), static_cast<size_t>(kept.nbytes())}});
  }
  const std::vector<TensorToWrite>& entries() const { return entries_; }

 private:
  std::deque<at::Tensor> kept_;  // entries point into it
  std::vector<TensorToWrite> entries_;
};

at::Tensor number(double value) { return at::scalar_tensor(value, at::kFloat); }

Tensors tensors_of(const Crosscoder& c, double target_rms) {
  Tensors tensors;
  tensors.add("encoder.weight", c.encoder);
  tensors.add("encoder.bias", c.encoder_bias);
  tensors.add("decoder.weight", c.decoder);
  tensors.add("decoder.bias", c.decoder_bias);
  tensors.add("code_normalization_id", at::scalar_tensor(static_cast<int64_t>(c.code_norm), at::kLong));
  const double scale = c.scaling.scale[0].item<double>();
  tensors.add("activation_mean", c.scaling.mean);
  tensors.add("activation_std", at::full_like(c.scaling.mean, 1.0 / scale));
  tensors.add("activation_global_scale", number(scale));
  tensors.add("target_rms", number(target_rms));
  if (has_k(c)) {
    tensors.add("k", at::scalar_tensor(c.k, at::kInt));
    tensors.add("threshold", number(c.threshold));
  }
  if (c.sparsity == Sparsity::kJumpRelu) tensors.add("jump_threshold", c.jump_threshold);
  return tensors;
}

std::map<std::string, std::string> metadata_of(const Crosscoder& c) {
  std::vector<double> scales;
  for (int64_t m = 0; m < c.num_models(); ++m) scales.push_back(c.scaling.scale[m].item<double>());
  std::map<std::string, std::string> metadata = {{"format", "pt"},
                                                 {"fi.view", c.view == RowView::kModels ? "models" : "difference"},
                                                 {"fi.sparsity", sparsity_name(c.sparsity)},
                                                 {"fi.code_norm", code_norm_name(c.code_norm)},
                                                 {"fi.scales", Json(scales).dump()}};
  if (!c.scaling.widths.empty()) metadata["fi.widths"] = Json(c.scaling.widths).dump();
  return metadata;
}

}  // namespace

void save_crosscoder(const Crosscoder& crosscoder, const DictionaryOrigin& origin, const std::filesystem::path& folder) {
  check_crosscoder(crosscoder, folder.string());
  check(has_one_scale(crosscoder.scaling) || crosscoder.sparsity != Sparsity::kLinear, ErrorCode::kUnsupported,
        "[dictionary] {}: a linear dictionary cannot be written with a scale for each model.", folder.string());
  const double file_scale = crosscoder.scaling.scale.log().mean().exp().item<double>();
  const Crosscoder written = has_one_scale(crosscoder.scaling) ? crosscoder : fold_scales(crosscoder, file_scale);
  const double target_rms = std::sqrt(static_cast<double>(written.num_models() * written.d_model()));
  const Tensors tensors = tensors_of(written, target_rms);
  write_safetensors(folder / "model.safetensors", tensors.entries(), metadata_of(crosscoder));
  write_file_atomically(folder / "manifest.json", to_pretty_json(fields_to_json(origin)));
  write_file_atomically(folder / "config.json", to_pretty_json(config_of(written, target_rms)));
}

}  // namespace fi
