#pragma once

#include <cstdint>

#include "fi/io/gguf.h"
#include "fi/io/gguf_cursor.h"

namespace fi {

/// The metadata value at the cursor, of the type that the file numbers `type`; arrays hold plain values, never arrays.
GgufValue read_gguf_value(GgufCursor& cursor, uint32_t type);

}  // namespace fi
