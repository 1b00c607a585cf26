#pragma once

#include <cstdint>
#include <string>

namespace fi {

/// How a crosscoder is trained. Names of the method: BatchTopK (Bussmann et al. 2412.06410), AuxK (Gao et al. 2406.04093),
/// crosscoders for model diffing with it (Minder, Dumas et al. 2504.02922), JumpReLU (Rajamanoharan et al. 2407.14435),
/// designated shared latents (Mishra-Sharma et al. 2025, "Insights on crosscoder model diffing").
struct TrainingConfig {
  int64_t num_latents = 4096;
  int64_t k = 32;           // mean number of active latents a row
  int64_t k_initial = 128;  // at the first step, falling linearly to k
  int64_t k_anneal_steps = 100;
  int64_t batch_size = 2048;  // rows a step
  int64_t num_steps = 500;
  double lr = 1e-3;
  int64_t warmup_steps = 20;  // lr rises linearly from 0
  int64_t decay_steps = 100;  // lr falls linearly to 0 over the last ones
  double beta1 = 0.9;
  double beta2 = 0.99;  // trainings are short: what the first steps left in a second moment must go
  double epsilon = 1e-8;
  double weight_decay = 0.0;       // the vectors of latents that fire shrink by lr times it a step (AdamW, Loshchilov and Hutter
                                   // 2019); those of the others would have nothing to weigh against it, and fade away
  double aux_weight = 1.0 / 32.0;  // of the AuxK loss; 0 switches it off
  int64_t aux_k = 0;               // dead latents a row that take part in it; 0: d_model / 2
  int64_t max_aux_latents = 1024;  // dead latents a step that take part in it, by turns if there are more
  int64_t dead_after_rows = 100'000;  // a latent that did not fire for so many rows is dead
  double threshold_beta = 0.99;       // moving average of the smallest code kept, once k has been annealed
  double l1_weight = 0.0;             // > 0: an L1 crosscoder (relu codes, penalty on scaled codes) instead of BatchTopK
  double l0_weight = 0.0;             // > 0: a JumpReLU crosscoder (a threshold for each latent, penalty on active latents)
  double jump_threshold = 0.1;        // JumpReLU: of scaled codes, at the first step
  double jump_bandwidth = 0.1;        // JumpReLU: width of the window in which a scaled code moves its latent's threshold
  double shared_share = 0.0;          // share of latents, the first ones, with one decoder vector for all models
  bool same_init = true;              // every model starts with the same vectors: what differs in the end, the data made differ
  uint64_t seed = 0;
};

template <typename Visit>
void visit_fields(TrainingConfig& c, Visit&& visit) {
  visit("num_latents", c.num_latents);
  visit("k", c.k);
  visit("k_initial", c.k_initial);
  visit("k_anneal_steps", c.k_anneal_steps);
  visit("batch_size", c.batch_size);
  visit("num_steps", c.num_steps);
  visit("lr", c.lr);
  visit("warmup_steps", c.warmup_steps);
  visit("decay_steps", c.decay_steps);
  visit("beta1", c.beta1);
  visit("beta2", c.beta2);
  visit("epsilon", c.epsilon);
  visit("weight_decay", c.weight_decay);
  visit("aux_weight", c.aux_weight);
  visit("aux_k", c.aux_k);
  visit("max_aux_latents", c.max_aux_latents);
  visit("dead_after_rows", c.dead_after_rows);
  visit("threshold_beta", c.threshold_beta);
  visit("l1_weight", c.l1_weight);
  visit("l0_weight", c.l0_weight);
  visit("jump_threshold", c.jump_threshold);
  visit("jump_bandwidth", c.jump_bandwidth);
  visit("shared_share", c.shared_share);
  visit("same_init", c.same_init);
  visit("seed", c.seed);
}

/// The usual schedule for a run of this length: k from four times its end over the first steps (at most 100), the learning rate
/// rising over the first 20 and falling over the last 100; shorter phases and a larger rate where there are few steps. Vectors
/// decay, which is for BatchTopK: the other kinds have a penalty.
TrainingConfig usual_config(int64_t num_latents, int64_t k, int64_t num_steps);

/// How a configuration selects codes.
enum class TrainingKind { kBatchTopK, kL1, kJumpRelu };
TrainingKind training_kind(const TrainingConfig& config);

/// Latents 0 to this have one decoder vector for all models.
int64_t num_shared_latents(const TrainingConfig& config);

/// kUsage, naming the field, unless every number is in range.
void check_training_config(const TrainingConfig& config);

/// The weight of the L0 penalty at a step: it rises linearly over the first k_anneal_steps.
double l0_weight_at(const TrainingConfig& config, int64_t step);

/// Active latents a row, and learning rate, at a step.
int64_t k_at(const TrainingConfig& config, int64_t step);
double lr_at(const TrainingConfig& config, int64_t step);

}  // namespace fi
