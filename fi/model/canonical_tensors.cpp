#include "fi/model/canonical_tensors.h"

#include <span>

#include "fi/core/error.h"
#include "fi/io/mapped_file.h"

namespace fi {
namespace {

struct Part {
  const char* name;
  int64_t rows;
};

bool is_factor(const TensorView& view) { return view.name.find(".lora_") != std::string::npos; }
bool is_shared_factor(const TensorView& view) { return view.name.ends_with(".lora_A.weight"); }

// Factors are [rank, d_in] and [d_out, rank] whichever way round the matrix is stored.
bool is_block_matrix(const TensorView& view) {
  return view.name.starts_with("model.layers.") && view.stored.shape.size() == 2 && !is_factor(view);
}

std::string with_part(std::string name, const std::string& fused, const char* part) {
  return name.replace(name.find(fused), fused.size(), part);
}

void give_to_each(const TensorView& view, const std::string& fused, std::span<const Part> parts, std::vector<TensorView>& out) {
  for (const Part& part : parts) {
    out.push_back(view);
    out.back().name = with_part(view.name, fused, part.name);
  }
}

void check_rows(const TensorView& view, int64_t expected) {
  check(view.shape().front() == expected, ErrorCode::kIncompatible,
        "[model] {}: tensor '{}' has {} rows, but the config asks for {}; config and weights are of different models.",
        view.stored.file ? view.stored.file->path().string() : "the checkpoint", view.stored.name, view.shape().front(),
        expected);
}

// The rows of a fused tensor, one part after another.
void split(const TensorView& view, const std::string& fused, std::span<const Part> parts, std::vector<TensorView>& out) {
  if (is_shared_factor(view)) return give_to_each(view, fused, parts, out);
  int64_t total = 0;
  for (const Part& part : parts) total += part.rows;
  check_rows(view, total);
  int64_t first = 0;
  for (const Part& part : parts) {
    out.push_back(slice_rows(view, with_part(view.name, fused, part.name), first, part.rows));
    first += part.rows;
  }
}

// Rows of fused q, k, v that stand head by head, (q0, k0, v0, q1, ...), one after another.
TensorView by_part(TensorView view, const ModelConfig& config) {
  const int64_t width = config.head_dim, heads = config.num_heads;
  check_rows(view, 3 * heads * width);
  return reorder_rows(std::move(view), [&](int64_t row) {
    const int64_t part = row / (heads * width), head = row / width % heads;
    return (head * 3 + part) * width + row % width;
  });
}

// Rows of every head from (x0, y0, x1, y1, ...) to (x0, x1, ..., y0, y1, ...).
TensorView pairs_to_halves(TensorView view, int64_t head_dim) {
  const int64_t half = head_dim / 2;
  if (view.shape().front() % head_dim != 0) return view;  // a wrong shape is reported where it is asked for
  return reorder_rows(std::move(view), [&](int64_t row) {
    const int64_t in_head = row % head_dim;
    return row - in_head + (in_head < half ? 2 * in_head : 2 * (in_head - half) + 1);
  });
}

bool is_rotated(const std::string& name) {
  return name.find(".q_proj.") != std::string::npos || name.find(".k_proj.") != std::string::npos;
}

}  // namespace

std::string renamed(const std::string& name, const Family::Renaming& table) {
  std::string dotted = "." + name;
  for (const auto& [from, to] : table) {
    const size_t at = dotted.find(from);
    if (at != std::string::npos) dotted.replace(at, from.size(), to);
  }
  return dotted.substr(1);
}

std::string original_module(const std::string& canonical, const Family& family) {
  std::string name = "." + canonical + ".";
  const auto replace = [&](const std::string& from, const std::string& to) {
    if (const size_t at = name.find(from); at != std::string::npos) name.replace(at, from.size(), to);
  };
  if (family.fuses_qkv) {
    for (const char* part : {".q_proj.", ".k_proj.", ".v_proj."}) replace(part, ".qkv_proj.");
  }
  if (family.fuses_gate_up) {
    for (const char* part : {".gate_proj.", ".up_proj."}) replace(part, ".gate_up_proj.");
  }
  std::string dropped = ".";  // what stands before all names of the family but the head's
  for (const auto& [from, to] : family.names) {
    if (to == ".") {
      dropped = from;
    } else {
      replace(to, from);
    }
  }
  if (!name.starts_with(".lm_head.")) name.replace(0, 1, dropped);
  return name.substr(1, name.size() - 2);
}

std::vector<TensorView> canonical_tensors(std::vector<TensorView> tensors, const Family& family, const ModelConfig& config,
                                          bool is_gguf) {
  const int64_t query_rows = config.num_heads * config.head_dim, key_rows = config.num_kv_heads * config.head_dim;
  const Part qkv[] = {{".q_proj.", query_rows}, {".k_proj.", key_rows}, {".v_proj.", key_rows}};
  const Part gate_up[] = {{".gate_proj.", config.d_ffn}, {".up_proj.", config.d_ffn}};
  std::vector<TensorView> canonical;
  for (TensorView& view : tensors) {
    check(!view.stored.shape.empty(), ErrorCode::kInvalid, "[model] tensor '{}' has no dimension; the file is damaged.",
          view.stored.name);
    view.name = renamed(view.name, is_gguf ? family.gguf_names : family.names);
    view.is_transposed = !is_gguf && family.transposed_matrices && is_block_matrix(view);
    if (is_gguf && family.gguf_rotary_pairs && is_rotated(view.name)) view = pairs_to_halves(std::move(view), config.head_dim);
    if (view.name.find(".qkv_proj.") != std::string::npos) {
      if (!is_gguf && family.qkv_by_head && !is_shared_factor(view)) view = by_part(std::move(view), config);
      split(view, ".qkv_proj.", qkv, canonical);
    } else if (view.name.find(".gate_up_proj.") != std::string::npos) {
      split(view, ".gate_up_proj.", gate_up, canonical);
    } else {
      canonical.push_back(std::move(view));
    }
  }
  return canonical;
}

}  // namespace fi
