#include "fi/io/pt_file.h"

#include <algorithm>

#include "fi/core/error.h"
#include "fi/io/pickle_machine.h"

namespace fi {
namespace {

constexpr int kMaxDepth = 16;

[[noreturn]] void reject(const std::filesystem::path& path, const std::string& rule) {
  fail(ErrorCode::kInvalid, "[pt] {}: {}; download the file again.", path.string(), rule);
}

// The folder of the archive: what comes before "data.pkl" in its one record of that name.
std::string prefix_of(const ZipArchive& archive) {
  constexpr std::string_view kPickle = "data.pkl";
  std::vector<std::string> found;
  for (const auto& [name, record] : archive.records()) {
    const size_t slash = name.find('/');
    if (slash != std::string::npos && std::string_view(name).substr(slash + 1) == kPickle) found.push_back(name);
  }
  const auto& path = archive.file()->path();
  if (found.size() != 1) reject(path, fmt::format("has {} records */data.pkl, expected 1", found.size()));
  return found.front().substr(0, found.front().size() - kPickle.size());
}

// Number of values that a strided view reaches, or -1 on overflow or a negative size or stride.
int64_t reach_of(const PickleTensor& tensor) {
  int64_t last = tensor.offset, count = 1;
  if (last < 0) return -1;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    int64_t step = 0;
    if (tensor.shape[i] < 0 || tensor.strides[i] < 0 || __builtin_mul_overflow(count, tensor.shape[i], &count)) return -1;
    if (tensor.shape[i] == 0) continue;
    if (__builtin_mul_overflow(tensor.shape[i] - 1, tensor.strides[i], &step) || __builtin_add_overflow(last, step, &last))
      return -1;
  }
  return count == 0 ? 0 : last + 1;
}

class Collector {
 public:
  Collector(const ZipArchive& archive, std::string prefix) : archive_(archive), prefix_(std::move(prefix)) {}

  void collect(const PickleValue& value, const std::string& name, int depth) {
    if (depth > kMaxDepth || ++num_visited_ > 1'000'000) reject(archive_.file()->path(), "dictionaries are nested too deep");
    if (const auto* tensor = std::get_if<PickleTensor>(&value.value)) return add(*tensor, name);
    const auto* dict = std::get_if<PickleDict*>(&value.value);
    if (dict == nullptr) return;  // plain values beside the tensors
    for (const auto& [key, item] : **dict) {
      const auto* text = std::get_if<std::string>(&key.value);
      if (text != nullptr) collect(item, name.empty() ? *text : name + "." + *text, depth + 1);
    }
  }

  std::vector<PtTensor> take() { return std::move(tensors_); }

 private:
  void add(const PickleTensor& tensor, const std::string& name) {
    if (tensors_.size() >= 100'000) reject(archive_.file()->path(), "has too many tensors");
    const std::string record_name = prefix_ + "data/" + tensor.storage.key;
    const auto record = archive_.records().find(record_name);
    if (record == archive_.records().end()) reject(archive_.file()->path(), "lacks record '" + record_name + "'");
    archive_.check_crc(record_name);
    const auto available = static_cast<int64_t>(record->second.bytes.size()) / dtype_block_bytes(tensor.storage.dtype);
    const int64_t reach = reach_of(tensor);
    if (reach < 0 || reach > tensor.storage.num_values || tensor.storage.num_values > available) {
      reject(archive_.file()->path(), "tensor '" + name + "' reaches beyond its storage");
    }
    const auto bytes =
        record->second.bytes.first(static_cast<size_t>(tensor.storage.num_values * dtype_block_bytes(tensor.storage.dtype)));
    tensors_.push_back({name, tensor.shape, tensor.strides, tensor.offset,
                        StoredTensor{name, tensor.storage.dtype, {tensor.storage.num_values}, bytes, archive_.file()}});
  }

  const ZipArchive& archive_;
  std::string prefix_;
  std::vector<PtTensor> tensors_;
  int64_t num_visited_ = 0;
};

}  // namespace

int64_t PtTensor::num_values() const {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

std::vector<float> PtTensor::to_floats() const {
  // A view with zero strides can be larger than its storage: the storage bounds what is worth reading.
  check(num_values() <= std::max<int64_t>(storage.num_values(), 1), ErrorCode::kUnsupported,
        "[pt] tensor '{}' repeats its storage; save it with .contiguous().", name);
  std::vector<float> all(static_cast<size_t>(storage.num_values())), result;
  to_float(storage, 0, storage.num_values(), all.data());
  result.reserve(static_cast<size_t>(num_values()));
  std::vector<int64_t> index(shape.size(), 0);
  int64_t at = offset;
  for (int64_t left = num_values(); left > 0; --left) {
    result.push_back(all[static_cast<size_t>(at)]);
    for (size_t d = shape.size(); d-- > 0;) {
      at += strides[d];
      if (++index[d] < shape[d]) break;
      at -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return result;
}

PtFile PtFile::open(const std::filesystem::path& path) {
  const ZipArchive archive = ZipArchive::open(path);
  const std::string prefix = prefix_of(archive);
  const auto order = archive.records().find(prefix + "byteorder");
  if (order != archive.records().end()) {
    const std::string_view text(reinterpret_cast<const char*>(order->second.bytes.data()), order->second.bytes.size());
    check(text == "little", ErrorCode::kUnsupported, "[pt] {} has the byte order '{}', expected little.", path.string(), text);
  }
  archive.check_crc(prefix + "data.pkl");
  Collector collector(archive, prefix);
  PickleHeap heap;
  collector.collect(run_pickle(archive.records().at(prefix + "data.pkl").bytes, path.string(), heap), "", 0);
  PtFile file;
  file.tensors_ = collector.take();
  return file;
}

const PtTensor* PtFile::find(const std::string& name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(), [&](const PtTensor& tensor) { return tensor.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

}  // namespace fi
