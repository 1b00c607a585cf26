#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

namespace fi {

/// Which pre-activations of a dictionary survive.
enum class Sparsity {
  kBatchTopK,  // those whose scaled activation exceeds one threshold (Bussmann et al. 2412.06410); training picks the k largest
               // per row
  kTopK,       // the k largest scaled activations of each row (Gao et al. 2406.04093)
  kRelu,       // the positive ones (L1 crosscoders: Lindsey et al. 2024)
  kJumpRelu,   // those above a threshold of their own latent (Rajamanoharan et al. 2407.14435)
  kLinear      // all of them: PCA and difference in means
};

/// What a latent's code is multiplied by before it is compared with others. Numbers as crosscoder files store them.
enum class CodeNorm : int64_t {
  kCrosscoder = 1,  // sum over models of decoder norms
  kSae = 2,         // norm of the decoder vectors of all models, concatenated
  kMixed = 3,       // weighted sum of both
  kNone = 4         // 1
};

/// What a dictionary reads of a pair of rows.
enum class RowView {
  kModels,     // one row per model
  kDifference  // target - base, a single row: dictionaries of the difference have num_models = 1
};

/// normalised = (row - mean) * scale, for each model. Always there, the identity (0 and 1) where nothing is normalised. Models of
/// other widths stand side by side too: d_model is the largest, and a narrower model's rows, means and weights are 0 beyond its
/// own width. Zeros there stay zeros in training, for no gradient reaches them.
struct RowScaling {
  at::Tensor mean;              // [num_models, d_model]
  at::Tensor scale;             // [num_models], > 0
  std::vector<int64_t> widths;  // by model; empty: all are d_model wide

  int64_t width(int64_t model) const { return widths.empty() ? mean.size(1) : widths.at(static_cast<size_t>(model)); }
  /// Whether all models have one width, so that a row or vector of one can be set against another's.
  bool has_one_width() const;
};

/// A dictionary over paired residual rows: crosscoder, SAE on the difference (RowView::kDifference), or linear baseline. Plain
/// data, fp32. With x the normalised row of each model,
///   code[j] = keep(relu(sum_m x[m] . encoder[m, :, j] + encoder_bias[j])),  reconstruction[m] = code . decoder[m] +
///   decoder_bias[m].
struct Crosscoder {
  at::Tensor encoder;       // [num_models, d_model, num_latents]
  at::Tensor encoder_bias;  // [num_latents]
  at::Tensor decoder;       // [num_models, num_latents, d_model]
  at::Tensor decoder_bias;  // [num_models, d_model]
  RowScaling scaling;
  RowView view = RowView::kModels;
  Sparsity sparsity = Sparsity::kBatchTopK;
  CodeNorm code_norm = CodeNorm::kCrosscoder;
  double mixed_sae_weight = 1.0;         // kMixed only
  double mixed_crosscoder_weight = 0.1;  // kMixed only
  int64_t k = 0;                         // kBatchTopK: mean number of codes a row in training; kTopK: codes a row
  double threshold = -1.0;               // kBatchTopK, on scaled activations; below 0: never set, nothing is cut
  at::Tensor jump_threshold;             // kJumpRelu: [num_latents], on codes

  int64_t num_models() const { return encoder.size(0); }
  int64_t d_model() const { return encoder.size(1); }
  int64_t num_latents() const { return encoder.size(2); }
};

/// kInvalid, naming `where`, unless all shapes agree, every number is finite, and what is beyond a model's width is 0.
void check_crosscoder(const Crosscoder& crosscoder, const std::string& where);

RowScaling identity_scaling(int64_t num_models, int64_t d_model);

/// `values` [num_models, ..., d_model] with zeros beyond each model's width.
at::Tensor cut_to_widths(const RowScaling& scaling, const at::Tensor& values);

/// "batch_topk", "topk", "relu", "jump_relu" or "linear", as files and tables spell it.
const char* sparsity_name(Sparsity sparsity);

/// What the dictionary reads of base and target rows: [n, 2, d_model] -> [n, num_models, d_model].
at::Tensor view_rows(RowView view, const at::Tensor& rows);

/// [n, num_models, d_model] <-> the space that the weights live in.
at::Tensor normalise(const RowScaling& scaling, const at::Tensor& rows);
at::Tensor denormalise(const RowScaling& scaling, const at::Tensor& rows);

/// [num_latents], as `code_norm` says.
at::Tensor code_norms(const Crosscoder& crosscoder);

/// Raw rows [n, num_models, d_model] -> codes [n, num_latents].
at::Tensor encode(const Crosscoder& crosscoder, const at::Tensor& rows);
/// Codes -> raw rows [n, num_models, d_model].
at::Tensor decode(const Crosscoder& crosscoder, const at::Tensor& codes);
/// Codes times their norms: what is reported and compared between latents.
at::Tensor scaled_codes(const Crosscoder& crosscoder, const at::Tensor& codes);

/// The same function with every code norm equal to 1: codes become the scaled codes. Not for kLinear.
Crosscoder with_unit_code_norms(const Crosscoder& crosscoder);

}  // namespace fi
