#include "fi/core/memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

namespace fi {
namespace {

namespace fs = std::filesystem;

// "max" and an absent file are no numbers.
uint64_t limit_in(const fs::path& file) {
  uint64_t limit = UINT64_MAX;
  std::ifstream stream(file);
  return stream >> limit ? limit : UINT64_MAX;
}

// Inside a container the path of its own group may not be visible; the root then is that group.
uint64_t least_limit(const fs::path& root, const std::string& group, const char* file) {
  uint64_t least = limit_in(root / file);
  fs::path folder = root;
  for (const fs::path& part : fs::path(group).relative_path()) {
    if (part == "..") break;
    folder /= part;
    least = std::min(least, limit_in(folder / file));
  }
  return least;
}

bool names_memory(const std::string& controllers) { return ("," + controllers + ",").find(",memory,") != std::string::npos; }

}  // namespace

uint64_t control_group_limit(std::string_view membership, const fs::path& root) {
  std::istringstream lines{std::string(membership)};
  uint64_t least = UINT64_MAX;
  for (std::string line; std::getline(lines, line);) {  // number:controllers:/path
    const size_t first = line.find(':'), second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), group = line.substr(second + 1);
    if (controllers.empty()) least = std::min(least, least_limit(root, group, "memory.max"));
    if (names_memory(controllers)) least = std::min(least, least_limit(root / "memory", group, "memory.limit_in_bytes"));
  }
  return least;
}

uint64_t memory_bytes() {
  const uint64_t machine = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(::sysconf(_SC_PAGE_SIZE));
  std::ifstream stream("/proc/self/cgroup");
  const std::string membership{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  return std::min(machine, control_group_limit(membership, "/sys/fs/cgroup"));
}

}  // namespace fi
