#include "fi/io/event_file.h"

#include <array>
#include <bit>
#include <cstring>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

static_assert(std::endian::native == std::endian::little);

template <typename T>
std::string bytes_of(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

constexpr std::array<uint32_t, 256> crc32c_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78U : 0U);
    table[byte] = crc;
  }
  return table;
}

// RFC 3720, then rotated and shifted as TFRecords have it.
uint32_t masked_crc32c(const std::string& bytes) {
  static constexpr std::array<uint32_t, 256> kTable = crc32c_table();
  uint32_t crc = 0xffffffffU;
  for (const char c : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<uint8_t>(c)) & 0xffU];
  return std::rotr(~crc, 15) + 0xa282ead8U;
}

// Protocol buffers: a field's number and wire type, then its value.
enum Wire : uint32_t { kVarint = 0, kDouble = 1, kBytes = 2, kFloat = 5 };

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}
std::string key(uint32_t number, Wire wire) { return varint(number << 3 | wire); }
std::string bytes_field(uint32_t number, const std::string& content) {
  return key(number, kBytes) + varint(content.size()) + content;
}

// Field numbers of tensorflow.Event, Summary and Summary.Value.
std::string event_at(double wall_time) { return key(1, kDouble) + bytes_of(wall_time); }
std::string step_field(int64_t step) { return key(2, kVarint) + varint(static_cast<uint64_t>(step)); }
std::string version_field() { return bytes_field(3, "brain.Event:2"); }
std::string summary_field(const std::vector<Scalar>& scalars) {
  std::string values;
  for (const Scalar& scalar : scalars)
    values += bytes_field(1, bytes_field(1, scalar.name) + key(2, kFloat) + bytes_of(static_cast<float>(scalar.value)));
  return bytes_field(5, values);
}

}  // namespace

EventFile::EventFile(const std::filesystem::path& path) : path_(path) {
  make_folder(path.parent_path());
  file_.open(path, std::ios::trunc | std::ios::binary);
  write_record(event_at(0.0) + version_field());
  flush();
}

void EventFile::append(int64_t step, const std::vector<Scalar>& scalars) {
  write_record(event_at(static_cast<double>(step)) + step_field(step) + summary_field(scalars));
}

void EventFile::write_record(const std::string& event) {
  const std::string length = bytes_of(static_cast<uint64_t>(event.size()));
  file_ << length << bytes_of(masked_crc32c(length)) << event << bytes_of(masked_crc32c(event));
}

void EventFile::flush() {
  file_.flush();
  check(file_.good(), ErrorCode::kDisk, "[write] cannot append to {}; free disk space or choose a folder that you may write to.",
        path_.string());
}

}  // namespace fi
