#pragma once

#include <string>
#include <vector>

#include "fi/model/families/family.h"
#include "fi/model/tensor_view.h"

namespace fi {

/// A checkpoint's tensors under the names, and in the shapes, that the decoder asks for: the family's names translated, fused
/// matrices cut apart, rotary pairs put into halves. Of an adapter's factors on a fused matrix, B is cut as the matrix is, and A
/// goes to every part. kIncompatible if a fused tensor has not the rows that the config asks for.
std::vector<TensorView> canonical_tensors(std::vector<TensorView> tensors, const Family& family, const ModelConfig& config,
                                          bool is_gguf);

/// One name by the family's table: "transformer.h.0.ln_1.weight" -> "model.layers.0.input_layernorm.weight".
std::string renamed(const std::string& name, const Family::Renaming& table);

/// What the family's own safetensors call a canonical module, or the fused one that holds it:
/// "model.layers.0.self_attn.q_proj" -> "transformer.h.0.attn.c_attn".
std::string original_module(const std::string& canonical, const Family& family);

}  // namespace fi
