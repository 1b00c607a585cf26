#pragma once

#include <vector>

#include "fi/activations/row_source.h"
#include "fi/dictionary/crosscoder.h"

namespace fi {

/// How well a dictionary describes rows.
struct DictionaryQuality {
  std::vector<double> explained_by_model;  // fraction of variance explained: 1 - sum |x - x^|^2 / sum |x - mean|^2
  double explained = 0.0;                  // the same over all models, in the normalised space
  double l0 = 0.0;                         // non-zero codes a row
  double dead_share = 0.0;                 // of latents: never active on these rows
  double dense_share = 0.0;                // of latents: active on more than a tenth of these rows
  int64_t num_rows = 0;
};

template <typename Visit>
void visit_fields(DictionaryQuality& q, Visit&& visit) {
  visit("explained_by_model", q.explained_by_model);
  visit("explained", q.explained);
  visit("l0", q.l0);
  visit("dead_share", q.dead_share);
  visit("dense_share", q.dense_share);
  visit("num_rows", q.num_rows);
}

/// Over all rows of the source, block by block. kIncompatible if the rows have another number of models or width.
DictionaryQuality quality_of(const Crosscoder& crosscoder, const RowSource& rows);

/// kIncompatible unless the dictionary reads rows like these.
void check_rows_fit(const Crosscoder& crosscoder, const RowSource& rows);

}  // namespace fi
