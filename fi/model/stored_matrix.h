#pragma once

#include "fi/model/tensor_view.h"
#include "fi/model/weight_matrix.h"

namespace fi {

/// True for a matrix whose rows stand one by one in the file, each in blocks of its own, so that they can be read alone.
bool has_whole_rows(const TensorView& view);

/// W left in the mapped file, in whatever blocks it is stored there; products widen a panel of rows at a time. Costs no memory of
/// its own. `view` has whole rows; where `is_rounded`, each is rounded to bf16 as it is read. CPU only.
WeightMatrixPtr hold_stored(TensorView view, bool is_rounded = false);

}  // namespace fi
