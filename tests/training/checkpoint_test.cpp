#include "fi/training/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/training/sparse_step.h"
#include "sample_training.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

class Checkpoint : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(folder_); }

  TrainingState trained(int64_t steps) const {
    TrainingState state = initial_state(config_, identity_scaling(2, 20), RowView::kModels);
    for (int64_t i = 0; i < steps; ++i) sparse_step(config_, sparse_rows(64, static_cast<uint64_t>(i)).flatten(1), state);
    return state;
  }

  std::string message(const TrainingConfig& config, ErrorCode code) const {
    try {
      load_checkpoint(config, folder_);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return error.what();
    }
    return "nothing was refused";
  }

  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  const TrainingConfig config_ = small_config();
  const fs::path folder_ = fs::temp_directory_path() / ("fi_checkpoint_" + std::to_string(::getpid()));
};

TEST_F(Checkpoint, GivesBackEveryBit) {
  const TrainingState state = trained(30);
  EXPECT_FALSE(load_checkpoint(config_, folder_).has_value());
  save_checkpoint(state, config_, folder_);
  const TrainingState back = load_checkpoint(config_, folder_).value();
  EXPECT_EQ(back.step, 30);
  EXPECT_EQ(back.threshold, state.threshold);
  EXPECT_GT(back.threshold, 0.0);
  EXPECT_TRUE(back.encoder.value.equal(state.encoder.value));
  EXPECT_TRUE(back.encoder_bias.first_moment.equal(state.encoder_bias.first_moment));
  EXPECT_TRUE(back.decoder.second_moment.equal(state.decoder.second_moment));
  EXPECT_TRUE(back.rows_since_fired.equal(state.rows_since_fired));
  EXPECT_TRUE(back.scaling.scale.equal(state.scaling.scale));
}

TEST_F(Checkpoint, TheLastTwoAreKept) {
  TrainingState state = trained(1);
  for (const int64_t step : {1, 5, 9}) {
    state.step = step;
    save_checkpoint(state, config_, folder_);
  }
  EXPECT_THAT(files(), testing::ElementsAre("checkpoint_00000005.safetensors", "checkpoint_00000009.safetensors"));
  EXPECT_EQ(load_checkpoint(config_, folder_)->step, 9);
}

TEST_F(Checkpoint, OtherSettingsAreRefusedByName) {
  save_checkpoint(trained(1), config_, folder_);
  TrainingConfig other = config_;
  other.num_steps = 1500;
  other.lr = usual_config(other.num_latents, other.k, other.num_steps).lr;  // depends on them
  EXPECT_NE(other.lr, config_.lr);
  EXPECT_TRUE(load_checkpoint(other, folder_).has_value());
  other.beta2 = 0.5;
  EXPECT_THAT(message(other, ErrorCode::kIncompatible), testing::HasSubstr("was made with beta2 = 0.99, now it is 0.5"));
}

TEST_F(Checkpoint, ADamagedOneIsRefusedByName) {
  save_checkpoint(trained(1), config_, folder_);
  const fs::path path = folder_ / "checkpoint_00000001.safetensors";
  const std::string whole = read_file(path, "test");
  std::string bent = whole;
  bent[bent.size() - 5] = static_cast<char>(bent[bent.size() - 5] ^ 1);
  write_file_atomically(path, bent);
  EXPECT_THAT(message(config_, ErrorCode::kInvalid), testing::HasSubstr("checkpoint_00000001.safetensors is damaged"));
  write_file_atomically(path, whole.substr(0, whole.size() / 2));
  EXPECT_THAT(message(config_, ErrorCode::kInvalid), testing::HasSubstr("checkpoint_00000001.safetensors"));
  write_file_atomically(path, "");
  EXPECT_THAT(message(config_, ErrorCode::kInvalid), testing::HasSubstr("checkpoint_00000001.safetensors"));
}

TEST_F(Checkpoint, OtherFilesAreNotTakenForOne) {
  fs::create_directories(folder_);
  write_file_atomically(folder_ / "checkpoint_x.safetensors", "a");
  write_file_atomically(folder_ / "checkpoint_00000007.safetensors.tmp", "a");
  EXPECT_FALSE(load_checkpoint(config_, folder_).has_value());
}

}  // namespace
}  // namespace fi
