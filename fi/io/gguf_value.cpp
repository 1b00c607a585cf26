#include "fi/io/gguf_value.h"

namespace fi {
namespace {

enum ValueType : uint32_t { kU8, kI8, kU16, kI16, kU32, kI32, kF32, kBool, kString, kArray, kU64, kI64, kF64 };

constexpr uint64_t kMaxStringBytes = 64u << 20;

template <typename Stored, typename Element>
std::vector<Element> read_array(GgufCursor& cursor, uint64_t count) {
  cursor.take_elements(count, sizeof(Stored));
  std::vector<Element> values;
  values.reserve(count);
  for (uint64_t i = 0; i < count; ++i) values.push_back(static_cast<Element>(cursor.read<Stored>()));
  return values;
}

std::vector<std::string> read_string_array(GgufCursor& cursor, uint64_t count) {
  cursor.take_elements(count, sizeof(uint64_t));
  std::vector<std::string> values;
  values.reserve(count);
  for (uint64_t i = 0; i < count; ++i) values.push_back(cursor.read_string(kMaxStringBytes));
  return values;
}

GgufValue read_array_value(GgufCursor& cursor) {
  const auto type = cursor.read<uint32_t>();
  const auto count = cursor.read<uint64_t>();
  switch (type) {
    case kU8: return read_array<uint8_t, int64_t>(cursor, count);
    case kI8: return read_array<int8_t, int64_t>(cursor, count);
    case kU16: return read_array<uint16_t, int64_t>(cursor, count);
    case kI16: return read_array<int16_t, int64_t>(cursor, count);
    case kU32: return read_array<uint32_t, int64_t>(cursor, count);
    case kI32: return read_array<int32_t, int64_t>(cursor, count);
    case kU64: return read_array<uint64_t, int64_t>(cursor, count);
    case kI64: return read_array<int64_t, int64_t>(cursor, count);
    case kF32: return read_array<float, double>(cursor, count);
    case kF64: return read_array<double, double>(cursor, count);
    case kBool: return read_array<uint8_t, bool>(cursor, count);
    case kString: return read_string_array(cursor, count);
    default: cursor.reject(fmt::format("array of unknown type {}", type));
  }
}

}  // namespace

GgufValue read_gguf_value(GgufCursor& cursor, uint32_t type) {
  switch (type) {
    case kU8: return uint64_t{cursor.read<uint8_t>()};
    case kI8: return int64_t{cursor.read<int8_t>()};
    case kU16: return uint64_t{cursor.read<uint16_t>()};
    case kI16: return int64_t{cursor.read<int16_t>()};
    case kU32: return uint64_t{cursor.read<uint32_t>()};
    case kI32: return int64_t{cursor.read<int32_t>()};
    case kU64: return cursor.read<uint64_t>();
    case kI64: return cursor.read<int64_t>();
    case kF32: return double{cursor.read<float>()};
    case kF64: return cursor.read<double>();
    case kBool: {
      const auto value = cursor.read<uint8_t>();
      if (value > 1) cursor.reject(fmt::format("boolean of value {}", value));
      return value == 1;
    }
    case kString: return cursor.read_string(kMaxStringBytes);
    case kArray: return read_array_value(cursor);
    default: cursor.reject(fmt::format("value of unknown type {}", type));
  }
}

}  // namespace fi
