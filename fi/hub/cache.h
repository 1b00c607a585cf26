#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace fi {

/// The Hugging Face cache folder of this user: HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, $HF_HOME/hub,
/// $XDG_CACHE_HOME/huggingface/hub,
/// ~/.cache/huggingface/hub, in this order.
std::filesystem::path default_hub_cache();

/// True for names like "org/model": what the hub accepts, and nothing that could leave the cache folder.
bool is_hub_name(const std::string& name);

struct Snapshot {
  std::filesystem::path folder;
  std::string commit;
};

/// models--org--name/snapshots/<commit> for a revision (branch, tag or commit), if it is in the cache.
std::optional<Snapshot> find_snapshot(const std::filesystem::path& cache, const std::string& name, const std::string& revision);

}  // namespace fi
