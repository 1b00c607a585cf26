#pragma once

#include <string>
#include <vector>

#include "fi/activations/row_source.h"
#include "fi/core/progress.h"
#include "fi/dictionary/crosscoder.h"
#include "fi/features/feature.h"

namespace fi {

/// When a latent is called what. The two exclusive limits are those of Minder, Dumas et al. (2504.02922).
struct FeatureOptions {
  int64_t min_firings = 200;      // fewer: undecided
  int64_t min_texts = 5;          // with a firing; fewer: undecided
  double exclusive_error = 0.2;   // added/removed: the upper end of nu_error is below
  double exclusive_others = 0.5;  // added/removed: nu_others is below
  double modified_factor = 1.25;  // modified: strengths differ by more than that, or the cosine is below its inverse
  double dense_share = 0.1;       // firing on more rows than that: counted as dense
  double twin_cosine = 0.9;       // an exclusive latent this close to one that the other model uses is modified
  double twin_code_cosine = 0.7;  // the same where there is no common space, of codes row by row
  bool has_one_space = true;      // false: vectors of one model mean nothing in the other (own_strengths); none is modified by
                                  // strength then, for a feature need not weigh the same in two models of other shapes
};

/// Where the rows come from: text and category of each row, and the categories' names.
struct RowLabels {
  std::vector<int32_t> texts;
  std::vector<int32_t> categories;
  std::vector<std::string> category_names;
};
/// Every row a text of its own, all in one category.
RowLabels unlabelled(int64_t num_rows);

struct FeatureTable {
  std::vector<Feature> features;        // by latent
  std::vector<std::string> categories;  // names, in the order of Feature::firings_by_category
  std::vector<int64_t> rows_by_category;
  int64_t num_rows = 0;
  int64_t num_dead = 0;
  int64_t num_dense = 0;
};

template <typename Visit>
void visit_fields(FeatureTable& t, Visit&& visit) {
  visit("num_rows", t.num_rows);
  visit("num_dead", t.num_dead);
  visit("num_dense", t.num_dense);
  visit("categories", t.categories);
  visit("rows_by_category", t.rows_by_category);
  visit("features", t.features);
}

/// Measures every latent of a crosscoder of two models on `rows` (held out from its training), in passes whose memory does not
/// grow with their number, and classes it. kUnsupported for dictionaries of other views, or of other
/// widths where there should be one space; kIncompatible rows.
FeatureTable find_features(const Crosscoder& crosscoder, const RowSource& rows, const RowLabels& labels,
                           const FeatureOptions& options, ProgressSink& progress);

}  // namespace fi
