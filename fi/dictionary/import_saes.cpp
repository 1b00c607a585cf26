#include "fi/core/error.h"
#include "fi/dictionary/import_formats.h"

namespace fi {
namespace {

/// The parts of an SAE, in the orientation of the two products.
struct SaeParts {
  at::Tensor encoder;          // [d_model, num_latents]
  at::Tensor encoder_bias;     // [num_latents]
  at::Tensor decoder;          // [num_latents, d_model]
  at::Tensor decoder_bias;     // [d_model]
  bool centres_input = false;  // the decoder's bias is subtracted from the input
};

Crosscoder relu_sae(const SaeParts& parts) {
  Crosscoder c;
  c.encoder = parts.encoder.unsqueeze(0).contiguous();
  c.encoder_bias = parts.centres_input ? parts.encoder_bias - at::matmul(parts.decoder_bias, parts.encoder) : parts.encoder_bias;
  c.decoder = parts.decoder.unsqueeze(0).contiguous();
  c.decoder_bias = parts.decoder_bias.unsqueeze(0);
  c.scaling = identity_scaling(1, c.d_model());
  c.sparsity = Sparsity::kRelu;
  c.code_norm = CodeNorm::kNone;
  return c;
}

/// A gated SAE shares its encoder between gate and magnitude, x e + gate_bias > 0 and relu(x e exp(r) + magnitude_bias): a jump
/// relu on the magnitude (Rajamanoharan et al. 2404.16014, appendix). Takes a relu SAE of the shared encoder with no encoder bias
/// but the input's centre.
void gate(Crosscoder& c, const at::Tensor& gate_bias, const at::Tensor& log_scale, const at::Tensor& magnitude_bias) {
  const at::Tensor scale = log_scale.exp();
  c.encoder = c.encoder * scale;
  c.encoder_bias = c.encoder_bias * scale + magnitude_bias;
  c.sparsity = Sparsity::kJumpRelu;
  c.jump_threshold = magnitude_bias - gate_bias * scale;
}

int64_t whole_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
}

const Json& object_at(const Json& object, const char* key) {
  static const Json empty = Json::object();
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : empty;
}

bool flag_at(const Json& object, const char* key, bool fallback) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() ? found->get<bool>() : fallback;
}

void set_top_k(Crosscoder& c, int64_t k, const std::string& where) {
  check(k > 0, ErrorCode::kInvalid, "[dictionary] {}: it keeps the k largest codes, but its config has no k; add \"k\".", where);
  c.sparsity = Sparsity::kTopK;
  c.k = k;
}

void set_jump_thresholds(Crosscoder& c, const NamedTensors& tensors) {
  c.sparsity = Sparsity::kJumpRelu;
  c.jump_threshold = tensors.take_shaped("threshold", {c.num_latents()}, "d_sae");
}

// What SAELens calls the activation: `architecture`, or in older files `activation_fn`.
std::string saelens_kind(const DictionarySource& source) {
  for (const char* key : {"activation_fn", "activation_fn_str"}) {
    if (text_at(source.config, key) == "topk") return "topk";
  }
  const std::string architecture = text_at(source.config, "architecture");
  if (!architecture.empty()) return architecture;
  if (source.tensors.has("b_gate")) return "gated";
  return source.tensors.has("threshold") ? "jumprelu" : "standard";
}

// True if the rows were scaled in training by a factor that the file does not hold.
bool lacks_saelens_scaling(const DictionarySource& source) {
  const std::string how = text_at(source.config, "normalize_activations");
  check(how.empty() || how == "none" || how == "expected_average_only_in", ErrorCode::kUnsupported,
        "[dictionary] {}: normalize_activations is {}, expected none or expected_average_only_in: a scale for each row is not "
        "supported.",
        source.tensors.path().string(), how);
  return how == "expected_average_only_in";
}

SaeParts saelens_parts(const DictionarySource& source, bool is_gated, bool centres_input) {
  const NamedTensors& tensors = source.tensors;
  SaeParts parts{.encoder = tensors.take_dims("W_enc", 2, "d_in, d_sae"), .centres_input = centres_input};
  const int64_t width = parts.encoder.size(0), latents = parts.encoder.size(1);
  parts.encoder_bias = is_gated ? at::zeros({latents}) : tensors.take_shaped("b_enc", {latents}, "d_sae");
  parts.decoder = tensors.take_shaped("W_dec", {latents, width}, "d_sae, d_in");
  parts.decoder_bias = tensors.take_shaped("b_dec", {width}, "d_in");
  return parts;
}

void apply_saelens_kind(Crosscoder& c, const std::string& kind, const DictionarySource& source) {
  const NamedTensors& tensors = source.tensors;
  const std::string where = tensors.path().string();
  const auto latent_tensor = [&](const char* name) { return tensors.take_shaped(name, {c.num_latents()}, "d_sae"); };
  if (kind == "standard") return;
  if (kind == "jumprelu") return set_jump_thresholds(c, tensors);
  if (kind == "gated") return gate(c, latent_tensor("b_gate"), latent_tensor("r_mag"), latent_tensor("b_mag"));
  check(kind == "topk", ErrorCode::kUnsupported,
        "[dictionary] {}: the architecture is {}, expected standard, jumprelu, gated or topk; others are not read.", where, kind);
  const int64_t k = whole_at(source.config, "k");
  set_top_k(c, k > 0 ? k : whole_at(object_at(source.config, "activation_fn_kwargs"), "k"), where);
  if (flag_at(source.config, "rescale_acts_by_decoder_norm", false)) c.code_norm = CodeNorm::kSae;
}

