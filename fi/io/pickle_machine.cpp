#include "fi/io/pickle_machine.h"

#include <cstring>
#include <map>

#include "fi/core/error.h"

namespace fi {
namespace {

constexpr size_t kMaxItems = 1'000'000;
constexpr size_t kMaxPickledRank = 8;

const std::map<std::string, PickleGlobal>& known_names() {
  static const std::map<std::string, PickleGlobal> names = {
      {"torch._utils _rebuild_tensor_v2", {PickleName::kRebuildTensor, {}}},
      {"torch._utils _rebuild_parameter", {PickleName::kRebuildParameter, {}}},
      {"collections OrderedDict", {PickleName::kOrderedDict, {}}},
      {"torch DoubleStorage", {PickleName::kStorage, DType::kF64}},
      {"torch FloatStorage", {PickleName::kStorage, DType::kF32}},
      {"torch HalfStorage", {PickleName::kStorage, DType::kF16}},
      {"torch BFloat16Storage", {PickleName::kStorage, DType::kBF16}},
      {"torch LongStorage", {PickleName::kStorage, DType::kI64}},
      {"torch IntStorage", {PickleName::kStorage, DType::kI32}},
      {"torch ShortStorage", {PickleName::kStorage, DType::kI16}},
      {"torch CharStorage", {PickleName::kStorage, DType::kI8}},
      {"torch ByteStorage", {PickleName::kStorage, DType::kU8}},
      {"torch BoolStorage", {PickleName::kStorage, DType::kBool}}};
  return names;
}

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const std::string& where, PickleHeap& heap)
      : bytes_(bytes), where_(where), heap_(heap) {}

  PickleValue run() {
    for (;;) {
      if (++num_steps_ > 20 * kMaxItems) reject("has too many instructions");
      const uint8_t op = byte();
      if (op == '.') {
        if (stack_.size() != 1 || !marks_.empty()) reject("ends with values left over");
        return std::move(stack_.front());
      }
      step(op);
      if (stack_.size() > kMaxItems || memo_.size() > kMaxItems || heap_.lists.size() + heap_.dicts.size() > kMaxItems)
        reject("holds too many values");
    }
  }

 private:
  [[noreturn]] void reject(const std::string& rule) const {
    fail(ErrorCode::kInvalid, "[pt] {}: the pickle {} (byte {}); download the file again.", where_, rule, at_);
  }
  [[noreturn]] void refuse(const std::string& what) const {
    fail(ErrorCode::kUnsupported,
         "[pt] {}: {} (byte {} of its pickle), which a file of plain tensors does not need; nothing was run.", where_, what, at_);
  }

  uint8_t byte() { return static_cast<uint8_t>(take(1)[0]); }
  std::span<const std::byte> take(size_t count) {
    if (count > bytes_.size() - at_) reject("is cut off");
    at_ += count;
    return bytes_.subspan(at_ - count, count);
  }
  template <typename T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text(size_t count) {
    const auto bytes = take(count);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::string line() {
    std::string result;
    for (char c = static_cast<char>(byte()); c != '\n'; c = static_cast<char>(byte())) {
      result += c;
      if (result.size() > 200) reject("has a name without end");
    }
    return result;
  }

  void push(PickleValue value) { stack_.push_back(std::move(value)); }
  PickleValue pop() {
    if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back())) reject("takes a value that is not there");
    PickleValue value = std::move(stack_.back());
    stack_.pop_back();
    return value;
  }
  PickleValue& top() {
    if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back())) reject("looks at a value that is not there");
    return stack_.back();
  }
  PickleList pop_to_mark() {
    if (marks_.empty()) reject("goes back to a mark that is not there");
    PickleList items(std::make_move_iterator(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back())),
                     std::make_move_iterator(stack_.end()));
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  void push_tuple(PickleList items) { push({&heap_.lists.emplace_back(std::move(items)), true}); }
  void push_tuple_of(size_t count) {
    PickleList items(count);
    for (size_t i = count; i-- > 0;) items[i] = pop();
    push_tuple(std::move(items));
  }

  template <typename T>
  T& as(PickleValue& value, const char* expected) {
    T* found = std::get_if<T>(&value.value);
    if (found == nullptr) reject(fmt::format("has another value where {} is expected", expected));
    return *found;
  }
  int64_t integer(PickleValue& value) { return as<int64_t>(value, "an integer"); }
  PickleList& tuple(PickleValue& value, size_t least) {
    auto& list = as<PickleList*>(value, "a tuple");
    if (list->size() < least) reject("has a tuple that is too short");
    return *list;
  }
  std::vector<int64_t> integers(PickleValue& value) {
    std::vector<int64_t> result;
    for (PickleValue& item : tuple(value, 0)) result.push_back(integer(item));
    if (result.size() > kMaxPickledRank) reject("has a tensor of too many dimensions");
    return result;
  }

  void step(uint8_t op);
  void put(uint32_t key) { memo_[key] = top(); }
  void get(uint32_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) reject("recalls a value that was never kept");
    push(found->second);
  }
  void set_items(PickleList items);
  void append_items(PickleList items);
  void load_global();
  void load_storage();
  void reduce();
  void build();
  int64_t long_integer();
  double big_endian_double();

  std::span<const std::byte> bytes_;
  const std::string& where_;
  PickleHeap& heap_;
  size_t at_ = 0;
  size_t num_steps_ = 0;
  std::vector<PickleValue> stack_;
  std::vector<size_t> marks_;  // stack heights
  std::map<uint32_t, PickleValue> memo_;
};

