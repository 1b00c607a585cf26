#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "fi/core/error.h"

namespace fi {

struct Failure {
  std::optional<ErrorCode> code;  // nothing where the body returned
  std::string message;
};

/// How `body` failed; other exceptions than ours pass through and fail the test.
template <typename Body>
Failure failure_of(Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

/// `body` fails with `code`, and its message holds every one of `parts`: the file and the place.
template <typename Body>
void expect_failure(Body&& body, ErrorCode code, std::initializer_list<std::string> parts) {
  const Failure failure = failure_of(body);
  ASSERT_TRUE(failure.code.has_value()) << "no failure";
  EXPECT_EQ(error_code_name(*failure.code), std::string(error_code_name(code))) << failure.message;
  for (const std::string& part : parts) {
    EXPECT_NE(failure.message.find(part), std::string::npos) << "'" << part << "' is not in: " << failure.message;
  }
}

}  // namespace fi
