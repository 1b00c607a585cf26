#pragma once

#include "fi/core/progress.h"
#include "fi/model/decoder.h"
#include "fi/model/model_source.h"
#include "fi/model/weights.h"

namespace fi {

/// Takes every weight of `source` and builds its decoder. On the device kMeta no weight is read: names and shapes are checked.
/// kInvalid for missing tensors and for tensors that nothing reads, kIncompatible for shapes that the config does not ask for.
Decoder build_decoder(ModelSource source, WeightStore::Options options, ProgressSink& progress);

}  // namespace fi
