#include "fi/training/train_dictionary.h"

#include <gtest/gtest.h>

#include "fi/activations/activation_writer.h"
#include "fi/core/error.h"
#include "fi/dictionary/canonical_file.h"
#include "fi/io/atomic_file.h"
#include "sample_training.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

constexpr int64_t kRowsOfText = 20;

class TrainDictionary : public testing::Test {
 protected:
  ActivationStore store_of(int64_t num_texts) const {
    const std::filesystem::path folder = folder_.path() / "rows";
    ActivationWriter writer({.folder = folder, .base = "a", .target = "b", .hook_point = "resid_post.3", .d_model = 20});
    std::vector<RowPlace> places;
    for (int64_t i = 0; i < num_texts * kRowsOfText; ++i) places.push_back({static_cast<int32_t>(i / kRowsOfText), 1, 2});
    writer.append(sparse_rows(num_texts * kRowsOfText, 4), places);
    writer.finish(std::vector<std::string>(static_cast<size_t>(num_texts), "any"), {});
    return ActivationStore::open(folder);
  }
  std::string bytes(const char* run, const char* file) const { return read_file(folder_.path() / run / file, "test"); }

  const TemporaryFolder folder_;
};

TEST_F(TrainDictionary, LeavesTheDictionaryAndWhatItIsWorthBesideTheBaselines) {
  TrainingConfig config = small_config();
  config.num_steps = 400;
  const ActivationStore store = store_of(100);
  const DictionaryReport report = train_dictionary(store, folder_.path() / "out", {.training = config}, silent_progress());
  EXPECT_EQ(report.hook_point, "resid_post.3");
  EXPECT_EQ(report.crosscoder.num_rows + report.num_training_rows, store.num_rows());
  EXPECT_EQ(report.num_training_rows % kRowsOfText, 0);
  EXPECT_GT(report.crosscoder.explained, report.pca.explained);
  EXPECT_GT(report.random.explained, 0.0);  // more latents than dimensions: even random ones explain something
  const DictionaryReport stored = load_dictionary_report(folder_.path() / "out");
  EXPECT_EQ(fields_to_json(stored), fields_to_json(report));
  const Crosscoder crosscoder = load_crosscoder(folder_.path() / "out");
  const RowRange held_out(store, report.num_training_rows, report.crosscoder.num_rows);
  EXPECT_NEAR(quality_of(crosscoder, held_out).explained, report.crosscoder.explained, 1e-5);
  EXPECT_EQ(load_origin(folder_.path() / "out").num_training_rows, report.num_training_rows);
}

TEST_F(TrainDictionary, ResumedFromItsCheckpointItGivesTheSameBytes) {
  const ActivationStore store = store_of(30);
  TrainingConfig config = small_config();
  const DictionaryOptions options{.training = config, .checkpoint_every = 20};
  train_dictionary(store, folder_.path() / "whole", options, silent_progress());
  train_dictionary(store, folder_.path() / "parts", options, silent_progress());
  std::filesystem::remove(folder_.path() / "parts" / "checkpoints" / "checkpoint_00000100.safetensors");
  std::filesystem::remove(folder_.path() / "parts" / kQualityFile);
  train_dictionary(store, folder_.path() / "parts", {.training = config, .checkpoint_every = 20, .resume = true},
                   silent_progress());
  for (const char* file : {"model.safetensors", kQualityFile, "metrics.jsonl"})
    EXPECT_EQ(bytes("whole", file), bytes("parts", file)) << file;
}

TEST_F(TrainDictionary, AStoreOfOneTextCannotBeJudged) {
  const ActivationStore store = store_of(1);
  EXPECT_THROW(train_dictionary(store, folder_.path() / "out", {.training = small_config()}, silent_progress()), Error);
}

TEST(UsualConfig, FitsShortRuns) {
  for (const int64_t steps : {1, 3, 40, 300, 5000}) check_training_config(usual_config(16, 8, steps));
  EXPECT_EQ(usual_config(4096, 32, 300).k_initial, 128);
  EXPECT_EQ(usual_config(16, 8, 300).k_initial, 16);
  EXPECT_DOUBLE_EQ(usual_config(4096, 32, 100).lr, 0.007);
  EXPECT_DOUBLE_EQ(usual_config(4096, 32, 1500).lr, 0.002);
  EXPECT_DOUBLE_EQ(usual_config(4096, 32, 4000).lr, 0.001);
}

}  // namespace
}  // namespace fi
