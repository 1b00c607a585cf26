#include "fi/core/hash.h"

#include <gtest/gtest.h>

#include "fi/core/error.h"

namespace fi {
namespace {

TEST(Sha256, MatchesFips180) {
  EXPECT_EQ(sha256_of_bytes("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, StreamedEqualsWhole) {
  Sha256 hash;
  hash.update("a");
  hash.update("bc");
  EXPECT_EQ(hash.finish(), sha256_of_bytes("abc"));
}

TEST(Sha256, MissingFileIsNotFound) {
  try {
    sha256_of_file("/nonexistent/file");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

}  // namespace
}  // namespace fi
