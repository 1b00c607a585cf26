#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace fi {

/// Bytes of memory that this process may use: the machine's, or what its control group allows if that is less.
uint64_t memory_bytes();

/// The least limit that the control groups in `membership` (the text of /proc/self/cgroup, versions 1 and 2) set below `root`
/// (/sys/fs/cgroup), their parents included; UINT64_MAX if none does. What cannot be read sets no limit.
uint64_t control_group_limit(std::string_view membership, const std::filesystem::path& root);

}  // namespace fi
