#include "fi/dictionary/saelens_file.h"

#include <deque>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/io/safetensors.h"

namespace fi {
namespace {

// Without it SAELens takes the config for one of before 6.0 and drops the metadata.
constexpr const char* kLayoutVersion = "6.0.0";

std::string transformer_lens_name(const std::string& hook_point) {
  constexpr std::string_view kOurs = "resid_post.";
  return hook_point.starts_with(kOurs) ? fmt::format("blocks.{}.hook_resid_post", hook_point.substr(kOurs.size())) : hook_point;
}

const char* architecture_of(Sparsity sparsity) {
  switch (sparsity) {
    case Sparsity::kRelu: return "standard";
    case Sparsity::kTopK: return "topk";
    default: return "jumprelu";
  }
}

Json config_of_slice(const Crosscoder& c, const SaeLensPlace& place) {
  Json config = {{"architecture", architecture_of(c.sparsity)},
                 {"d_in", c.d_model()},
                 {"d_sae", c.num_latents()},
                 {"dtype", "float32"},
                 {"device", "cpu"},
                 {"apply_b_dec_to_input", false},
                 {"normalize_activations", "none"},
                 {"reshape_activations", "none"},
                 {"metadata",
                  {{"sae_lens_version", kLayoutVersion},
                   {"model_name", place.model_name},
                   {"hook_name", transformer_lens_name(place.hook_point)}}}};
  if (c.sparsity == Sparsity::kTopK) config["k"] = c.k;
  return config;
}

// A latent without decoder writes nothing; with unit norms its code would count all the same.
void silence_dead(Crosscoder& c, const at::Tensor& norms) {
  const at::Tensor alive = norms.gt(0).to(at::kFloat);
  c.encoder = c.encoder * alive;
  c.encoder_bias = c.encoder_bias * alive;
}

}  // namespace

Crosscoder slice_of_model(const Crosscoder& crosscoder, int64_t model) {
  check(crosscoder.sparsity != Sparsity::kLinear, ErrorCode::kUnsupported,
        "[export] a linear dictionary (PCA, difference in means) has codes of both signs, which no SAE of SAELens has.");
  Crosscoder unit = with_unit_code_norms(crosscoder);
  silence_dead(unit, code_norms(crosscoder));
  const double scale = unit.scaling.scale[model].item<double>();
  Crosscoder slice = unit;
  const int64_t width = unit.scaling.width(model);  // what is beyond it is padding
  const at::Tensor mean = unit.scaling.mean[model].narrow(0, 0, width);
  slice.encoder = (unit.encoder[model].narrow(0, 0, width) * scale).unsqueeze(0).contiguous();
  slice.encoder_bias = unit.encoder_bias - at::matmul(mean, slice.encoder[0]);
  slice.decoder = (unit.decoder[model].narrow(1, 0, width) / scale).unsqueeze(0).contiguous();
  slice.decoder_bias = (unit.decoder_bias[model].narrow(0, 0, width) / scale + mean).unsqueeze(0).contiguous();
  slice.scaling = identity_scaling(1, width);
  slice.code_norm = CodeNorm::kNone;
  return slice;
}

void save_saelens_slice(const Crosscoder& crosscoder, int64_t model, const SaeLensPlace& place,
                        const std::filesystem::path& folder) {
  const Crosscoder slice = slice_of_model(crosscoder, model);
  std::deque<at::Tensor> kept;  // entries point into it
  std::vector<TensorToWrite> entries;
  const auto add = [&](const char* name, const at::Tensor& tensor) {
    const at::Tensor& values = kept.emplace_back(tensor.contiguous());
    entries.push_back({name,
                       DType::kF32,
                       values.sizes().vec(),
                       {static_cast<const std::byte*>(values.const_data_ptr()), static_cast<size_t>(values.nbytes())}});
  };
  add("W_enc", slice.encoder[0]);
  add("b_enc", slice.encoder_bias);
  add("W_dec", slice.decoder[0]);
  add("b_dec", slice.decoder_bias[0]);
  if (slice.sparsity == Sparsity::kBatchTopK) add("threshold", at::full({slice.num_latents()}, slice.threshold, at::kFloat));
  if (slice.sparsity == Sparsity::kJumpRelu) add("threshold", slice.jump_threshold);
  make_folder(folder);
  write_safetensors(folder / "sae_weights.safetensors", entries, {});
  write_file_atomically(folder / "cfg.json", to_pretty_json(config_of_slice(slice, place)));
}

}  // namespace fi
