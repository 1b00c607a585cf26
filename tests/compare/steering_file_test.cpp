#include "fi/compare/steering_file.h"

#include <gtest/gtest.h>

#include "tests/support/failure.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

TEST(SteeringFile, GivesBackWhatWasWritten) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "steering.safetensors";
  const at::Tensor step = at::tensor({0.0F, 3.0F, 4.0F});
  const SteeringMap written = {{"L2-pca-0", along(step)}, {"change-0", {.basis = at::eye(3).narrow(1, 0, 2), .step = step * 2}}};
  write_steering(path, written);
  const SteeringMap read = read_steering(path);
  ASSERT_EQ(read.size(), 2U);
  EXPECT_TRUE(at::equal(read.at("L2-pca-0").step, step));
  EXPECT_TRUE(at::allclose(read.at("L2-pca-0").basis, at::tensor({0.0F, 0.6F, 0.8F}).unsqueeze(1)));
  EXPECT_TRUE(at::equal(read.at("change-0").basis, at::eye(3).narrow(1, 0, 2)));
  write_steering(path, {});
  EXPECT_TRUE(read_steering(path).empty());
}

TEST(SteeringFile, RefusesWhatIsNoSuchFile) {
  const TemporaryFolder folder;
  expect_failure([&] { read_steering(folder.path() / "absent"); }, ErrorCode::kNotFound, {"absent", "run the comparison again"});
  expect_failure([&] { read_steering(folder.write("damaged", "no tensors")); }, ErrorCode::kInvalid, {"damaged"});
  const auto path = folder.path() / "odd.safetensors";
  write_steering(path, {{"a", {.basis = at::eye(3), .step = at::ones({4})}}});
  expect_failure([&] { read_steering(path); }, ErrorCode::kInvalid, {"odd.safetensors", "'a'"});
  write_steering(path, {{"a", {.basis = at::eye(3), .step = at::full({3}, NAN)}}});
  expect_failure([&] { read_steering(path); }, ErrorCode::kInvalid, {"'a'", "finite"});
}

}  // namespace
}  // namespace fi
