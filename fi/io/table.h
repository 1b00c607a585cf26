#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fi {

/// A column of a table; an empty cell has no value. Texts are UTF-8.
struct TableColumn {
  using Integers = std::vector<std::optional<int64_t>>;
  using Numbers = std::vector<std::optional<double>>;
  using Texts = std::vector<std::optional<std::string>>;

  std::string name;
  std::variant<Integers, Numbers, Texts> cells;

  size_t num_rows() const {
    return std::visit([](const auto& values) { return values.size(); }, cells);
  }
};

}  // namespace fi
