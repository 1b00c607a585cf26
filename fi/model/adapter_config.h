#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace re2 {
class RE2;
}

namespace fi {

/// Which modules a PEFT setting names: all whose path is one of a list or ends with it, or all whose path a regular expression
/// matches as a whole.
class ModuleMatch {
 public:
  ModuleMatch() = default;  // names nothing
  explicit ModuleMatch(std::vector<std::string> names) : names_(std::move(names)) {}
  explicit ModuleMatch(std::shared_ptr<const re2::RE2> expression) : expression_(std::move(expression)) {}

  bool operator()(const std::string& module) const;

 private:
  std::vector<std::string> names_;
  std::shared_ptr<const re2::RE2> expression_;
};

/// adapter_config.json of a LoRA adapter (Hu et al., 2021) as PEFT writes it.
struct AdapterConfig {
  template <typename T>
  using Patterns = std::vector<std::pair<std::shared_ptr<const re2::RE2>, T>>;  // the first that matches a module counts

  int64_t rank = 0;
  double alpha = 0.0;
  bool rank_stabilised = false;  // scale alpha / sqrt(r) (Kalajdzievski, 2023), else alpha / r
  Patterns<int64_t> rank_patterns;
  Patterns<double> alpha_patterns;
  std::optional<ModuleMatch> targets;  // nothing: as the base's kind of model has it by default
  ModuleMatch excluded;
  std::set<int64_t> layers;  // of listed targets; empty: all

  /// True if the adapter is said to have factors for `module`, such as "model.layers.3.self_attn.q_proj".
  bool is_target(const std::string& module) const;
  int64_t rank_of(const std::string& module) const;
  /// What the product of the factors is multiplied by.
  double scale_of(const std::string& module) const;
};

/// kInvalid for a malformed or senseless file (rank or alpha 0), kUnsupported for other kinds of adapters than LoRA (DoRA,
/// activated LoRA, replicated layers, ...), each with the path and the key.
AdapterConfig read_adapter_config(const std::filesystem::path& path);

}  // namespace fi
