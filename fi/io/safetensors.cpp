#include "fi/io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "fi/core/error.h"
#include "fi/core/json.h"
#include "fi/io/atomic_file.h"
#include "fi/io/mapped_file.h"

namespace fi {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;
// Real files stay far below. Every tensor has about nine values in the header, in a document tree of some 250 bytes each.
constexpr int64_t kMaxTensors = 100'000;
constexpr JsonLimits kHeaderLimits{.depth = 4, .values = 1'000'000};
constexpr size_t kMaxRank = 8;
constexpr size_t kPrefixBytes = 8;

const std::map<std::string, DType>& plain_dtypes() {
  static const std::map<std::string, DType> table = {
      {"F64", DType::kF64}, {"F32", DType::kF32}, {"F16", DType::kF16}, {"BF16", DType::kBF16}, {"I64", DType::kI64},
      {"I32", DType::kI32}, {"I16", DType::kI16}, {"I8", DType::kI8},   {"U8", DType::kU8},     {"BOOL", DType::kBool}};
  return table;
}

[[noreturn]] void reject_file(const std::filesystem::path& path, const std::string& rule) {
  fail(ErrorCode::kInvalid, "[safetensors] {}: {}; download the file again or re-export it.", path.string(), rule);
}

void reject_lfs_pointer(const MappedFile& file) {
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), std::min<size_t>(file.size(), 512));
  if (!text.starts_with("version https://git-lfs")) return;
  const size_t at = text.find("\nsize ");
  const std::string size =
      at == std::string_view::npos ? "unknown" : std::string(text.substr(at + 6, text.find('\n', at + 6) - at - 6));
  fail(ErrorCode::kInvalid,
       "[safetensors] {} is a git-lfs pointer, the real file has {} bytes; run `git lfs pull` in its folder.",
       file.path().string(), size);
}

std::string_view header_of(const MappedFile& file) {
  const auto& path = file.path();
  reject_lfs_pointer(file);
  if (file.size() < kPrefixBytes)
    reject_file(path, fmt::format("header too small, file has {} bytes, expected at least 8", file.size()));
  uint64_t length = 0;
  std::memcpy(&length, file.bytes().data(), kPrefixBytes);
  if (length > kMaxHeaderBytes)
    reject_file(path, fmt::format("header length at offset 0 is {}, more than {}", length, kMaxHeaderBytes));
  if (length > file.size() - kPrefixBytes) {
    reject_file(path,
                fmt::format("header length at offset 0 is {}, but only {} bytes follow", length, file.size() - kPrefixBytes));
  }
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()) + kPrefixBytes, length);
  if (!text.starts_with('{')) reject_file(path, "header at offset 8 does not begin with '{'");
  // Before a tree of it is built, whose size would be many times the file's.
  if (const auto num_objects = std::count(text.begin(), text.end(), '{'); num_objects > kMaxTensors)
    reject_file(path, fmt::format("header at offset 8 opens {} objects, more than {} tensors", num_objects, kMaxTensors));
  return text;
}

uint64_t checked_product(const std::vector<int64_t>& shape, uint64_t item, const std::filesystem::path& path,
                         const std::string& name) {
  uint64_t product = item;
  for (const int64_t size : shape) {
    if (__builtin_mul_overflow(product, static_cast<uint64_t>(size), &product)) {
      reject_file(path, fmt::format("tensor '{}' has a shape whose size overflows", name));
    }
  }
  return product;
}

std::vector<int64_t> shape_of(const Json& value, const std::filesystem::path& path, const std::string& name) {
  if (!value.is_array() || value.size() > kMaxRank)
    reject_file(path, fmt::format("tensor '{}' has no shape of at most {} sizes", name, kMaxRank));
  std::vector<int64_t> shape;
  for (const Json& size : value) {
    if (!size.is_number_unsigned() || size.get<uint64_t>() > INT64_MAX) {
      reject_file(path, fmt::format("tensor '{}' has the size {}, expected a non-negative integer", name, size.dump()));
    }
    shape.push_back(size.get<int64_t>());
  }
  return shape;
}

struct Entry {
  StoredTensor tensor;
  uint64_t begin = 0;
  uint64_t end = 0;
};

