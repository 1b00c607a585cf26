#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace fi {

/// Why an operation failed. The value is the process exit code of the command line tool.
enum class ErrorCode : int {
  kInternal = 1,       // a bug of ours
  kUsage = 2,          // wrong option, prompt file or configuration
  kNotFound = 3,       // a named model, file or folder does not exist
  kAuth = 4,           // a gated or private model
  kNetwork = 5,        // download failed
  kInvalid = 6,        // a corrupt or malformed input file
  kUnsupported = 7,    // well-formed, but not something we can run
  kIncompatible = 8,   // two inputs that do not fit each other
  kMemory = 9,         // not enough memory
  kDisk = 10,          // not enough disk, or no permission to write
  kBusy = 11,          // somebody else holds a lock
  kNumeric = 12,       // NaN or divergence
  kVerification = 13,  // a verification gate failed
  kInterrupted = 130,  // SIGINT; what was done is kept
};

/// Short stable name of a code, such as "not_found".
const char* error_code_name(ErrorCode code);

/// The only exception that the library throws on purpose.
/// Its text reads `[operation] what, where, got X, expected Y; what to do.`
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

/// Throws an `Error` whose message is formatted with fmt.
template <typename... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

/// Throws unless `condition` holds: for everything that comes from a user or a file.
template <typename... Args>
void check(bool condition, ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) fail(code, format, std::forward<Args>(args)...);
}

/// Throws a kInternal error unless `condition` holds: for our own invariants.
template <typename... Args>
void invariant(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) fail(ErrorCode::kInternal, format, std::forward<Args>(args)...);
}

}  // namespace fi
