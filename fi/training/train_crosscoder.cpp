#include "fi/training/train_crosscoder.h"

#include <optional>

#include "fi/activations/shuffled_batches.h"
#include "fi/core/error.h"
#include "fi/core/json.h"
#include "fi/io/atomic_file.h"
#include "fi/io/event_file.h"
#include "fi/io/jsonl.h"
#include "fi/training/autograd_step.h"
#include "fi/training/checkpoint.h"
#include "fi/training/sparse_step.h"

namespace fi {
namespace {

// metrics.jsonl of a run that goes on at `step`: what was logged after the checkpoint is logged again.
std::vector<Json> cut_metrics(const std::filesystem::path& path, int64_t step) {
  std::vector<Json> rows;
  std::string kept;
  for (Json& row : read_jsonl(path, "train")) {
    const auto at = row.find("step");
    if (at == row.end() || !at->is_number_integer() || at->get<int64_t>() >= step) continue;
    kept += row.dump() + "\n";
    rows.push_back(std::move(row));
  }
  write_file_atomically(path, kept);
  return rows;
}

void add_curves(const Json& row, EventFile& curves) {
  std::vector<Scalar> scalars;
  for (const auto& [name, value] : row.items()) {
    if (name != "step" && value.is_number()) scalars.push_back({name, value.get<double>()});
  }
  curves.append(row.at("step").get<int64_t>(), scalars);
}

Json metrics_row(const TrainingConfig& config, const TrainingState& state, int64_t step, const StepResult& result) {
  return {{"step", step},
          {"loss", result.loss},
          {"aux_loss", result.aux_loss},
          {"explained", result.explained},
          {"l0", result.l0},
          {"dead_share", static_cast<double>(result.num_dead) / static_cast<double>(config.num_latents)},
          {"lr", lr_at(config, step)},
          {"threshold", state.threshold}};
}

// What a run keeps on disk; nothing where it has no folder.
class RunRecord {
 public:
  RunRecord(const TrainingConfig& config, const TrainingOptions& options, int64_t first_step)
      : config_(config), options_(options) {
    if (options.folder.empty()) return;
    make_folder(options.folder);
    const std::vector<Json> earlier = cut_metrics(options.folder / "metrics.jsonl", first_step);
    metrics_.emplace(options.folder / "metrics.jsonl");
    curves_.emplace(options.folder / "events.out.tfevents.0.crosscoder");
    for (const Json& row : earlier) add_curves(row, *curves_);
  }

  void log(const TrainingState& state, int64_t step, const StepResult& result) {
    if (!metrics_ || step % options_.log_every != 0) return;
    const Json row = metrics_row(config_, state, step, result);
    metrics_->append(row);
    add_curves(row, *curves_);
    curves_->flush();
  }

  void save(const TrainingState& state) {
    if (!metrics_) return;
    metrics_->flush();
    save_checkpoint(state, config_, options_.folder / "checkpoints");
  }

 private:
  const TrainingConfig& config_;
  const TrainingOptions& options_;
  std::optional<JsonlAppender> metrics_;
  std::optional<EventFile> curves_;
};

TrainingState state_to_begin_with(const TrainingConfig& config, const RowScaling& scaling, const TrainingOptions& options) {
  std::optional<TrainingState> saved;
  if (!options.folder.empty()) {
    const auto checkpoints = options.folder / "checkpoints";
    if (!options.resume) std::filesystem::remove_all(checkpoints);  // of another run
    saved = load_checkpoint(config, checkpoints);
  }
  if (!saved) return initial_state(config, scaling, options.view);
  check(saved->scaling.mean.equal(scaling.mean) && saved->scaling.scale.equal(scaling.scale) && saved->view == options.view,
        ErrorCode::kIncompatible, "[train] the checkpoint in {} was made on other activations; use another folder.",
        options.folder.string());
  saved->scaling.widths = scaling.widths;
  return std::move(*saved);
}

std::string detail_of(const TrainingConfig& config, const StepResult& result) {
  return fmt::format("loss {:.4g}, explained {:.3f}, dead {:.1f}%", result.loss, result.explained,
                     100.0 * static_cast<double>(result.num_dead) / static_cast<double>(config.num_latents));
}

}  // namespace

Crosscoder train_crosscoder(const TrainingConfig& config, const RowSource& rows, const RowScaling& scaling,
                            const TrainingOptions& options, ProgressSink& sink) {
  check_training_config(config);
  TrainingState state = state_to_begin_with(config, scaling, options);
  RunRecord record(config, options, state.step);
  const ShuffledBatches batches(rows, config.batch_size, config.seed);
  const bool is_sparse = options.engine == StepEngine::kSparse && training_kind(config) == TrainingKind::kBatchTopK;
  StageProgress progress(sink, "crosscoder", config.num_steps, "steps");
  progress.advance(state.step);
  while (state.step < config.num_steps) {
    const int64_t step = state.step;
    const at::Tensor x = normalise(scaling, view_rows(options.view, batches.batch(step))).flatten(1).contiguous();
    const StepResult result = is_sparse ? sparse_step(config, x, state) : autograd_step(config, x, state);
    record.log(state, step, result);
    progress.advance(1, detail_of(config, result));
    const bool is_last = state.step == config.num_steps;
    if (is_last || state.step % options.checkpoint_every == 0) record.save(state);
    try {
      check_interrupt();
    } catch (const Error&) {
      record.save(state);
      throw;
    }
  }
  return to_crosscoder(state, config);
}

}  // namespace fi
