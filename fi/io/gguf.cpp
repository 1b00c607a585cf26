#include "fi/io/gguf.h"

#include <algorithm>
#include <bit>
#include <set>

#include "fi/core/error.h"
#include "fi/io/gguf_cursor.h"
#include "fi/io/gguf_value.h"
#include "fi/io/mapped_file.h"

namespace fi {
namespace {

constexpr uint64_t kMaxDimensions = 4;
constexpr uint64_t kMaxKeyBytes = 65535;  // as the format has it, and the next too
constexpr uint64_t kMaxNameBytes = 64;
constexpr uint64_t kDefaultAlignment = 32;
constexpr uint64_t kMinTensorRecordBytes = 8 + 4 + 4 + 8;
constexpr uint64_t kMinValueRecordBytes = 8 + 4 + 1;

DType dtype_of(uint32_t ggml_type, const GgufCursor& cursor, const std::string& name, const std::filesystem::path& path) {
  static const std::map<uint32_t, DType> kTypes = {{0, DType::kF32},   {1, DType::kF16},   {2, DType::kQ4_0}, {3, DType::kQ4_1},
                                                   {6, DType::kQ5_0},  {7, DType::kQ5_1},  {8, DType::kQ8_0}, {12, DType::kQ4_K},
                                                   {13, DType::kQ5_K}, {14, DType::kQ6_K}, {24, DType::kI8},  {25, DType::kI16},
                                                   {26, DType::kI32},  {27, DType::kI64},  {28, DType::kF64}, {30, DType::kBF16}};
  constexpr uint32_t kLargestKnown = 64;  // beyond it the field is damaged rather than new
  if (ggml_type > kLargestKnown) cursor.reject(fmt::format("tensor '{}' has the type number {}", name, ggml_type));
  const auto found = kTypes.find(ggml_type);
  check(found != kTypes.end(), ErrorCode::kUnsupported,
        "[gguf] {}: tensor '{}' has block type {}, which is not supported; supported are F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, "
        "Q8_0, "
        "Q4_K, Q5_K, Q6_K.",
        path.string(), name, ggml_type);
  return found->second;
}

struct TensorRecord {
  StoredTensor tensor;
  uint64_t offset = 0;
  uint64_t size_bytes = 0;
};

TensorRecord read_tensor_record(GgufCursor& cursor, const std::filesystem::path& path) {
  TensorRecord record;
  record.tensor.name = cursor.read_string(kMaxNameBytes);
  const std::string& name = record.tensor.name;
  const auto rank = cursor.read<uint32_t>();
  if (rank > kMaxDimensions)
    cursor.reject(fmt::format("tensor '{}' has {} dimensions, more than {}", name, rank, kMaxDimensions));
  uint64_t values = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    const auto size = cursor.read<uint64_t>();
    if (size > INT64_MAX || __builtin_mul_overflow(values, size, &values))
      cursor.reject(fmt::format("tensor '{}' is too large", name));
    record.tensor.shape.insert(record.tensor.shape.begin(), static_cast<int64_t>(size));  // GGUF lists the innermost size first
  }
  record.tensor.dtype = dtype_of(cursor.read<uint32_t>(), cursor, name, path);
  const auto block = static_cast<uint64_t>(dtype_block_size(record.tensor.dtype));
  const uint64_t row = record.tensor.shape.empty() ? 1 : static_cast<uint64_t>(record.tensor.shape.back());
  if (row % block != 0)
    cursor.reject(fmt::format("tensor '{}' has rows of {} values, expected a multiple of {}", name, row, block));
  if (values > INT64_MAX ||
      __builtin_mul_overflow(values / block, static_cast<uint64_t>(dtype_block_bytes(record.tensor.dtype)), &record.size_bytes)) {
    cursor.reject(fmt::format("tensor '{}' is too large", name));
  }
  record.offset = cursor.read<uint64_t>();
  return record;
}

uint64_t alignment_of(const std::map<std::string, GgufValue>& metadata, const GgufCursor& cursor) {
  const auto found = metadata.find("general.alignment");
  if (found == metadata.end()) return kDefaultAlignment;
  const auto* value = std::get_if<uint64_t>(&found->second);
  if (value == nullptr || !std::has_single_bit(*value) || *value < 8 || *value > 65536) {
    cursor.reject("general.alignment is no power of two from 8 to 65536");
  }
  return *value;
}

void read_header(GgufCursor& cursor, const MappedFile& file) {
  const std::string_view start(reinterpret_cast<const char*>(file.bytes().data()), std::min<size_t>(file.size(), 64));
  if (start.starts_with("version https://git-lfs")) cursor.reject("this is a git-lfs pointer; run `git lfs pull` in its folder");
  if (cursor.read<uint32_t>() != 0x46554747) cursor.reject("does not begin with 'GGUF'");
  const auto version = cursor.read<uint32_t>();
  check(version == 2 || version == 3, ErrorCode::kUnsupported, "[gguf] {} has version {}, supported are 2 and 3; re-convert it.",
        file.path().string(), version);
}

std::map<std::string, GgufValue> read_metadata(GgufCursor& cursor, uint64_t count) {
  std::map<std::string, GgufValue> metadata;
  for (uint64_t i = 0; i < count; ++i) {
    std::string key = cursor.read_string(kMaxKeyBytes);
    const auto type = cursor.read<uint32_t>();
    if (metadata.contains(key)) cursor.reject(fmt::format("metadata key '{}' occurs twice", key));
    GgufValue value = read_gguf_value(cursor, type);
    metadata.emplace(std::move(key), std::move(value));
  }
  return metadata;
}

std::vector<TensorRecord> read_tensor_records(GgufCursor& cursor, uint64_t count, const std::filesystem::path& path) {
  std::vector<TensorRecord> records;
  std::set<std::string> names;
  for (uint64_t i = 0; i < count; ++i) {
    records.push_back(read_tensor_record(cursor, path));
    if (!names.insert(records.back().tensor.name).second)
      cursor.reject(fmt::format("tensor '{}' occurs twice", records.back().tensor.name));
  }
  return records;
}

uint64_t round_up(uint64_t value, uint64_t alignment) { return (value + alignment - 1) / alignment * alignment; }

// Tensors follow each other without holes, each at the next aligned offset. No sum can overflow: a tensor is compared with the
// bytes that are there before its end is computed.
void check_layout(const std::vector<TensorRecord>& records, uint64_t alignment, uint64_t data_bytes, const GgufCursor& cursor) {
  uint64_t expected = 0;
  for (const TensorRecord& record : records) {
    if (record.offset != expected) {
      cursor.reject(fmt::format("tensor '{}' begins at data offset {}, expected {} (hole, overlap or wrong alignment)",
                                record.tensor.name, record.offset, expected));
    }
    if (record.offset > data_bytes || record.size_bytes > data_bytes - record.offset) {
      cursor.reject(fmt::format("tensor '{}' needs {} bytes at data offset {}, but the file holds {} data bytes (truncated)",
                                record.tensor.name, record.size_bytes, record.offset, data_bytes));
    }
    expected = round_up(record.offset + record.size_bytes, alignment);
  }
}

}  // namespace

