#include "fi/dictionary/crosscoder.h"

#include <algorithm>

#include "fi/core/error.h"

namespace fi {
namespace {

void check_tensor(const at::Tensor& tensor, at::IntArrayRef shape, const char* name, const std::string& where) {
  check(tensor.defined() && tensor.sizes() == shape, ErrorCode::kInvalid,
        "[dictionary] {}: '{}' has shape [{}], expected [{}]; re-export the dictionary.", where, name,
        tensor.defined() ? fmt::format("{}", fmt::join(tensor.sizes(), ", ")) : "absent", fmt::join(shape, ", "));
  check(at::isfinite(tensor).all().item<bool>(), ErrorCode::kInvalid,
        "[dictionary] {}: '{}' holds numbers that are not finite; re-export the dictionary.", where, name);
}

void check_widths(const Crosscoder& c, const std::string& where) {
  const std::vector<int64_t>& widths = c.scaling.widths;
  const auto fits = [&](int64_t width) { return width >= 1 && width <= c.d_model(); };
  check(widths.empty() ||
            (static_cast<int64_t>(widths.size()) == c.num_models() && std::all_of(widths.begin(), widths.end(), fits)),
        ErrorCode::kInvalid, "[dictionary] {}: the models' widths are [{}], expected {} of 1 to {}; re-export the dictionary.",
        where, fmt::join(widths, ", "), c.num_models(), c.d_model());
  const auto is_cut = [&](const at::Tensor& values) { return cut_to_widths(c.scaling, values).equal(values); };
  check(widths.empty() ||
            (is_cut(c.encoder.transpose(1, 2)) && is_cut(c.decoder) && is_cut(c.decoder_bias) && is_cut(c.scaling.mean)),
        ErrorCode::kInvalid, "[dictionary] {}: a weight beyond a model's width is not 0; re-export the dictionary.", where);
}

at::Tensor per_model(const at::Tensor& scale) { return scale.view({-1, 1}); }

// [num_latents, num_models * d_model], one latent's decoder vectors side by side.
at::Tensor decoder_by_latent(const Crosscoder& crosscoder) {
  return crosscoder.decoder.permute({1, 0, 2}).reshape({crosscoder.num_latents(), -1});
}

at::Tensor largest_of_each_row(const at::Tensor& scaled, int64_t k) {
  return at::zeros_like(scaled, at::kBool).scatter_(1, std::get<1>(scaled.topk(k, 1, true, false)), true);
}

at::Tensor keep(const Crosscoder& crosscoder, const at::Tensor& pre_activations) {
  if (crosscoder.sparsity == Sparsity::kLinear) return pre_activations;
  const at::Tensor codes = pre_activations.relu();
  switch (crosscoder.sparsity) {
    case Sparsity::kBatchTopK: return codes * scaled_codes(crosscoder, codes).gt(crosscoder.threshold);
    case Sparsity::kTopK: return codes * largest_of_each_row(scaled_codes(crosscoder, codes), crosscoder.k);
    case Sparsity::kJumpRelu: return codes * codes.gt(crosscoder.jump_threshold);
    default: return codes;
  }
}

}  // namespace

void check_crosscoder(const Crosscoder& c, const std::string& where) {
  check(c.encoder.defined() && c.encoder.dim() == 3 && c.encoder.numel() > 0, ErrorCode::kInvalid,
        "[dictionary] {}: the encoder is no [num_models, d_model, num_latents] tensor; re-export the dictionary.", where);
  const int64_t models = c.num_models(), width = c.d_model(), latents = c.num_latents();
  check_tensor(c.encoder, {models, width, latents}, "encoder", where);
  check_tensor(c.encoder_bias, {latents}, "encoder_bias", where);
  check_tensor(c.decoder, {models, latents, width}, "decoder", where);
  check_tensor(c.decoder_bias, {models, width}, "decoder_bias", where);
  check_tensor(c.scaling.mean, {models, width}, "scaling.mean", where);
  check_tensor(c.scaling.scale, {models}, "scaling.scale", where);
  check(c.scaling.scale.gt(0).all().item<bool>(), ErrorCode::kInvalid,
        "[dictionary] {}: a normalisation scale is not above 0; re-export the dictionary.", where);
  if (c.sparsity == Sparsity::kJumpRelu) check_tensor(c.jump_threshold, {latents}, "jump_threshold", where);
  check_widths(c, where);
  const bool has_k = c.sparsity == Sparsity::kBatchTopK || c.sparsity == Sparsity::kTopK;
  check(!has_k || c.k > 0, ErrorCode::kInvalid, "[dictionary] {}: k is {}, expected at least 1; re-export the dictionary.", where,
        c.k);
  check(c.sparsity != Sparsity::kTopK || c.k <= latents, ErrorCode::kInvalid,
        "[dictionary] {}: k is {}, but there are {} latents; re-export the dictionary.", where, c.k, latents);
}

RowScaling identity_scaling(int64_t num_models, int64_t d_model) {
  return {.mean = at::zeros({num_models, d_model}), .scale = at::ones({num_models}), .widths = {}};
}

bool RowScaling::has_one_width() const {
  return std::adjacent_find(widths.begin(), widths.end(), std::not_equal_to<>()) == widths.end();
}

at::Tensor cut_to_widths(const RowScaling& scaling, const at::Tensor& values) {
  if (scaling.widths.empty()) return values;
  const at::Tensor cut = values.clone();
  for (int64_t m = 0; m < values.size(0); ++m) {
    const int64_t width = scaling.width(m);
    cut[m].narrow(-1, width, values.size(-1) - width).zero_();
  }
  return cut;
}

const char* sparsity_name(Sparsity sparsity) {
  switch (sparsity) {
    case Sparsity::kBatchTopK: return "batch_topk";
    case Sparsity::kTopK: return "topk";
    case Sparsity::kRelu: return "relu";
    case Sparsity::kJumpRelu: return "jump_relu";
    case Sparsity::kLinear: return "linear";
  }
  return "";
}

at::Tensor view_rows(RowView view, const at::Tensor& rows) {
  return view == RowView::kModels ? rows : rows.narrow(1, 1, 1) - rows.narrow(1, 0, 1);
}

at::Tensor normalise(const RowScaling& scaling, const at::Tensor& rows) {
  return (rows - scaling.mean) * per_model(scaling.scale);
}

at::Tensor denormalise(const RowScaling& scaling, const at::Tensor& rows) {
  return rows / per_model(scaling.scale) + scaling.mean;
}

at::Tensor code_norms(const Crosscoder& c) {
  const auto crosscoder_norm = [&] { return c.decoder.norm(2, {2}).sum(0); };
  const auto sae_norm = [&] { return c.decoder.norm(2, {0, 2}); };
  switch (c.code_norm) {
    case CodeNorm::kCrosscoder: return crosscoder_norm();
    case CodeNorm::kSae: return sae_norm();
    case CodeNorm::kMixed: return sae_norm() * c.mixed_sae_weight + crosscoder_norm() * c.mixed_crosscoder_weight;
    case CodeNorm::kNone: break;
  }
  return at::ones({c.num_latents()});
}

at::Tensor encode(const Crosscoder& c, const at::Tensor& rows) {
  const at::Tensor x = normalise(c.scaling, rows).flatten(1);
  return keep(c, at::addmm(c.encoder_bias, x, c.encoder.flatten(0, 1)));
}

at::Tensor decode(const Crosscoder& c, const at::Tensor& codes) {
  const at::Tensor flat = at::addmm(c.decoder_bias.flatten(), codes, decoder_by_latent(c));
  return denormalise(c.scaling, flat.view({codes.size(0), c.num_models(), c.d_model()}));
}

at::Tensor scaled_codes(const Crosscoder& c, const at::Tensor& codes) { return codes * code_norms(c); }

Crosscoder with_unit_code_norms(const Crosscoder& c) {
  invariant(c.sparsity != Sparsity::kLinear, "only codes of relu scale with their latent");
  // A dead latent may have no decoder at all: it keeps its (zero) vectors.
  const at::Tensor norms = code_norms(c);
  const at::Tensor factor = at::where(norms > 0, norms, at::ones_like(norms));
  Crosscoder result = c;
  result.encoder = c.encoder * factor;
  result.encoder_bias = c.encoder_bias * factor;
  result.decoder = c.decoder / factor.view({1, -1, 1});
  if (c.sparsity == Sparsity::kJumpRelu) result.jump_threshold = c.jump_threshold * factor;
  return result;
}

}  // namespace fi
