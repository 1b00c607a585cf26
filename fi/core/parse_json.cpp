#include <algorithm>
#include <numeric>

#include "fi/core/error.h"
#include "fi/core/json.h"

namespace fi {
namespace {

struct Position {
  size_t line = 1;
  size_t column = 1;
};

Position position_of(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const size_t last_newline = before.rfind('\n');
  return {1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n')),
          last_newline == std::string_view::npos ? before.size() + 1 : before.size() - last_newline};
}

/// Tells the builder how far the lexer has read.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *furthest_ = ++at_;
    return *this;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** furthest_;
};

/// Builds the document from parser events. The library's own builder looks every key up among those before it, which takes
/// quadratic time for an object that keeps its order, and keeps the last of two equal keys silently; a reader that keeps the
/// first would then see another file.
class DocumentBuilder final : public nlohmann::json_sax<Json> {
 public:
  DocumentBuilder(std::string_view text, std::string_view operation, std::string_view where, JsonLimits limits)
      : text_(text), operation_(operation), where_(where), limits_(limits), furthest_(text.data()) {}

  const char** furthest() { return &furthest_; }
  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t& value) override { return add(std::move(value)); }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    Open& object = open_.back();
    object.key_offsets.push_back(offset() - std::min(offset(), name.size() + 2));
    members_of(*object.value).emplace_back(std::move(name), nullptr);
    return true;
  }

  bool end_object() override {
    check_keys(open_.back());
    return close();
  }

  bool parse_error(std::size_t byte, const std::string&, const nlohmann::detail::exception&) override {
    const Position at = position_of(text_, byte > 0 ? byte - 1 : 0);
    fail(ErrorCode::kInvalid, "[{}] {} is not valid JSON at line {}, column {}; correct or re-create the file.", operation_,
         where_, at.line, at.column);
  }

 private:
  struct Open {
    Json* value;
    std::vector<size_t> key_offsets;  // bytes from the start of the document
  };

  static Json::object_t::Container& members_of(Json& object) {
    return static_cast<Json::object_t::Container&>(object.get_ref<Json::object_t&>());
  }

  size_t offset() const { return static_cast<size_t>(furthest_ - text_.data()); }

  [[noreturn]] void reject(const std::string& rule) const {
    const Position at = position_of(text_, offset());
    fail(ErrorCode::kInvalid, "[{}] JSON in {} {} at line {}, column {}; use another file.", operation_, where_, rule, at.line,
         at.column);
  }

  // Where the next value belongs: the last member of an object, the end of an array, or the document itself.
  Json& place(Json value) {
    if (++num_values_ > limits_.values) reject(fmt::format("has more than {} values", limits_.values));
    if (open_.empty()) return root_ = std::move(value);
    Json& parent = *open_.back().value;
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return parent.back();
    }
    return members_of(parent).back().second = std::move(value);
  }

  bool add(Json value) {
    place(std::move(value));
    return true;
  }

  bool open(Json value) {
    if (open_.size() >= limits_.depth) reject(fmt::format("is nested deeper than {} levels", limits_.depth));
    open_.push_back({&place(std::move(value)), {}});
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  void check_keys(const Open& object) const {
    const auto& members = members_of(*object.value);
    std::vector<size_t> order(members.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return members[a].first < members[b].first; });
    const auto twin =
        std::adjacent_find(order.begin(), order.end(), [&](size_t a, size_t b) { return members[a].first == members[b].first; });
    if (twin == order.end()) return;
    const Position first = position_of(text_, object.key_offsets[twin[0]]);
    const Position second = position_of(text_, object.key_offsets[twin[1]]);
    fail(ErrorCode::kInvalid, "[{}] JSON in {} has the key '{}' twice, at line {}, column {} and line {}, column {}; remove one.",
         operation_, where_, members[*twin].first, first.line, first.column, second.line, second.column);
  }

  std::string_view text_;
  std::string_view operation_;
  std::string_view where_;
  JsonLimits limits_;
  const char* furthest_;
  size_t num_values_ = 0;
  Json root_;
  std::vector<Open> open_;
};

}  // namespace

Json parse_json(std::string_view text, std::string_view operation, std::string_view where, JsonLimits limits) {
  DocumentBuilder builder(text, operation, where, limits);
  const char* end = text.data() + text.size();
  Json::sax_parse(CountingIterator(text.data(), builder.furthest()), CountingIterator(end, builder.furthest()), &builder);
  return builder.take();
}

}  // namespace fi
