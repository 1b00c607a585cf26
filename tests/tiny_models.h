#pragma once

#include <ATen/Parallel.h>

#include <filesystem>
#include <string>
#include <vector>

#include "fi/capture/traced_text.h"
#include "fi/core/progress.h"
#include "fi/core/random.h"
#include "fi/model/decoder_layer.h"
#include "fi/model/load_model.h"

namespace fi {

/// A tiny random model of tests/data/model, in fp32. On one thread: its products are too small to share out, and threads that
/// wait for each other cost minutes on a busy machine.
inline Decoder load_tiny(const std::string& name = "llama_tied") {
  at::set_num_threads(1);
  const std::filesystem::path folder = std::filesystem::path(FI_TEST_DATA) / "model" / name;
  return load_model(resolve_model(folder.string(), {}), {.device = "cpu", .quantization = "fp32"}, silent_progress());
}

/// `base` whose feed-forward block in `layer` also writes along `direction` [d_model]: the models differ after that layer, first
/// in this one direction alone.
inline Decoder with_written_direction(const Decoder& base, int64_t layer, const at::Tensor& direction, double strength) {
  Decoder::Parts parts = base.parts();
  auto changed = std::make_shared<DecoderLayer>(*parts.layers[static_cast<size_t>(layer)]);
  Linear& down = changed->feed_forward.down;
  const at::Tensor reads = at::linspace(-1.0, 1.0, down.weight->d_in());
  down.weight = hold_dense(down.weight->to_float() + strength * at::outer(direction, reads));
  parts.layers[static_cast<size_t>(layer)] = changed;
  return Decoder(std::move(parts));
}

/// Texts of random ids; the answers begin in the middle.
inline std::vector<TracedText> random_texts(size_t count, int64_t vocab_size, uint64_t seed,
                                            const std::string& category = "any") {
  Random random(seed);
  std::vector<TracedText> texts;
  for (size_t i = 0; i < count; ++i) {
    TracedText text{.answer_start = 8, .category = category};
    for (size_t k = 0; k < 14 + i % 3; ++k)
      text.ids.push_back(static_cast<int32_t>(random.below(static_cast<uint64_t>(vocab_size))));
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace fi
