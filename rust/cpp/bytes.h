#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rust/fi_rs.h"

namespace fi {

inline const uint8_t* rust_data(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

/// Copies and frees what the Rust side returned.
std::string take_bytes(FiBytes bytes);

/// The result of a call that returned `code`; else a kInvalid error "[operation] where: reason".
std::string take_result(int32_t code, FiBytes bytes, std::string_view operation, std::string_view where);

}  // namespace fi