GgufFile GgufFile::open(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path, "gguf");
  GgufCursor cursor(*file);
  read_header(cursor, *file);
  const auto num_tensors = cursor.read<uint64_t>();
  const auto num_values = cursor.read<uint64_t>();
  if (num_tensors > cursor.remaining() / kMinTensorRecordBytes)
    cursor.reject(fmt::format("{} tensors do not fit into the file", num_tensors));
  if (num_values > cursor.remaining() / kMinValueRecordBytes)
    cursor.reject(fmt::format("{} metadata values do not fit into the file", num_values));

  GgufFile result;
  result.path_ = path;
  result.metadata_ = read_metadata(cursor, num_values);
  std::vector<TensorRecord> records = read_tensor_records(cursor, num_tensors, path);
  const uint64_t alignment = alignment_of(result.metadata_, cursor);
  const uint64_t data_start = round_up(cursor.offset(), alignment);
  const auto data = file->bytes().subspan(std::min<size_t>(data_start, file->size()));
  check_layout(records, alignment, data.size(), cursor);
  for (TensorRecord& record : records) {
    record.tensor.bytes = data.subspan(record.offset, record.size_bytes);
    record.tensor.file = file;
    result.tensors_.push_back(std::move(record.tensor));
  }
  return result;
}

template <typename T>
const T& GgufFile::get(const std::string& key, const char* expected) const {
  const auto found = metadata_.find(key);
  check(found != metadata_.end(), ErrorCode::kInvalid, "[gguf] {} lacks the metadata key '{}'; re-convert it.", path_.string(),
        key);
  const T* value = std::get_if<T>(&found->second);
  check(value != nullptr, ErrorCode::kInvalid, "[gguf] {}: metadata key '{}' is not {}; re-convert it.", path_.string(), key,
        expected);
  return *value;
}

const std::string& GgufFile::get_string(const std::string& key) const { return get<std::string>(key, "a string"); }
const std::vector<std::string>& GgufFile::get_strings(const std::string& key) const {
  return get<std::vector<std::string>>(key, "an array of strings");
}
const std::vector<double>& GgufFile::get_doubles(const std::string& key) const {
  return get<std::vector<double>>(key, "an array of floating point numbers");
}
const std::vector<int64_t>& GgufFile::get_ints(const std::string& key) const {
  return get<std::vector<int64_t>>(key, "an array of integers");
}
double GgufFile::get_double(const std::string& key) const { return get<double>(key, "a floating point number"); }

int64_t GgufFile::get_int(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found != metadata_.end()) {
    if (const auto* value = std::get_if<int64_t>(&found->second)) return *value;
    if (const auto* value = std::get_if<uint64_t>(&found->second); value != nullptr && *value <= INT64_MAX)
      return static_cast<int64_t>(*value);
  }
  return get<int64_t>(key, "an integer");
}

bool GgufFile::get_bool(const std::string& key, bool fallback) const { return has(key) ? get<bool>(key, "a boolean") : fallback; }

}  // namespace fi
