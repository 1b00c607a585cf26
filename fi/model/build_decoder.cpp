#include "fi/model/build_decoder.h"

#include <algorithm>

#include "fi/core/error.h"
#include "fi/model/decoder_layer.h"

namespace fi {
namespace {

// Rotary tables reach this far; longer texts are refused rather than read wrongly.
constexpr int64_t kMaxTablePositions = 8192;

std::shared_ptr<const RotaryTable> table_of(const RopeConfig& rope, const ModelConfig& config, at::Device device) {
  const RotaryTable table = make_rotary_table(rope, config.rotary_dim, config.max_positions);
  return std::make_shared<const RotaryTable>(RotaryTable{table.cos.to(device), table.sin.to(device)});
}

void take_layers(Decoder::Parts& parts, const Weights& weights, at::Device device, ProgressSink& sink) {
  const ModelConfig& config = parts.config;
  const auto global = table_of(config.rope, config, device);
  const auto local = config.is_local.empty() ? global : table_of(config.local_rope, config, device);
  StageProgress progress(sink, "weights", config.num_layers, "layers");
  for (int64_t i = 0; i < config.num_layers; ++i) {
    const auto layer = static_cast<size_t>(i);
    const bool is_local = !config.is_local.empty() && config.is_local[layer];
    const bool has_rope = config.has_rope.empty() || config.has_rope[layer];
    parts.layers.push_back(std::make_shared<const DecoderLayer>(weights.scope(std::to_string(i)), config, is_local,
                                                                !has_rope  ? nullptr
                                                                : is_local ? local
                                                                           : global));
    progress.advance(1);
  }
}

void take_tables(Decoder::Parts& parts, const Weights& root, HeldAs held_as) {
  ModelConfig& config = parts.config;
  parts.embedding = root.take_table("model.embed_tokens.weight", config.vocab_size, config.d_model);
  if (root.has("model.embed_positions.weight"))
    parts.position_embedding = root.take_table("model.embed_positions.weight", config.max_positions, config.d_model);
  const bool has_head = root.has("lm_head.weight");
  check(has_head || config.tied_embeddings, ErrorCode::kInvalid,
        "[model] lm_head.weight is missing and the config does not tie it to the embeddings; set tie_word_embeddings if they are "
        "shared.");
  config.tied_embeddings = !has_head;
  // A tied embedding in fp32 is held twice: once to look rows up, once in the order that products read.
  const bool is_shared = !has_head && held_as != HeldAs::kFp32;
  parts.unembedding =
      is_shared ? parts.embedding
                : root.take_matrix(has_head ? "lm_head.weight" : "model.embed_tokens.weight", config.vocab_size, config.d_model);
}

// A fault that the user may have asked to live with.
void warn_or_fail(bool is_error, ProgressSink& progress, const std::string& what, const char* what_to_do) {
  if (is_error) fail(ErrorCode::kInvalid, "[model] {}; {}.", what, what_to_do);
  progress.warn("[model] " + what + ".");
}

void check_all_used(const WeightStore& store, const std::string& model, ProgressSink& progress) {
  const std::vector<std::string> unused = store.unused();
  if (unused.empty()) return;
  warn_or_fail(
      !store.options().allows_unused, progress,
      fmt::format("{} holds {} tensors that the architecture does not read, such as '{}'", model, unused.size(), unused.front()),
      "weights and config do not fit, --allow-unused goes on without them");
}

void check_all_finite(const WeightStore& store, const std::string& model, ProgressSink& progress) {
  int64_t count = 0;
  for (const auto& [name, in_tensor] : store.non_finite()) count += in_tensor;
  if (count == 0) return;
  warn_or_fail(store.options().is_strict, progress,
               fmt::format("{} holds {} weights that are NaN or infinite, the first of them in '{}'", model, count,
                           store.non_finite().begin()->first),
               "download the model again, or go on without --strict");
}

}  // namespace

Decoder build_decoder(ModelSource source, WeightStore::Options options, ProgressSink& progress) {
  options.norm_offset = source.norm_offset;
  WeightStore store(options);
  for (TensorView& tensor : source.tensors) store.add(std::move(tensor));
  const Weights root(store, "");
  Decoder::Parts parts{.config = std::move(source.config)};
  take_tables(parts, root, options.held_as);
  parts.config.max_positions = std::min(parts.config.max_positions, kMaxTablePositions);
  parts.final_norm = take_norm(root.scope("model"), "norm", parts.config.d_model, parts.config);
  take_layers(parts, root.scope("model").scope("layers"), options.device, progress);
  check_all_used(store, source.name, progress);
  check_all_finite(store, source.name, progress);
  return Decoder(std::move(parts));
}

}  // namespace fi
