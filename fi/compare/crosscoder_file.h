#pragma once

#include <filesystem>
#include <string_view>

#include "fi/claims/report_data.h"
#include "fi/core/json.h"

namespace fi {

/// A crosscoder analysis as `alignmt` writes it: {"model.layers.18.mlp.gate_proj.weight": {"similarities": {NAME: cosine},
/// "differences": {NAME: number}}, ...}. It compares weight matrices of the two models, not features. Returns one row a layer, in
/// order, with means over the layer's matrices; matrices outside the blocks are left out. kInvalid names the entry for anything
/// of another shape, for cosines outside -1..1 and for a file that names no layer. `where` is a path or "crosscoder data".
std::vector<WeightRow> weight_rows_from_json(const Json& document, std::string_view where);

/// Reads the file as JSON. kNotFound if there is none, kInvalid if it is not such an analysis.
Json read_crosscoder_file(const std::filesystem::path& path);

}  // namespace fi
