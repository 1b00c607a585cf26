#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fi/core/progress.h"
#include "fi/hub/cache.h"
#include "fi/hub/http.h"
#include "fi/hub/hub_settings.h"

namespace fi {

/// Brings what a comparison reads of a model into the cache: config, tokenizer, templates, generation config, and weights as
/// safetensors (never pickles), all of one commit. Files that are there are kept. LFS files are held against their SHA-256.
/// Errors: those of HubConnection; kUnsupported for a model without safetensors; kInvalid for a damaged file, which is kept with
/// the ending ".corrupt" after a second try; kDisk.
Snapshot download_model(const CachedModel& cached, const std::string& name, const std::string& revision, HttpClient& client,
                        const HubSettings& settings, ProgressSink& progress);

/// Shards that a `model.safetensors.index.json` names, sorted. kInvalid for a malformed index or a name that leaves its folder.
std::vector<std::string> shards_in_index(const std::filesystem::path& index);

/// Files without which a snapshot cannot be used.
std::vector<std::string> missing_files(const CachedModel& cached, const Snapshot& snapshot);

}  // namespace fi