Entry entry_of(const std::string& name, const Json& value, const std::filesystem::path& path) {
  if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") || !value.contains("data_offsets")) {
    reject_file(path, fmt::format("tensor '{}' lacks dtype, shape or data_offsets", name));
  }
  const Json& dtype = value["dtype"];
  const auto known = dtype.is_string() ? plain_dtypes().find(dtype.get<std::string>()) : plain_dtypes().end();
  check(known != plain_dtypes().end(), ErrorCode::kUnsupported,
        "[safetensors] {}: tensor '{}' has dtype {}, which is not supported.", path.string(), name, dtype.dump());
  const Json& offsets = value["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned()) {
    reject_file(path, fmt::format("tensor '{}' has data_offsets {}, expected two non-negative integers", name, offsets.dump()));
  }
  Entry entry{.begin = offsets[0].get<uint64_t>(), .end = offsets[1].get<uint64_t>()};
  entry.tensor.name = name;
  entry.tensor.dtype = known->second;
  entry.tensor.shape = shape_of(value["shape"], path, name);
  const uint64_t expected =
      checked_product(entry.tensor.shape, static_cast<uint64_t>(dtype_block_bytes(known->second)), path, name);
  if (entry.end < entry.begin || entry.end - entry.begin != expected) {
    reject_file(path, fmt::format("tensor '{}' spans offsets {}..{}, but its shape needs {} bytes", name, entry.begin, entry.end,
                                  expected));
  }
  return entry;
}

std::map<std::string, std::string> metadata_of(const Json& value, const std::filesystem::path& path) {
  std::map<std::string, std::string> metadata;
  if (value.is_null()) return metadata;  // as the reference reader has it
  if (!value.is_object()) reject_file(path, "__metadata__ is no object");
  for (const auto& [key, item] : value.items()) {
    if (!item.is_string()) reject_file(path, fmt::format("__metadata__ key '{}' is no string", key));
    metadata[key] = item.get<std::string>();
  }
  return metadata;
}

void check_layout(const std::vector<Entry>& entries, uint64_t data_bytes, const std::filesystem::path& path) {
  uint64_t previous_end = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != previous_end) {
      reject_file(path, fmt::format("tensor '{}' begins at data offset {}, expected {} (hole or overlap)", entry.tensor.name,
                                    entry.begin, previous_end));
    }
    if (entry.end > data_bytes) {
      reject_file(path, fmt::format("tensor '{}' ends at data offset {}, but the file holds {} data bytes (truncated)",
                                    entry.tensor.name, entry.end, data_bytes));
    }
    previous_end = entry.end;
  }
  if (previous_end != data_bytes) {
    reject_file(path, fmt::format("{} bytes follow the last tensor, which ends at data offset {}", data_bytes - previous_end,
                                  previous_end));
  }
}

}  // namespace

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path, "safetensors");
  const std::string_view text = header_of(*file);
  const Json header = parse_json(text, "safetensors", path.string() + " (header, at offset 8)", kHeaderLimits);

  SafetensorsFile result;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") {
      result.metadata_ = metadata_of(value, path);
    } else {
      entries.push_back(entry_of(name, value, path));
    }
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  const auto data = file->bytes().subspan(kPrefixBytes + text.size());
  check_layout(entries, data.size(), path);
  for (Entry& entry : entries) {
    entry.tensor.bytes = data.subspan(entry.begin, entry.end - entry.begin);
    entry.tensor.file = file;
    result.tensors_.push_back(std::move(entry.tensor));
  }
  return result;
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const {
  const auto found =
      std::find_if(tensors_.begin(), tensors_.end(), [&](const StoredTensor& tensor) { return tensor.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

void write_safetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  uint64_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    invariant(!header.contains(tensor.name), "[safetensors] tensor '{}' is written twice.", tensor.name);
    invariant(tensor.bytes.size() ==
                  checked_product(tensor.shape, static_cast<uint64_t>(dtype_block_bytes(tensor.dtype)), path, tensor.name),
              "[safetensors] tensor '{}' has {} bytes, which its shape and dtype do not need.", tensor.name, tensor.bytes.size());
    header[tensor.name] = {
        {"dtype", dtype_name(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + tensor.bytes.size()}}};
    offset += tensor.bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // aligns the data
  check(text.size() <= kMaxHeaderBytes, ErrorCode::kUnsupported,
        "[safetensors] {} would need a header of {} bytes; split the file.", path.string(), text.size());
  const uint64_t length = text.size();
  std::vector<std::string_view> pieces = {{reinterpret_cast<const char*>(&length), sizeof length}, text};
  for (const TensorToWrite& tensor : tensors)
    pieces.emplace_back(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  write_file_atomically(path, pieces);
}

}  // namespace fi
