#pragma once

#include <filesystem>

namespace fi {

/// The four folders of a run, as the user's documentation names them.
struct RunFolders {
  std::filesystem::path activations, features, visualizations, reports;

  static RunFolders in(const std::filesystem::path& output) {
    return {output / "activations", output / "features", output / "visualizations", output / "reports"};
  }
};

/// Of the files in activations/, in the manifest. Raised when a stage needs what earlier versions did not write: `--resume` then
/// takes only the answers of such a run.
inline constexpr int kActivationsFormat = 2;

// Files inside them that stages hand to each other.
inline constexpr const char* kInProgressFolder = "in_progress";        // activations/: where that stage works until it is done
inline constexpr const char* kManifestFile = "manifest.json";          // activations/: written last, marks the stage as complete
inline constexpr const char* kIdentityFile = "identity.json";          // activations/: what the answers depend on
inline constexpr const char* kAnswersFile = "answers.jsonl";           // activations/: one AnswerPair a line
inline constexpr const char* kLayersFile = "layers.json";              // activations/: layer map and token KL by category
inline constexpr const char* kLocalisationFile = "localisation.json";  // activations/: transplants, causal tests by trigger
inline constexpr const char* kAnswerKlFile = "answer_kl.json";         // activations/: token KL of shown answers
inline constexpr const char* kSampledAnswersFile = "sampled_answers.json";  // activations/: of the strongest changes
inline constexpr const char* kDirectionsFile = "directions.json";     // activations/: principal directions of the difference
inline constexpr const char* kSteeringFile = "steering.safetensors";  // activations/: what `steer` goes along (steering_file.h)
inline constexpr const char* kRowsFolder = "rows";                    // activations/: paired residual rows, layer_NN/ each
inline constexpr const char* kCrosscoderFolder = "crosscoder";        // features/: a dictionary of each stored layer, layer_NN/
inline constexpr const char* kClassesFile = "classes.json";           // layer_NN/: every latent with its class
inline constexpr const char* kLatentsFile = "latents.json";           // layer_NN/: what a report shows; written last
inline constexpr const char* kFeaturesFile = "features.json";         // features/: the whole report document
inline constexpr const char* kBaselinesFile = "baselines.json";       // features/: simple methods raced against the crosscoder
inline constexpr const char* kFindingsFile = "findings.json";         // features/: every candidate with its statistics
inline constexpr const char* kMeasuresFile = "measures.jsonl";        // features/: per finding and prompt, what they rest on

}  // namespace fi
