#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fi/core/progress.h"
#include "fi/hub/cache.h"
#include "fi/hub/http.h"
#include "fi/hub/hub_settings.h"

namespace fi {

/// A repository of the hub, and which GGUF file of it is meant.
struct HubModelName {
  std::string repository;  // "org/name"
  std::string gguf;        // "" unless one is named
};
/// "org/name" or "org/name:FILE.gguf"; nothing for what cannot be a name, or would leave the repository.
std::optional<HubModelName> hub_model_name(const std::string& name);

/// Brings what a comparison reads of a repository into the cache, all of one commit: config, tokenizer, templates, generation
/// config and weights as safetensors (never pickles); where there are none, a PEFT adapter; where there is none either, the GGUF
/// file that is named, or the only one. Files that are there are kept. LFS files are held against their SHA-256.
/// Errors: those of HubConnection; kUsage with their names where there are several GGUF files; kUnsupported for a model that is
/// none of these; kInvalid for a damaged file, which is kept with the ending ".corrupt" after a second try; kDisk.
Snapshot download_model(const CachedModel& cached, const HubModelName& name, const std::string& revision, HttpClient& client,
                        const HubSettings& settings, ProgressSink& progress);

/// Shards that a `model.safetensors.index.json` names, sorted. kInvalid for a malformed index or a name that leaves its folder.
std::vector<std::string> shards_in_index(const std::filesystem::path& index);

/// Files without which a snapshot, or the GGUF file named of it, cannot be used.
std::vector<std::string> missing_files(const CachedModel& cached, const Snapshot& snapshot, const std::string& gguf);

}  // namespace fi
