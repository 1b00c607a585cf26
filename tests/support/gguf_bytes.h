#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fi {

/// Writes GGUF files for tests, right or wrong: what the fields say is written, whether it fits together or not.
struct GgufBytes {
  struct Tensor {
    std::string name;
    std::vector<uint64_t> shape;  // innermost first, as in the file
    uint32_t type = 0;
    uint64_t offset = 0;
    size_t data_bytes = 0;
    std::optional<uint32_t> rank;  // said instead of the number of sizes
  };

  uint64_t alignment = 32;
  std::vector<std::string> values;
  std::vector<Tensor> tensors;

  template <typename T>
  static std::string raw(const T& value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
  }
  static std::string text(std::string_view value) { return raw(uint64_t{value.size()}) + std::string(value); }

  template <typename T>
  void add_value(std::string_view key, uint32_t type, const T& value) {
    values.push_back(text(key) + raw(type) + raw(value));
  }
  void add_string(std::string_view key, std::string_view value) { values.push_back(text(key) + raw(uint32_t{8}) + text(value)); }
  template <typename T>
  void add_array(std::string_view key, uint32_t type, const std::vector<T>& items, std::optional<uint64_t> said_count = {}) {
    std::string value = text(key) + raw(uint32_t{9}) + raw(type) + raw(said_count.value_or(items.size()));
    for (const T& item : items) value += raw(item);
    values.push_back(value);
  }
  void add_strings(std::string_view key, const std::vector<std::string>& items) {
    std::string value = text(key) + raw(uint32_t{9}) + raw(uint32_t{8}) + raw(uint64_t{items.size()});
    for (const std::string& item : items) value += text(item);
    values.push_back(value);
  }
  void add_tensor(std::string_view name, std::vector<uint64_t> shape, uint32_t type, uint64_t offset, size_t data_bytes) {
    tensors.push_back({std::string(name), std::move(shape), type, offset, data_bytes, {}});
  }

  std::string bytes() const {
    std::string file = "GGUF" + raw(uint32_t{3}) + raw(uint64_t{tensors.size()}) + raw(uint64_t{values.size()});
    for (const std::string& value : values) file += value;
    for (const Tensor& tensor : tensors) {
      file += text(tensor.name) + raw(tensor.rank.value_or(static_cast<uint32_t>(tensor.shape.size())));
      for (const uint64_t size : tensor.shape) file += raw(size);
      file += raw(tensor.type) + raw(tensor.offset);
    }
    for (const Tensor& tensor : tensors) {
      file.resize((file.size() + alignment - 1) / alignment * alignment);
      file.append(tensor.data_bytes, '\0');
    }
    return file;
  }
};

}  // namespace fi
