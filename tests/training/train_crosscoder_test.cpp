#include "fi/training/train_crosscoder.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "fi/activations/row_statistics.h"
#include "fi/core/error.h"
#include "fi/dictionary/quality.h"
#include "fi/io/atomic_file.h"
#include "fi/io/jsonl.h"
#include "sample_training.h"

extern char** environ;

namespace fi {
namespace {

namespace fs = std::filesystem;

class Training : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(folder_); }

  const TrainingConfig config_ = small_config();
  const MemoryRows rows_{sparse_rows(500, 4)};
  const fs::path folder_ = fs::temp_directory_path() / ("fi_training_" + std::to_string(::getpid()));
};

pid_t start(const fs::path& folder, bool resume) {
  std::string program = FI_TRAIN_SAMPLE, where = folder.string(), how = "resume";
  char* arguments[] = {program.data(), where.data(), resume ? how.data() : nullptr, nullptr};
  pid_t process = 0;
  EXPECT_EQ(::posix_spawn(&process, program.c_str(), nullptr, nullptr, arguments, environ), 0);
  return process;
}

int finish(pid_t process) {
  int status = 0;
  ::waitpid(process, &status, 0);
  return status;
}

bool has_checkpoint(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder / "checkpoints", error)) {
    if (entry.path().extension() == ".safetensors") return true;
  }
  return false;
}

TEST_F(Training, KilledAndResumedGivesTheSameBits) {
  ASSERT_EQ(finish(start(folder_ / "whole", false)), 0);
  const fs::path parts = folder_ / "parts";
  int kills = 0;
  for (int attempt = 0; attempt < 4 && !fs::exists(parts / "result" / "config.json"); ++attempt) {
    const pid_t process = start(parts, attempt > 0);
    while (!has_checkpoint(parts) && ::waitpid(process, nullptr, WNOHANG) == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(60 * attempt));
    ::kill(process, SIGKILL);
    kills += WIFSIGNALED(finish(process)) ? 1 : 0;
  }
  EXPECT_GE(kills, 1);
  ASSERT_EQ(finish(start(parts, true)), 0);
  for (const char* file : {"result/model.safetensors", "metrics.jsonl", "events.out.tfevents.0.crosscoder",
                           "checkpoints/checkpoint_00000400.safetensors"}) {
    EXPECT_EQ(read_file(folder_ / "whole" / file, "test"), read_file(parts / file, "test")) << file;
  }
}

TEST_F(Training, MetricsTellTheCourse) {
  const TrainingOptions options{.folder = folder_, .log_every = 10};
  train_crosscoder(config_, rows_, identity_scaling(2, 20), options, silent_progress());
  const auto metrics = read_jsonl(folder_ / "metrics.jsonl", "test");
  ASSERT_EQ(metrics.size(), 10U);
  EXPECT_EQ(metrics[9]["step"], 90);
  EXPECT_LT(metrics[9]["loss"].get<double>(), metrics[0]["loss"].get<double>());
  EXPECT_EQ(metrics[0]["l0"], 12.0);
  EXPECT_EQ(metrics[9]["l0"], 6.0);
}

TEST_F(Training, ANewRunForgetsTheOldOne) {
  TrainingConfig longer = config_;
  longer.num_steps = 120;
  const RowScaling scaling = identity_scaling(2, 20);
  train_crosscoder(longer, rows_, scaling, {.folder = folder_}, silent_progress());
  train_crosscoder(config_, rows_, scaling, {.folder = folder_}, silent_progress());
  EXPECT_TRUE(fs::exists(folder_ / "checkpoints" / "checkpoint_00000100.safetensors"));
  EXPECT_FALSE(fs::exists(folder_ / "checkpoints" / "checkpoint_00000120.safetensors"));
}

TEST_F(Training, OtherActivationsCannotBeResumedOn) {
  train_crosscoder(config_, rows_, identity_scaling(2, 20), {.folder = folder_}, silent_progress());
  RowScaling other = identity_scaling(2, 20);
  other.scale.fill_(2.0);
  EXPECT_THROW(train_crosscoder(config_, rows_, other, {.folder = folder_, .resume = true}, silent_progress()), Error);
}

TEST_F(Training, AnInterruptKeepsWhatWasDone) {
  request_interrupt();
  try {
    train_crosscoder(config_, rows_, identity_scaling(2, 20), {.folder = folder_}, silent_progress());
    ADD_FAILURE() << "not interrupted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
  }
  clear_interrupt();
  EXPECT_TRUE(fs::exists(folder_ / "checkpoints" / "checkpoint_00000001.safetensors"));
}

TEST_F(Training, TheResultExplainsRowsItHasNotSeen) {
  TrainingConfig config = config_;
  config.num_steps = 600;
  const MemoryRows rows(sparse_rows(4000, 4)), held_out(sparse_rows(500, 5));
  const RowStatistics statistics = statistics_of(rows);
  const RowScaling scaling{.mean = statistics.mean(), .scale = statistics.scale()};
  const Crosscoder c = train_crosscoder(config, rows, scaling, {}, silent_progress());
  const DictionaryQuality quality = quality_of(c, held_out);
  EXPECT_GT(quality.explained, 0.7);
  EXPECT_NEAR(quality.l0, 6.0, 1.0);
  EXPECT_LT(quality.dead_share, 0.6);
  EXPECT_EQ(quality.explained_by_model.size(), 2U);
}

TEST_F(Training, ADictionaryOfTheDifferenceIsTrainedTheSameWay) {
  const RowStatistics statistics = statistics_of(rows_);
  const RowScaling scaling = identity_scaling(1, 20);
  const Crosscoder c = train_crosscoder(config_, rows_, scaling, {.view = RowView::kDifference}, silent_progress());
  EXPECT_EQ(c.num_models(), 1);
  EXPECT_EQ(c.view, RowView::kDifference);
  EXPECT_GT(quality_of(c, rows_).explained, 0.2);
}

TEST(Quality, IsItsDefinition) {
  // A dictionary of one latent that reproduces the first coordinate of positive rows.
  Crosscoder c;
  c.encoder = at::zeros({1, 2, 2});
  c.encoder[0][0][0] = 1.0;
  c.encoder_bias = at::tensor({0.0F, -1.0F});
  c.decoder = c.encoder.transpose(1, 2).contiguous();
  c.decoder_bias = at::zeros({1, 2});
  c.scaling = identity_scaling(1, 2);
  c.sparsity = Sparsity::kRelu;
  const MemoryRows rows(at::tensor({3.0F, 1.0F, 5.0F, -1.0F, -2.0F, 0.0F}).view({3, 1, 2}));
  const DictionaryQuality quality = quality_of(c, rows);
  EXPECT_NEAR(quality.explained, 1.0 - 6.0 / 28.0, 1e-6);  // mean (2, 0): variance 1 + 9 + 16 + 2, error 1 + 1 + 4
  EXPECT_NEAR(quality.l0, 2.0 / 3.0, 1e-9);
  EXPECT_EQ(quality.dead_share, 0.5);
  EXPECT_EQ(quality.dense_share, 0.5);
  EXPECT_THROW(quality_of(c, MemoryRows(at::zeros({3, 2, 2}))), Error);
}

}  // namespace
}  // namespace fi
