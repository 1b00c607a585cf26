#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "fi/compare/options.h"
#include "fi/compare/plants.h"
#include "fi/core/json.h"
#include "fi/core/progress.h"

namespace fi {

/// How far the claims of one report meet a plant. A claim meets it if at least half of the categories of one of the two are the
/// other's, too; every other claim is false, as nothing else was changed.
struct PlantResult {
  bool found = false;
  bool kind_right = false;                // a claim that meets it has its kind
  std::optional<bool> layer_right;        // ... has its layer; nothing: no block was edited
  bool verified = false;                  // ... has the verdict verified
  int64_t num_claims = 0, num_false = 0;  // over the report
};

PlantResult judge_claims(const Plant& plant, const Json& claims);

/// Plants known changes into the model that `options` name as base, one after the other (fi/compare/plants.h), compares the model
/// with each of the results, and counts what was found. Writes <output_dir>/selftest.json and a copy in the user's cache, where
/// comparisons of this base find it. Returns the document: {"model", "sha256", "budget", "seed", "plants": [...], "planted",
/// "found", "kind_right", "verified", "claims", "false_claims", "recall", "precision", "left_out"}; precision is null without a
/// claim.
Json selftest(const CompareOptions& options, ProgressSink& progress);

/// Where `selftest` leaves its document for a base model of this SHA-256.
std::filesystem::path selftest_path(const std::string& base_sha256);
/// What such a document says, in a sentence. kInvalid for another document.
std::string selftest_sentence(const Json& document, std::string_view where);
/// That sentence for this base on this machine, or that there is none.
std::string measured_recall(const std::string& base_sha256);

}  // namespace fi
