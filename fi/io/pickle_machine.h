#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fi/io/stored_tensor.h"

namespace fi {

struct PickleValue;
using PickleList = std::vector<PickleValue>;
using PickleDict = std::vector<std::pair<PickleValue, PickleValue>>;

/// The only names that a pickle may mention.
enum class PickleName { kRebuildTensor, kRebuildParameter, kOrderedDict, kStorage };
struct PickleGlobal {
  PickleName name = PickleName::kOrderedDict;
  DType dtype = DType::kF32;  // kStorage only
};
struct PickleStorage {
  DType dtype = DType::kF32;
  std::string key;  // record data/<key>
  int64_t num_values = 0;
};
struct PickleTensor {
  PickleStorage storage;
  int64_t offset = 0;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
};

struct PickleValue {
  std::variant<std::monostate, bool, int64_t, double, std::string, PickleList*, PickleDict*, PickleGlobal, PickleStorage,
               PickleTensor>
      value;
  bool is_tuple = false;  // of a list
};

/// Owns the lists, tuples and dictionaries of a pickle; they may refer to each other in circles.
struct PickleHeap {
  std::deque<PickleList> lists;
  std::deque<PickleDict> dicts;
};

/// Runs the pickle of a torch file. Knows the instructions that `torch.save` writes for tensors in dictionaries, lists and
/// tuples, calls nothing, and bounds its stack, memo and output. kInvalid or kUnsupported; `where` opens the message.
PickleValue run_pickle(std::span<const std::byte> bytes, const std::string& where, PickleHeap& heap);

}  // namespace fi
