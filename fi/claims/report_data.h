#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fi/core/json.h"

namespace fi {

constexpr int kReportSchemaVersion = 1;

/// A model as the report names it.
struct ModelIdentity {
  std::string name;
  std::optional<std::string> revision;
  std::optional<std::string> sha256;  // over the weight files, in order
  std::string family;
  int64_t num_layers = 0;
  int64_t d_model = 0;
  int64_t num_parameters = 0;
  std::string tokenizer_fingerprint;
  std::vector<std::string> first_tokens;  // of the first prompt, as the model saw it: BOS and template are visible here
};

struct EffectEstimate {
  std::string metric;  // "share of answers that work in numbered steps"
  double base = 0.0;
  double target = 0.0;
  double ci_low = 0.0;  // 95% interval of target - base
  double ci_high = 0.0;
  double p_value = 1.0;
  double q_value = 1.0;
  int64_t num_prompts = 0;
  double effect_size = 0.0;  // Cliff's delta on confirmation prompts
  bool is_scalar = false;    // false: base and target are shares in 0..1
  std::string unit;          // of scalars
};

/// An intervention beside its control, both as shares of the gap between the models in log-probability of the answers.
struct CausalTest {
  bool passed = false;
  double effect = 0.0;
  double control_effect = 0.0;  // the larger of: random subspaces, the base's own leading subspace; of equal rank
  double ci_low = 0.0;          // 95% interval of the effect
  double ci_high = 0.0;
};

/// How far the models' predictions are apart along an answer that both have read.
struct AnswerKl {
  std::vector<std::string> tokens;  // together they are the answer; tokens that share a character are one
  std::vector<double> nats;         // [num_tokens] KL(target || base) of what each model expects at its place
};

struct AnswerExample {
  std::string category;
  std::string prompt;
  std::string base_output;
  std::string target_output;
  std::optional<AnswerKl> base_kl, target_kl;  // absent where no model has read the answer for it
};

/// A finding that was merged into a claim, or that was tried on confirmation prompts and did not hold.
struct Evidence {
  std::string id;  // detector id
  std::string description;
  std::vector<std::string> categories;
  EffectEstimate effect;
  bool holds = false;
};

/// Share of the base-to-target gap in log-probability of the target's own answers that is closed by giving the base these blocks.
struct TransplantRow {
  int64_t first_layer = 0;  // blocks first..last, both included
  int64_t last_layer = 0;
  double share_closed = 0.0;
  double ci_low = 0.0;
  double ci_high = 0.0;
};

/// What a model with exchanged blocks answers to confirmation prompts, measured as the claim's effect is.
struct GeneratedRow {
  std::string model;  // "base with blocks 10-24 of the target"
  double measure = 0.0;
  int64_t num_prompts = 0;
  std::string example;  // its answer to the first of them
};

/// A claim's behaviour where both models sample their answers instead of taking the likeliest token each time.
struct SampledEffect {
  double temperature = 0.0;
  int64_t samples_a_prompt = 0;
  int64_t num_prompts = 0;
  double base = 0.0;  // measured as the claim's effect is
  double target = 0.0;
  double ci_low = 0.0;  // 95% interval of target - base over prompts
  double ci_high = 0.0;
};

/// True where sampled answers show the effect too: the interval of the difference is on its side of zero.
bool holds_when_sampled(const EffectEstimate& effect, const SampledEffect& sampled);

struct Claim {
  std::string id;       // "claim-1"
  std::string kind;     // "added", "removed", "modified"
  std::string verdict;  // "verified", "suggestive", "refuted", "untested"
  std::string sentence;
  std::string capability;
  std::string trigger;
  std::string behaviour;
  std::vector<std::string> categories;
  std::vector<int64_t> layers;
  EffectEstimate effect;
  std::optional<SampledEffect> sampled;  // absent beyond the claims that the budget has time for
  std::optional<int64_t> causal_layer;   // the causal tests exchange a subspace of the residual stream after it
  std::optional<CausalTest> necessity, sufficiency, specificity;
  std::vector<TransplantRow> transplants;
  std::vector<GeneratedRow> generated;  // empty: no range of layers was found, or the budget was used up
  std::vector<std::string> features;    // ids
  std::vector<AnswerExample> examples;
  std::vector<Evidence> supporting;  // merged findings
};

struct LayerRow {
  int64_t layer = 0;
  double relative_difference = 0.0;    // mean over tokens of |target - base|^2, over mean |base|^2; square root
  double noise_floor = 0.0;            // the same between the base and its own copy with weights rounded to bf16
  std::optional<double> kl_recovered;  // share of base-to-target KL removed by patching this layer's block
  double cosine = 1.0;                 // of the two models' rows, each centred on its own mean, over all rows at once
  double base_norm = 0.0;              // root mean square norm
  double target_norm = 0.0;
  std::vector<std::string> promoted;  // logit lens of the mean difference: tokens that the target favours
  std::vector<std::string> suppressed;
};

/// A layer of the target beside the base's layer at the same relative depth, for models whose shapes or tokenizers differ.
struct DepthPairRow {
  int64_t target_layer = 0;
  int64_t base_layer = 0;
  double similarity = 0.0;  // linear CKA of the residual streams over aligned positions
  double base_norm = 0.0;   // root mean square norm
  double target_norm = 0.0;
};

/// How far one weight matrix of a block is from the base's.
struct WeightChangeRow {
  int64_t layer = 0;
  std::string matrix;            // "mlp.up_proj"
  double relative_change = 0.0;  // |target - base| / |base|, Frobenius norms
  double cosine = 1.0;
};

/// Weight matrices of one layer compared, as an imported crosscoder analysis has it.
struct WeightRow {
  int64_t layer = 0;
  double similarity = 0.0;  // mean cosine of corresponding matrices
  double difference = 0.0;  // mean, in the file's own measure
  int64_t num_matrices = 0;
};

struct TokenValue {
  std::string text;
  double value = 0.0;  // activation of the feature on this token, 0..1 of its largest
  double base = 0.0;   // how far the base has it there, 0..1 of the larger of both models' largest
  double target = 0.0;
};

struct FeatureExample {
  std::string category;
  std::vector<TokenValue> tokens;
};

struct CategoryUse {
  std::string category;
  double base = 0.0;  // mean absolute activation on the category's tokens
  double target = 0.0;
};

/// A ratio with its 95% interval over texts.
struct RatioEstimate {
  double value = 0.0;
  double low = 0.0;
  double high = 0.0;
};

/// What the class of a crosscoder's latent rests on (fi/features/feature.h has the definitions).
struct LatentMeasures {
  bool has_one_space = true;  // false: nu_error is the reach along a direction of a model's own over that in the other model, and
                              // decoder_cosine and nu_reconstruction, which set vectors of both side by side, are 0
  double firing_rate = 0.0;   // share of held-out tokens on which it fires
  int64_t num_firings = 0;
  int64_t num_texts = 0;                                         // with at least one firing
  std::optional<double> base_decoder_norm, target_decoder_norm;  // of what it writes in either model, normalised space
  double target_norm_share = 0.0;                                // target / (base + target)
  double decoder_cosine = 0.0;                                   // between the two
  double use_ratio = 0.0;                                        // strength in the target over that in the base
  RatioEstimate nu_error_base, nu_error_target;  // share of the other model's direction: in what other latents leave unexplained
  double nu_reconstruction_base = 0.0;           // and in the reconstruction
  double nu_reconstruction_target = 0.0;
};

/// Whether a feature's tokens alone fire it: each put somewhere into the answers of texts that leave it quiet.
struct TokenCueRow {
  std::vector<std::string> tokens;
  int64_t num_fired = 0;  // texts
  int64_t num_texts = 0;
};

/// Whether a name fits the places where a feature is active, or all places of such a text alike.
struct NamePlacesRow {
  int64_t num_active = 0, fit_active = 0;  // places where it is active, and those that the name fits
  int64_t num_quiet = 0, fit_quiet = 0;
};

struct FeatureRow {
  std::string id;  // "L18-pca-0"
  int64_t layer = 0;
  std::string engine;  // what found it: "difference PCA", "difference in means", "crosscoder"
  std::string kind;    // "added", "removed", "modified", "shared"
  std::optional<std::string> name, fires_on, promotes;
  std::optional<std::string> named_by;        // the chat model whose words the name is
  std::optional<double> name_score;           // balanced accuracy of detection on held-out examples
  std::optional<double> name_low, name_high;  // its 95% interval
  std::optional<NamePlacesRow> name_places;   // of names that can be told from place to place
  std::optional<double> share_of_difference;  // of the layer's squared difference that it explains; none without a common space
  double base_use = 0.0;                      // mean absolute activation over tokens
  double target_use = 0.0;
  std::optional<std::string> seeds;  // "3 of 3": dictionaries of other seeds that have it too; only where several were trained
  std::vector<std::string> promoted_tokens, suppressed_tokens;
  std::vector<CategoryUse> categories;  // strongest first
  std::vector<FeatureExample> examples;
  std::optional<LatentMeasures> measures;  // of latents
  std::optional<TokenCueRow> token_cue;    // of features with a name, where enough texts leave them quiet
};

/// A crosscoder's latents by the target's share of the norm of what they write in both models: 0 is the base's alone, 1 the
/// target's (Lindsey et al. 2024, "Sparse Crosscoders", relative decoder norm).
struct NormHistogram {
  int64_t layer = 0;
  std::vector<int64_t> bins;  // latents that fire at all, in bins of equal width from 0 to 1
};

/// How far one method gets in the race of simple methods against the crosscoder.
struct BaselineRow {
  std::string method;  // "PCA of the difference"
  int64_t num_directions = 0;
  double kl_removed = 0.0;  // share of KL(target || base) that goes when the base gets the target's values inside their span
  double ci_low = 0.0;      // 95% interval over texts
  double ci_high = 0.0;
  double discrimination = 0.5;  // area under the ROC curve: prompts of the change against others, by the size of the difference
};

struct BaselinesRace {
  int64_t layer = 0;   // after which the methods ran: where the strongest change was located
  std::string result;  // who wins, in a sentence
  std::vector<BaselineRow> rows;
};

struct CategoryRow {
  std::string id;
  std::string title;
  std::vector<std::string> group;
  int64_t num_discovery = 0;
  int64_t num_confirmation = 0;
  double token_kl = 0.0;        // mean KL(target || base) per answer token, nats
  double largest_effect = 0.0;  // Cliff's delta of the strongest detector on discovery prompts
  std::string largest_effect_name;
};

/// Everything that a report says. Written to reports/report.json; figures and pages are drawn from it alone.
struct Report {
  std::string tool_version;
  ModelIdentity base, target;
  std::string relation;       // "identical", "adapter", "fine-tune", "sibling", "unrelated", "outputs-only"
  std::string relation_note;  // one sentence of evidence for it
  std::string verdict;        // "different" or "no difference found"
  std::string summary;
  std::vector<Claim> claims;  // strongest first
  std::vector<LayerRow> layers;
  std::vector<DepthPairRow> depth_pairs;        // of models whose layers cannot be subtracted; then `layers` is empty
  std::vector<WeightChangeRow> weight_changes;  // of models of one shape that are no adapter
  std::vector<WeightRow> weights;               // of an imported analysis; empty without one
  std::vector<FeatureRow> features;
  std::vector<NormHistogram> decoder_norms;  // of each crosscoder
  std::optional<BaselinesRace> baselines;    // where a change was located
  std::vector<CategoryRow> categories;
  std::vector<Evidence> not_confirmed;  // looked promising on discovery prompts, did not hold on fresh ones
  std::vector<AnswerExample> answers;   // a sample for side-by-side reading
  Json not_seen = Json::object();       // key -> value or sentence; what this run could not see
  Json settings = Json::object();       // resolved options, versions, machine
  int64_t num_hypotheses = 0;
  double q_level = 0.05;
  int64_t num_prompts = 0;
  int64_t num_tokens = 0;
  int64_t seed = 0;
  bool fresh_prompts = true;  // claims held on prompts that the search had not seen; false: too few to set any aside
};

Json to_json(const Report& report);
/// From the entry of a latents.json. kInvalid names the wrong field.
LatentMeasures latent_measures_from_json(const Json& document, std::string_view where);
/// kInvalid names the missing or wrong field.
Report report_from_json(const Json& document, std::string_view where);

}  // namespace fi
