#pragma once

#include <string>

#include "fi/core/json.h"
#include "fi/core/progress.h"

namespace fi {

/// What `feature-interpreter export` is asked for.
struct ExportRequest {
  std::string dictionary;   // folder or file, trained anywhere (fi/dictionary/import_dictionary.h)
  std::string formats;      // "saelens", "delphi" or both: "saelens,delphi"
  std::string activations;  // stored rows: for delphi, and for scales that the dictionary lacks
  std::string layer;        // which of several stored ones
  std::string scales;       // "0.21,0.24": of a dictionary that does not hold its own
  std::string out = "export";
};

/// Writes the dictionary for other tools: `out`/saelens/base and `out`/saelens/target, a slice each
/// (fi/dictionary/saelens_file.h; "sae" or "difference" for a dictionary of one model), and `out`/delphi/layers.N
/// (fi/features/delphi_cache.h). Returns {"saelens": [folders], "delphi": {...}} of what was asked for. kUsage for unknown
/// formats, or for delphi without rows; kIncompatible if the dictionary is of another hook point or width than the rows.
Json export_dictionary(const ExportRequest& request, ProgressSink& progress);

}  // namespace fi
