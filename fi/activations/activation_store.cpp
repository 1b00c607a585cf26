#include "fi/activations/activation_store.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "fi/core/error.h"
#include "fi/core/json_fields.h"
#include "fi/io/atomic_file.h"
#include "fi/io/safetensors.h"

namespace fi {
namespace {

StoredTensor take(const std::filesystem::path& path, const char* name, DType dtype, const std::vector<int64_t>& shape) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  const StoredTensor* tensor = file.find(name);
  check(tensor != nullptr && tensor->dtype == dtype && tensor->shape == shape, ErrorCode::kInvalid,
        "[activations] {} has no tensor '{}' of type {} and shape [{}]; capture the activations again.", path.string(), name,
        dtype_name(dtype), fmt::join(shape, ", "));
  return *tensor;
}

at::Tensor take_float(const std::filesystem::path& path, const char* name, const std::vector<int64_t>& shape) {
  const StoredTensor stored = take(path, name, DType::kF32, shape);
  const at::Tensor values = at::empty(shape, at::kFloat);
  to_float(stored, 0, stored.num_values(), values.data_ptr<float>());
  return values;
}

StoreInfo read_info(const std::filesystem::path& folder) {
  const auto path = folder / "store.json";
  StoreInfo info;
  fields_from_json(parse_json(read_file(path, "activations"), "activations", path.string()), info, {path.string(), ""});
  constexpr int64_t kMaxSize = int64_t{1} << 40;
  const auto sane = [](int64_t value, int64_t least) { return value >= least && value <= kMaxSize; };
  check(info.format == 1, ErrorCode::kUnsupported, "[activations] {} has format {}, expected 1.", path.string(), info.format);
  check(sane(info.num_models, 1) && sane(info.d_model, 1) && sane(info.num_rows, 0) && sane(info.rows_per_shard, 1),
        ErrorCode::kInvalid, "[activations] {} has a size out of range; capture the activations again.", path.string());
  const bool fits = std::all_of(info.widths.begin(), info.widths.end(), [&](int64_t w) { return w >= 1 && w <= info.d_model; });
  check(info.widths.empty() || (fits && static_cast<int64_t>(info.widths.size()) == info.num_models), ErrorCode::kInvalid,
        "[activations] {} has widths [{}], expected {} of 1 to {}; capture the activations again.", path.string(),
        fmt::join(info.widths, ", "), info.num_models, info.d_model);
  return info;
}

}  // namespace

bool has_one_space(const StoreInfo& info) {
  const bool are_related = info.relation.empty() ? info.target_tokenizer.empty() : info.relation != "unrelated";
  return info.widths.empty() && info.base_hook_point.empty() && are_related;
}

struct ActivationStore::Shard {
  StoredTensor rows;
  StoredTensor places;
};

std::filesystem::path shard_path(const std::filesystem::path& folder, int64_t shard) {
  return folder / fmt::format("shard_{:05}.safetensors", shard);
}

ActivationStore ActivationStore::open(const std::filesystem::path& folder) {
  ActivationStore store;
  store.info_ = read_info(folder);
  const StoreInfo& info = store.info_;
  for (int64_t first = 0; first < info.num_rows; first += info.rows_per_shard) {
    const int64_t count = std::min(info.rows_per_shard, info.num_rows - first);
    const auto path = shard_path(folder, first / info.rows_per_shard);
    auto shard = std::make_shared<Shard>();
    shard->rows = take(path, "rows", DType::kF16, {count, info.num_models, info.d_model});
    shard->places = take(path, "places", DType::kI32, {count, 3});
    store.shards_.push_back(std::move(shard));
  }
  store.mean_ = take_float(folder / "scaling.safetensors", "mean", {info.num_models, info.d_model});
  store.scale_ = take_float(folder / "scaling.safetensors", "scale", {info.num_models});
  return store;
}

at::Tensor ActivationStore::gather(std::span<const int64_t> indices) const {
  const int64_t row_bytes = info_.num_models * info_.d_model * 2;
  const at::Tensor halves = at::empty({static_cast<int64_t>(indices.size()), info_.num_models, info_.d_model}, at::kHalf);
  auto* out = static_cast<std::byte*>(halves.mutable_data_ptr());
  for (const int64_t index : indices) {
    invariant(index >= 0 && index < info_.num_rows, "row {} of {}", index, info_.num_rows);
    const Shard& shard = *shards_[static_cast<size_t>(index / info_.rows_per_shard)];
    std::memcpy(out, shard.rows.bytes.data() + (index % info_.rows_per_shard) * row_bytes, static_cast<size_t>(row_bytes));
    out += row_bytes;
  }
  return halves.to(at::kFloat);
}

RowPlace ActivationStore::place(int64_t row) const {
  invariant(row >= 0 && row < info_.num_rows, "row {} of {}", row, info_.num_rows);
  const Shard& shard = *shards_[static_cast<size_t>(row / info_.rows_per_shard)];
  RowPlace place;
  std::memcpy(&place, shard.places.bytes.data() + static_cast<size_t>(row % info_.rows_per_shard) * sizeof place, sizeof place);
  return place;
}

int64_t ActivationStore::held_out_start(double fraction) const {
  int64_t start = info_.num_rows - static_cast<int64_t>(std::ceil(fraction * static_cast<double>(info_.num_rows)));
  start = std::clamp<int64_t>(start, 0, info_.num_rows);
  while (start > 0 && start < info_.num_rows && place(start).text == place(start - 1).text) --start;
  return start;
}

}  // namespace fi
