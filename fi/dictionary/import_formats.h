#pragma once

#include <string>
#include <vector>

#include "fi/core/json.h"
#include "fi/dictionary/crosscoder.h"
#include "fi/dictionary/named_tensors.h"

namespace fi {

/// A dictionary as its own project saved it.
struct DictionarySource {
  const NamedTensors& tensors;
  const Json& config;  // an object; empty where no JSON file lies beside the tensors
};

/// What was read of it.
struct ForeignDictionary {
  Crosscoder crosscoder;
  std::string hook_point;  // in our words where they say the same ("resid_post.13"), else in theirs; empty if unknown
  bool lacks_scaling =
      false;  // rows were scaled to a mean norm of sqrt(d_model) in training, and the file does not say by how much
};

/// A layout of dictionary files. Told by names and dimensions of tensors alone: what a config calls the class is never looked up.
struct DictionaryFormat {
  const char* name;  // "ckkissane crosscoder"
  bool (*fits)(const NamedTensors& tensors);
  /// kInvalid for missing tensors and wrong shapes, kUnsupported for what our data cannot say exactly.
  ForeignDictionary (*read)(const DictionarySource& source);
};

/// All of them; at most one fits a file.
const std::vector<DictionaryFormat>& dictionary_formats();

// Crosscoders: decoder vectors of several models (import_crosscoders.cpp).
/// `CrossCoder` and `BatchTopKCrossCoder` of jkminder/dictionary_learning, and ours.
Crosscoder read_canonical(const NamedTensors& tensors, const Json& config);
/// ckkissane/crosscoder-model-diff-replication: relu, its scales not in the file.
ForeignDictionary read_ckkissane(const DictionarySource& source);
/// OpenMOSS/Language-Model-SAEs `Crosscoder`: an encoder bias a model, of which the sum counts. Relu only: its other activations
/// gate each model apart.
ForeignDictionary read_openmoss(const DictionarySource& source);

// Sparse autoencoders: dictionaries of one model (import_saes.cpp).
/// SAELens: architectures standard, jumprelu, gated (a jump relu in other words) and topk. JumpReLU dictionaries of
/// dictionary_learning have the same tensors.
ForeignDictionary read_saelens(const DictionarySource& source);
/// EleutherAI/sparsify `SparseCoder`: top k.
ForeignDictionary read_sparsify(const DictionarySource& source);
/// saprmarks/dictionary_learning: AutoEncoder, AutoEncoderNew, GatedAutoEncoder, AutoEncoderTopK and BatchTopKSAE.
ForeignDictionary read_dictionary_learning(const DictionarySource& source);

/// The normaliser buffers of dictionary_learning (`activation_mean`, ...); the identity where they are absent or NaN.
RowScaling stored_scaling(const NamedTensors& tensors, int64_t num_models, int64_t d_model);

/// "blocks.14.hook_resid_pre", "blocks.13.hook_resid_post", "layers.13" and "model.layers.13" -> "resid_post.13"; others as they
/// are.
std::string hook_point_from(const std::string& name);

/// The string at `key` of the object; empty if there is none.
std::string text_at(const Json& object, const char* key);

}  // namespace fi