void Machine::step(uint8_t op) {
  switch (op) {
    case 0x80: byte(); break;   // PROTO
    case 0x95: take(8); break;  // FRAME
    case '(': marks_.push_back(stack_.size()); break;
    case 'N': push({}); break;
    case 0x88: push({true}); break;
    case 0x89: push({false}); break;
    case 'K': push({static_cast<int64_t>(byte())}); break;
    case 'M': push({static_cast<int64_t>(number<uint16_t>())}); break;
    case 'J': push({static_cast<int64_t>(number<int32_t>())}); break;
    case 0x8a: push({long_integer()}); break;
    case 'G': push({big_endian_double()}); break;
    case 'X': push({text(number<uint32_t>())}); break;
    case 0x8c: push({text(byte())}); break;
    case '}': push({&heap_.dicts.emplace_back()}); break;
    case ']': push({&heap_.lists.emplace_back()}); break;
    case ')': push_tuple({}); break;
    case 0x85: push_tuple_of(1); break;
    case 0x86: push_tuple_of(2); break;
    case 0x87: push_tuple_of(3); break;
    case 't': push_tuple(pop_to_mark()); break;
    case 'q': put(byte()); break;
    case 'r': put(number<uint32_t>()); break;
    case 0x94: put(static_cast<uint32_t>(memo_.size())); break;
    case 'h': get(byte()); break;
    case 'j': get(number<uint32_t>()); break;
    case 's': {
      PickleValue value = pop(), key = pop();
      set_items({std::move(key), std::move(value)});
      break;
    }
    case 'u': set_items(pop_to_mark()); break;
    case 'a': append_items({pop()}); break;
    case 'e': append_items(pop_to_mark()); break;
    case 'c': load_global(); break;
    case 'Q': load_storage(); break;
    case 'R': reduce(); break;
    case 'b': build(); break;
    default: refuse(fmt::format("instruction 0x{:02x} is not allowed", op));
  }
}

void Machine::set_items(PickleList items) {
  auto& dict = as<PickleDict*>(top(), "a dictionary");
  if (items.size() % 2 != 0) reject("sets a key without a value");
  for (size_t i = 0; i < items.size(); i += 2) dict->emplace_back(std::move(items[i]), std::move(items[i + 1]));
  if (dict->size() > kMaxItems) reject("has too large a dictionary");
}

void Machine::append_items(PickleList items) {
  PickleValue& target = top();
  auto& list = as<PickleList*>(target, "a list");
  if (target.is_tuple) reject("appends to a tuple");
  for (PickleValue& item : items) list->push_back(std::move(item));
  if (list->size() > kMaxItems) reject("has too long a list");
}

void Machine::load_global() {
  const std::string module = line(), name = module + " " + line();
  const auto known = known_names().find(name);
  if (known == known_names().end()) refuse(fmt::format("the name '{}' is not allowed", name));
  push({known->second});
}

// ('storage', torch.FloatStorage, key, device, number of values)
void Machine::load_storage() {
  PickleValue id = pop();
  PickleList& parts = tuple(id, 5);
  const auto& kind = as<PickleGlobal>(parts[1], "a storage type");
  if (as<std::string>(parts[0], "'storage'") != "storage" || kind.name != PickleName::kStorage)
    reject("has an unknown persistent id");
  const int64_t count = integer(parts[4]);
  if (count < 0) reject("has a storage of negative size");
  push({PickleStorage{kind.dtype, as<std::string>(parts[2], "a storage key"), count}});
}

void Machine::reduce() {
  PickleValue arguments = pop(), callable = pop();
  switch (as<PickleGlobal>(callable, "a known name").name) {
    case PickleName::kOrderedDict:
      if (!tuple(arguments, 0).empty()) refuse("an OrderedDict made from values");
      push({&heap_.dicts.emplace_back()});
      return;
    case PickleName::kRebuildTensor: {
      PickleList& parts = tuple(arguments, 4);
      PickleTensor tensor{as<PickleStorage>(parts[0], "a storage"), integer(parts[1]), integers(parts[2]), integers(parts[3])};
      if (tensor.shape.size() != tensor.strides.size()) reject("has a tensor with unequal numbers of sizes and strides");
      push({std::move(tensor)});
      return;
    }
    case PickleName::kRebuildParameter: {
      PickleValue tensor = std::move(tuple(arguments, 1)[0]);
      as<PickleTensor>(tensor, "a tensor");
      push(std::move(tensor));
      return;
    }
    case PickleName::kStorage: refuse("a storage that is called");
  }
}

// Attributes of a state dictionary (its `_metadata`): dropped.
void Machine::build() {
  pop();
  as<PickleDict*>(top(), "a dictionary");
}

int64_t Machine::long_integer() {
  const uint8_t size = byte();
  if (size > 8) refuse("an integer of more than 64 bits");
  const auto bytes = take(size);
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) value |= static_cast<uint64_t>(bytes[i]) << (8 * i);
  if (size > 0 && size < 8 && (static_cast<uint8_t>(bytes[size - 1U]) & 0x80) != 0) value |= ~uint64_t{0} << (8 * size);
  return static_cast<int64_t>(value);
}

double Machine::big_endian_double() {
  uint64_t bits = 0;
  for (const std::byte part : take(8)) bits = (bits << 8) | static_cast<uint64_t>(part);
  double value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace

PickleValue run_pickle(std::span<const std::byte> bytes, const std::string& where, PickleHeap& heap) {
  return Machine(bytes, where, heap).run();
}

}  // namespace fi
