#pragma once

#include <filesystem>
#include <string>

#include "fi/dictionary/crosscoder.h"

namespace fi {

/// What a dictionary was trained on. Written beside it, in manifest.json.
struct DictionaryOrigin {
  std::string base;
  std::string target;
  std::string hook_point;       // such as "resid_post.20", or "resid_post.12+20"
  std::string base_hook_point;  // the base's, where it is another
  std::string tokenizer;        // hash of the tokenizer file, so that a dictionary is not used with other ids
  int64_t num_training_rows = 0;
  std::string format;   // of the file it was imported from; empty: trained here
  std::string scaling;  // where the scales of an imported dictionary come from (fi/dictionary/import_dictionary.h)
};

template <typename Visit>
void visit_fields(DictionaryOrigin& o, Visit&& visit) {
  visit("base", o.base);
  visit("target", o.target);
  visit("hook_point", o.hook_point);
  visit("base_hook_point", o.base_hook_point);
  visit("tokenizer", o.tokenizer);
  visit("num_training_rows", o.num_training_rows);
  visit("format", o.format);
  visit("scaling", o.scaling);
}

/// Writes `folder`/config.json, model.safetensors and manifest.json in the layout of `CrossCoder` and `BatchTopKCrossCoder` of
/// jkminder/dictionary_learning: their `from_pretrained(folder, from_hub=True)` gives the same scaled codes and reconstructions.
/// That layout has one scale for all models. Where ours differ, the scales are folded into the weights, with unit code norms
/// (CodeNorm::kNone), and `load_crosscoder` unfolds them again. A jump threshold is an extra tensor, which that library ignores,
/// as it does the mark of Sparsity::kTopK: its codes of those two differ. Models of other widths are padded with zeros to the
/// widest: that library reads such rows as well, padded alike.
void save_crosscoder(const Crosscoder& crosscoder, const DictionaryOrigin& origin, const std::filesystem::path& folder);

/// Reads that layout, ours or theirs: with or without the `_orig_mod.` prefix of torch.compile, normaliser buffers (NaN: none)
/// and code_normalization_id (old files: CROSSCODER). kNotFound, kInvalid, or kUnsupported for DECOUPLED codes.
Crosscoder load_crosscoder(const std::filesystem::path& folder);

/// The manifest beside it; all empty where there is none.
DictionaryOrigin load_origin(const std::filesystem::path& folder);

}  // namespace fi
