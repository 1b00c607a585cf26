#pragma once

#include <filesystem>

#include "fi/activations/row_source.h"
#include "fi/core/progress.h"
#include "fi/training/training_state.h"

namespace fi {

/// Which of the two implementations of a step is used. L1 and JumpReLU crosscoders are trained by autograd whatever
/// is chosen.
enum class StepEngine { kSparse, kAutograd };

struct TrainingOptions {
  std::filesystem::path folder;    // gets metrics.jsonl, a TensorBoard event file and checkpoints/; empty: none
  bool resume = false;             // go on from the newest checkpoint in the folder, if there is one
  int64_t checkpoint_every = 200;  // steps
  int64_t log_every = 10;          // steps between rows of metrics.jsonl
  StepEngine engine = StepEngine::kSparse;
  RowView view = RowView::kModels;
};

/// Trains on `rows`, which are normalised by `scaling` (stored with the result). One batch is in memory at a time. A run that is
/// killed and resumed gives the same bits as one that is not: batches, schedules and sums depend on the step and the seed alone.
/// On an interrupt a checkpoint is written before the kInterrupted error leaves. Other errors: of the steps and of checkpoints.
Crosscoder train_crosscoder(const TrainingConfig& config, const RowSource& rows, const RowScaling& scaling,
                            const TrainingOptions& options, ProgressSink& progress);

}  // namespace fi
