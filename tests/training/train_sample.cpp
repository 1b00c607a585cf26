// train_sample FOLDER [resume]: trains the sample crosscoder in FOLDER, to be killed by a test, and writes FOLDER/result.
#include <filesystem>

#include "fi/dictionary/canonical_file.h"
#include "fi/training/train_crosscoder.h"
#include "sample_training.h"

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::filesystem::path folder = argv[1];
  fi::TrainingConfig config = fi::small_config();
  config.num_steps = 400;
  const fi::MemoryRows rows(fi::sparse_rows(500, 4));
  const fi::TrainingOptions options{.folder = folder, .resume = argc > 2, .checkpoint_every = 20, .log_every = 7};
  const fi::Crosscoder result = fi::train_crosscoder(config, rows, fi::identity_scaling(2, 20), options, fi::silent_progress());
  fi::save_crosscoder(result, {}, folder / "result");
  return 0;
}
