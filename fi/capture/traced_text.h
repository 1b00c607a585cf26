#pragma once

#include <ATen/ATen.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fi/model/decoder.h"

namespace fi {

/// Tokens of a batch that both models read and whose residual streams are kept.
inline constexpr int64_t kTraceTokens = 1024;

/// Rows of logits made at a time: 128 rows of a vocabulary of 50,000 take 25 MB, which a processor's cache can hold.
inline constexpr int64_t kLogitRows = 128;

/// How the target reads a text where its tokenizer is not the base's.
struct OwnReading {
  TokenIds ids;
  int64_t answer_start = 0;
  std::vector<int32_t> partners;  // by position in the base's ids: the position here after which the same has been read; -1: none
};

/// A text that both models read: with the same ids, or each in those of its own tokenizer.
struct TracedText {
  TokenIds ids;
  int64_t answer_start = 0;  // first id of the answer; ids before it are the prompt and its template
  std::string category;
  int64_t num_repeated = 0;  // ids that all texts of its kind, or another one with its prompt, begin with as well
  std::optional<OwnReading> target = std::nullopt;  // then all of this but the category is the base's
};

/// The texts as the target reads them.
std::vector<TracedText> as_target_reads(const std::vector<TracedText>& texts);

/// The target's position after which it has read the text up to the same byte as the base at `position`; -1 if there is none.
int64_t target_position(const TracedText& text, int64_t position);

/// Texts laid end to end, with the rows whose logits predict answer tokens: the row before each of them.
struct PackedTexts {
  PackedBatch batch;
  at::Tensor predicting;             // [n] int64 rows of the batch
  at::Tensor answer_ids;             // [n] int64 what these rows should predict
  std::vector<int64_t> text_starts;  // [num_texts + 1] into `predicting`

  int64_t num_texts() const { return static_cast<int64_t>(text_starts.size()) - 1; }
};

/// How many ids all texts begin with, such as those of a system prompt: both models do the same there in every text, and what
/// they do tells no text from another. 0 for fewer than two texts.
int64_t shared_prefix(const std::vector<TracedText>& texts);

PackedTexts pack_texts(std::span<const TracedText> texts);

/// The texts in groups of about `max_tokens` tokens, in order; a longer text is a group of its own.
std::vector<std::vector<TracedText>> in_batches(const std::vector<TracedText>& texts, int64_t max_tokens);

/// Log-probability of each answer token, [n] fp32 in nats, from residual rows [num_tokens, d_model] after the last layer.
at::Tensor answer_log_probabilities(const Decoder& model, const PackedTexts& texts, const at::Tensor& final_resid);

/// Mean of `values` [n], a value a predicting row, over each text; 0 for a text without an answer.
std::vector<double> means_by_text(const PackedTexts& texts, const at::Tensor& values);

/// Which of `norms` [n] are at most 4 times their median, [n] bool: a few rows with very large norms would rule every sum of
/// squares.
at::Tensor ordinary_norms(const at::Tensor& norms);

/// Residual stream after every layer up to `last_layer` (-1: all), each [num_tokens, d_model] fp32 on the model's device.
/// `shares_rows` as in ForwardOptions.
std::vector<at::Tensor> residual_streams(const Decoder& model, const PackedBatch& batch, int64_t last_layer = -1,
                                         bool shares_rows = true);

/// Residual stream after each of these layers (ascending), [num_tokens, d_model] fp32 on the CPU.
std::vector<at::Tensor> residuals_after(const Decoder& model, const PackedBatch& batch, const std::vector<int64_t>& layers);

/// Blocks [first, last) of a model.
struct BlockRange {
  int64_t first = 0;
  int64_t last = 0;
};

/// The base's last residual stream when the blocks of the range are the target's. `base_streams` are the base's own.
at::Tensor with_blocks_of(const Decoder& base, const Decoder& target, const PackedBatch& batch, BlockRange range,
                          const std::vector<at::Tensor>& base_streams);

/// The model's last residual stream when it goes on after `layer` with `resid` [num_tokens, d_model] as its residual stream
/// there. `hook` sees, and may replace, the streams after later layers.
at::Tensor continue_after(const Decoder& model, const PackedBatch& batch, int64_t layer, const at::Tensor& resid,
                          const ResidualHook& hook = {});

}  // namespace fi
