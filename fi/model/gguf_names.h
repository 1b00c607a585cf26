#pragma once

#include <string>

namespace fi {

/// The name that Hugging Face checkpoints give a GGUF tensor: "blk.3.attn_q.weight" -> "model.layers.3.self_attn.q_proj.weight".
/// `norms_on_both_sides`: the block has norms before and after each part (Gemma). Unknown names are returned unchanged.
std::string canonical_name(const std::string& gguf_name, bool norms_on_both_sides);

}  // namespace fi
