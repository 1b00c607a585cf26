#pragma once

#include <vector>

#include "fi/capture/paired_rows.h"
#include "fi/compare/activation_view.h"
#include "fi/compare/token_cue.h"
#include "fi/core/json.h"
#include "fi/tokenizer/tokenizer.h"

namespace fi {

/// What the directions of a layer are looked at with. Every second text of a category is held out for scoring names.
struct DirectionInputs {
  const PairedRows& rows;
  const CueReader& reader;  // of the texts that the rows were captured from
  const Tokenizer& tokenizer;
  const std::vector<ReadAnswer>& answers;  // of the texts
  Naming naming;
};

/// An entry of activations/directions.json, and its direction as long as the root mean square movement along it.
struct DirectionEntry {
  Json document;
  at::Tensor step;  // [d_model]
};

/// The principal directions of the difference and the difference in means: share of the difference, use by both models and by
/// category, promoted tokens (logit lens), texts with the movement along the direction token by token, and a scored name. What
/// all texts begin with is left out of examples and names.
std::vector<DirectionEntry> direction_entries(const DirectionInputs& inputs);

}  // namespace fi
