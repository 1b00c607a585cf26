#include "fi/core/memory.h"

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

TEST(ControlGroupLimit, IsTheLeastOfAGroupAndItsParents) {
  const TemporaryFolder folder;
  folder.write("a/memory.max", "8000000\n");
  folder.write("a/b/memory.max", "max\n");
  folder.write("a/b/c/memory.max", "9000000\n");
  EXPECT_EQ(control_group_limit("0::/a/b/c\n", folder.path()), 8000000U);
  EXPECT_EQ(control_group_limit("0::/a/b\n", folder.path()), 8000000U);
  EXPECT_EQ(control_group_limit("0::/elsewhere\n", folder.path()), UINT64_MAX);
}

TEST(ControlGroupLimit, OfVersion1StandsInItsOwnTree) {
  const TemporaryFolder folder;
  folder.write("memory/memory.limit_in_bytes", "9223372036854771712\n");
  folder.write("memory/job/memory.limit_in_bytes", "471859200\n");
  EXPECT_EQ(control_group_limit("5:cpu,cpuacct:/job\n4:memory:/job\n0::/\n", folder.path()), 471859200U);
  EXPECT_EQ(control_group_limit("4:memory:/another\n", folder.path()), 9223372036854771712U);
}

TEST(ControlGroupLimit, OfAContainerThatSeesItsOwnGroupAsTheRoot) {
  const TemporaryFolder folder;
  folder.write("memory.max", "1000000\n");
  EXPECT_EQ(control_group_limit("0::/docker/0123\n", folder.path()), 1000000U);
}

TEST(ControlGroupLimit, WhatIsNoMembershipSetsNone) {
  const TemporaryFolder folder;
  for (const char* text : {"", ":", "::", "0", "0:", "0::", "memory\n", "0::/../../etc\n"})
    EXPECT_EQ(control_group_limit(text, folder.path()), UINT64_MAX) << text;
}

TEST(MemoryBytes, IsSomething) { EXPECT_GT(memory_bytes(), 1U << 20); }

}  // namespace
}  // namespace fi
