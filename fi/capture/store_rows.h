#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fi/activations/activation_writer.h"
#include "fi/activations/hook_points.h"
#include "fi/capture/traced_text.h"
#include "fi/core/progress.h"

namespace fi {

struct StoreRowsOptions {
  std::filesystem::path folder;  // of the activation store
  std::string base;              // names, for the record
  std::string target;
  std::string relation;          // of the models, as StoreInfo has it
  std::string tokenizer;         // fingerprint, of the base's
  std::string target_tokenizer;  // of the target's own, if the texts hold readings of its own
  LayerGroup layers{0};          // of the target: the residual streams after these blocks. The base's are at the same depths
  double outlier_factor = 4.0;
};

/// Reads every text with both models and stores the paired residual rows after one block, or after several side by side; later
/// blocks do not run. Memory does not grow with the texts. Left out and counted: position 0, special tokens, norm outliers, and
/// what all texts begin with, or a text with others of its kind or prompt (TracedText::num_repeated). A text's rows stay
/// together, in the order of the texts, whose ids are stored as well (fi/capture/text_file.h). Models of other depths and widths
/// are paired too (RowScaling), and models of other tokenizers after tokens that end at the same byte of prompt or answer (their
/// TracedText::target). kIncompatible unless both have the same vocabulary, or readings of their own; kUsage if the layer does
/// not exist or no row is kept.
StoreInfo store_rows(const Decoder& base, const Decoder& target, const std::vector<TracedText>& texts,
                     const std::function<bool(int32_t)>& is_special, const StoreRowsOptions& options, ProgressSink& progress);

}  // namespace fi
