#pragma once

#include "fi/compare/locate.h"

namespace fi {

/// layers.json of models whose shapes or tokenizers differ: {"depth_pairs", "categories", "token_kl", ...}. Each model reads the
/// discovery prompts and the target's answers in its own ids.
Json depth_map_document(const LocateInputs& inputs, ProgressSink& progress);

/// The layer of the target, in the middle half of its depth, at which such a document calls the models least alike: where a
/// crosscoder is trained if nobody names a layer.
int64_t least_similar_layer(const Json& depth_map);

/// How the tokenizers of a pair correspond, for the manifest: what each model reads of the first prompt, BOS, template, and ids
/// that stand for other strings.
Json tokenizer_document(const ModelPair& pair, const std::string& first_prompt);

/// What the report says about such a pair beside its answers.
Json depth_notes(const Json& manifest, const Json& layers);

}  // namespace fi
