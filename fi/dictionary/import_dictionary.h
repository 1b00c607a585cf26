#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "fi/activations/row_source.h"
#include "fi/core/json.h"
#include "fi/dictionary/canonical_file.h"
#include "fi/dictionary/crosscoder.h"

namespace fi {

/// A dictionary that was trained anywhere.
struct ImportedDictionary {
  Crosscoder crosscoder;
  DictionaryOrigin origin;     // of its manifest, or as much as the file says
  bool lacks_scaling = false;  // see complete_scaling
};

/// Reads a dictionary of any layout in fi/dictionary/import_formats.h. `where` is a folder with one file of tensors, or that
/// file; the JSON beside it is found by its name (config.json, cfg.json, or N_cfg.json beside N.pt). The layout is told by the
/// names and dimensions of the tensors, and nothing of the file is run. kNotFound, kInvalid or kUnsupported, naming file, tensor
/// and shape; kUsage if the folder holds several dictionaries.
ImportedDictionary import_dictionary(const std::filesystem::path& where);

/// Some trainers bring each model's rows to a mean norm of sqrt(d_model) and do not store the factor, without which codes are
/// wrong. Sets it, if it is lacking: `given` (one a model), else the same rule on `rows`, and says so in origin.scaling. Rows
/// that were stored here lack position 0 and outliers, which a trainer may have counted: factors that are known are better. Given
/// factors for a dictionary that holds its own are kUsage, as are a wrong number of them and neither factors nor rows.
void complete_scaling(ImportedDictionary& dictionary, std::span<const double> given, const RowSource* rows);

/// What a dictionary is: {format, num_models, d_model, num_latents, sparsity, hook_point, scales, scaling}.
Json dictionary_document(const ImportedDictionary& dictionary);

/// "0.21,0.24" -> these numbers; "" -> none. kUsage unless all are above 0.
std::vector<double> scales_from_text(const std::string& text);

}  // namespace fi