// The same tensors in a file of torch.save are the JumpReLU dictionary of dictionary_learning.
ForeignDictionary read_jump_relu_pickle(const DictionarySource& source) {
  ForeignDictionary result{.crosscoder = relu_sae(saelens_parts(source, false, false))};
  set_jump_thresholds(result.crosscoder, source.tensors);
  return result;
}

std::string sae_class(const DictionarySource& source) { return text_at(object_at(source.config, "trainer"), "dict_class"); }

// Whether a row keeps its k largest codes, or all above the threshold that batches settled on.
void set_learned_top_k(Crosscoder& c, const DictionarySource& source) {
  const NamedTensors& tensors = source.tensors;
  const int64_t k = tensors.take_integer("k");
  const double threshold = tensors.has("threshold") ? tensors.take_number("threshold") : -1.0;
  if (threshold < 0.0 || sae_class(source) == "AutoEncoderTopK") return set_top_k(c, k, tensors.path().string());
  c.sparsity = Sparsity::kBatchTopK;
  c.k = k;
  c.threshold = threshold;
}

SaeParts dictionary_learning_parts(const NamedTensors& tensors) {
  SaeParts parts{.encoder = tensors.take_dims("encoder.weight", 2, "dict_size, activation_dim").t(), .centres_input = true};
  const int64_t width = parts.encoder.size(0), latents = parts.encoder.size(1);
  const bool is_gated = tensors.has("gate_bias");
  parts.encoder_bias = is_gated ? at::zeros({latents}) : tensors.take_shaped("encoder.bias", {latents}, "dict_size");
  parts.decoder = tensors.take_shaped("decoder.weight", {width, latents}, "activation_dim, dict_size").t();
  const char* bias = is_gated ? "decoder_bias" : "b_dec";
  if (tensors.has("bias")) bias = "bias";
  if (tensors.has("decoder.bias")) {
    bias = "decoder.bias";
    parts.centres_input = false;
  }
  parts.decoder_bias = tensors.take_shaped(bias, {width}, "activation_dim");
  return parts;
}

}  // namespace

ForeignDictionary read_saelens(const DictionarySource& source) {
  if (source.tensors.is_pickle()) return read_jump_relu_pickle(source);
  check(!source.config.empty(), ErrorCode::kNotFound,
        "[dictionary] {}: there is no cfg.json beside it, which says what its activation is; put it there.",
        source.tensors.path().string());
  const std::string kind = saelens_kind(source);
  const bool centres = flag_at(source.config, "apply_b_dec_to_input", true);
  ForeignDictionary result{.crosscoder = relu_sae(saelens_parts(source, kind == "gated", centres)),
                           .hook_point = text_at(object_at(source.config, "metadata"), "hook_name"),
                           .lacks_scaling = lacks_saelens_scaling(source)};
  if (result.hook_point.empty()) result.hook_point = text_at(source.config, "hook_name");
  result.hook_point = hook_point_from(result.hook_point);
  apply_saelens_kind(result.crosscoder, kind, source);
  source.tensors.check_all_taken({}, "SAELens SAE of architecture " + kind);
  return result;
}

ForeignDictionary read_sparsify(const DictionarySource& source) {
  const NamedTensors& tensors = source.tensors;
  const std::string where = tensors.path().string(), activation = text_at(source.config, "activation");
  check(activation.empty() || activation == "topk", ErrorCode::kUnsupported,
        "[dictionary] {}: the activation is {}, expected topk; others are not read.", where, activation);
  check(!flag_at(source.config, "transcode", false), ErrorCode::kUnsupported,
        "[dictionary] {}: it is a transcoder, which reads one place and writes another; take an SAE.", where);
  SaeParts parts{.encoder = tensors.take_dims("encoder.weight", 2, "num_latents, d_in").t(), .centres_input = true};
  const int64_t width = parts.encoder.size(0), latents = parts.encoder.size(1);
  parts.encoder_bias = tensors.take_shaped("encoder.bias", {latents}, "num_latents");
  parts.decoder = tensors.take_shaped("W_dec", {latents, width}, "num_latents, d_in");
  parts.decoder_bias = tensors.take_shaped("b_dec", {width}, "d_in");
  ForeignDictionary result{.crosscoder = relu_sae(parts),
                           .hook_point = hook_point_from(tensors.path().parent_path().filename().string())};
  if (!result.hook_point.starts_with("resid_post.")) result.hook_point.clear();  // a folder may have any name
  set_top_k(result.crosscoder, whole_at(source.config, "k"), where);
  tensors.check_all_taken({}, "sparsify SAE");
  return result;
}

ForeignDictionary read_dictionary_learning(const DictionarySource& source) {
  const NamedTensors& tensors = source.tensors;
  ForeignDictionary result{.crosscoder = relu_sae(dictionary_learning_parts(tensors))};
  Crosscoder& c = result.crosscoder;
  const auto latent_tensor = [&](const char* name) { return tensors.take_shaped(name, {c.num_latents()}, "dict_size"); };
  if (tensors.has("gate_bias")) {
    gate(c, latent_tensor("gate_bias"), latent_tensor("r_mag"), latent_tensor("mag_bias"));
  }
  if (tensors.has("k")) set_learned_top_k(c, source);
  c.scaling = stored_scaling(tensors, 1, c.d_model());
  tensors.check_all_taken({"activation_mean", "activation_std", "activation_global_scale", "target_rms"},
                          "dictionary_learning SAE");
  return result;
}

}  // namespace fi
