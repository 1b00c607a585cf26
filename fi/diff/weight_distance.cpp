#include "fi/diff/weight_distance.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <tuple>

#include "fi/model/stored_matrix.h"

namespace fi {
namespace {

constexpr int64_t kPanelValues = 1 << 21;  // two panels of 8 MB
constexpr int64_t kPieceValues = 1 << 14;  // summed by one thread in one go
constexpr int64_t kLanes = 16;

struct Sums {
  double base = 0.0, target = 0.0, product = 0.0, difference = 0.0;

  void add(const Sums& other) {
    base += other.base;
    target += other.target;
    product += other.product;
    difference += other.difference;
  }
};

// Lanes of floats, so that the loop becomes vector instructions; a piece is short enough for them to stay exact to 1e-6.
Sums sums_of_piece(const float* b, const float* t, int64_t count) {
  float bb[kLanes] = {}, tt[kLanes] = {}, bt[kLanes] = {}, dd[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) {
      const float x = b[i + k], y = t[i + k], d = y - x;
      bb[k] += x * x;
      tt[k] += y * y;
      bt[k] += x * y;
      dd[k] += d * d;
    }
  }
  Sums sums;
  for (; i < count; ++i) {
    const double x = b[i], y = t[i];
    sums.add({x * x, y * y, x * y, (y - x) * (y - x)});
  }
  for (int64_t k = 0; k < kLanes; ++k) sums.add({bb[k], tt[k], bt[k], dd[k]});
  return sums;
}

// Pieces are added up in their order, so that the number of threads changes nothing.
Sums sums_of(const at::Tensor& base, const at::Tensor& target) {
  const int64_t count = base.numel(), num_pieces = (count + kPieceValues - 1) / kPieceValues;
  const float *b = base.const_data_ptr<float>(), *t = target.const_data_ptr<float>();
  std::vector<Sums> pieces(static_cast<size_t>(num_pieces));
  at::parallel_for(0, num_pieces, 8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i * kPieceValues;
      pieces[static_cast<size_t>(i)] = sums_of_piece(b + first, t + first, std::min(kPieceValues, count - first));
    }
  });
  Sums total;
  for (const Sums& piece : pieces) total.add(piece);
  return total;
}

// Gemma's checkpoints store w where 1 + w is meant; its GGUF files store the sum.
at::Tensor whole(const TensorView& view, double norm_offset) {
  at::Tensor values = view.to_float();
  return view.name.ends_with("norm.weight") ? values.add_(norm_offset) : values;
}

Sums compare(const TensorView& base, const TensorView& target, double base_offset, double target_offset) {
  if (!has_whole_rows(base) || !has_whole_rows(target)) return sums_of(whole(base, base_offset), whole(target, target_offset));
  const WeightMatrixPtr left = hold_stored(base), right = hold_stored(target);
  const int64_t panel = std::max<int64_t>(1, kPanelValues / std::max<int64_t>(1, left->d_in()));
  Sums sums;
  for (int64_t row = 0; row < left->d_out(); row += panel) {
    check_interrupt();
    const int64_t count = std::min(panel, left->d_out() - row);
    sums.add(sums_of(left->rows(row, count), right->rows(row, count)));
  }
  return sums;
}

// "model.layers.3.mlp.up_proj.weight" -> 3 and "mlp.up_proj".
void place(WeightDistance& distance) {
  constexpr std::string_view kLayers = "model.layers.", kWeight = ".weight";
  std::string_view rest = distance.name;
  if (rest.starts_with(kLayers)) {
    rest.remove_prefix(kLayers.size());
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), distance.layer);
    if (error == std::errc() && end != rest.data() + rest.size()) rest.remove_prefix(static_cast<size_t>(end - rest.data()) + 1);
  }
  if (rest.ends_with(kWeight)) rest.remove_suffix(kWeight.size());
  distance.part = rest;
}

// As data flows through a block; what is not listed comes after.
size_t rank_in_block(const std::string& part) {
  static const std::vector<std::string> order = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                                                 "mlp.gate_proj",    "mlp.up_proj",      "mlp.down_proj"};
  return static_cast<size_t>(std::find(order.begin(), order.end(), part) - order.begin());
}

WeightDistance distance_of(const TensorView& base, const TensorView& target, double base_offset, double target_offset) {
  const Sums sums = compare(base, target, base_offset, target_offset);
  WeightDistance distance{.name = base.name, .is_matrix = base.shape().size() == 2};
  distance.num_values = 1;
  for (const int64_t size : base.shape()) distance.num_values *= size;
  place(distance);
  if (sums.difference == 0.0) return distance;
  const double scale = std::sqrt(sums.base * sums.target);
  distance.relative_change = sums.base > 0.0 ? std::sqrt(sums.difference / sums.base) : 1.0;
  distance.cosine = scale > 0.0 ? sums.product / scale : 0.0;
  return distance;
}

}  // namespace

WeightDistances weight_distances(const ModelSource& base, const ModelSource& target, ProgressSink& sink) {
  std::map<std::string, const TensorView*> others;
  for (const TensorView& view : target.tensors) others.emplace(view.name, &view);
  WeightDistances result;
  StageProgress progress(sink, "weights", static_cast<int64_t>(base.tensors.size()), "tensors");
  for (const TensorView& view : base.tensors) {
    progress.advance(1);
    const auto found = others.find(view.name);
    if (found == others.end() || found->second->shape() != view.shape()) {
      result.unmatched.push_back(view.name);
    } else {
      result.tensors.push_back(distance_of(view, *found->second, base.norm_offset, target.norm_offset));
    }
    if (found != others.end()) others.erase(found);
  }
  for (const auto& [name, view] : others) result.unmatched.push_back(name);
  std::sort(result.tensors.begin(), result.tensors.end(), [](const WeightDistance& a, const WeightDistance& b) {
    return std::tuple(a.layer, rank_in_block(a.part), a.name) < std::tuple(b.layer, rank_in_block(b.part), b.name);
  });
  return result;
}

}  // namespace fi
