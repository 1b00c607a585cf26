#include "fi/prompts/corpus_file.h"

#include <algorithm>

#include "fi/core/error.h"
#include "fi/io/mapped_file.h"
#include "fi/io/parquet.h"
#include "fi/prompts/prompt_list.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

using Take = std::function<void(CorpusText)>;

constexpr const char* kDefaultColumn = "text";
constexpr const char* kChatColumn = "messages";
constexpr size_t kMaxTextBytes = size_t{32} << 10;
constexpr JsonLimits kRowLimits{.depth = 32, .values = 1'000'000};

std::vector<std::string> wanted_columns(const std::string& column) {
  if (column == kDefaultColumn) return {column, kChatColumn};
  return {column};
}

std::string_view bytes_of(const MappedFile& file) { return {reinterpret_cast<const char*>(file.bytes().data()), file.size()}; }

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

// A text's first kMaxTextBytes, without half a character at its end.
std::string_view beginning_of(std::string_view text) {
  if (text.size() <= kMaxTextBytes) return text;
  size_t end = kMaxTextBytes;
  while (end > 0 && is_continuation(text[end])) --end;
  return text.substr(0, end);
}

/// Reads one row of JSON lines or Parquet.
class RowReader {
 public:
  RowReader(const std::string& column, std::string place) : column_(column), place_(std::move(place)) {}

  CorpusText read(const Json& row) const {
    check(row.is_object(), ErrorCode::kInvalid, "[texts] {} is {}, expected an object with '{}'; correct it.", place_,
          row.type_name(), column_);
    const Json& value = field_of(row);
    if (value.is_null()) return {};
    if (value.is_string()) return {.text = std::string(beginning_of(value.get_ref<const std::string&>())), .place = place_};
    check(value.is_array(), ErrorCode::kInvalid,
          "[texts] {}: the field is {}, expected a text or a list of messages; name another with --text-column.", place_,
          value.type_name());
    return {.messages = messages_of(value), .place = place_};
  }

 private:
  const Json& field_of(const Json& row) const {
    for (const std::string& name : wanted_columns(column_)) {
      if (const auto found = row.find(name); found != row.end()) return *found;
    }
    std::vector<std::string> names;
    for (const auto& [name, value] : row.items()) names.push_back(name);
    fail(ErrorCode::kInvalid, "[texts] {} has no '{}', only {}; name the field with --text-column.", place_, column_,
         names.empty() ? "nothing" : fmt::format("{}", fmt::join(names, ", ")));
  }

  std::vector<ChatMessage> messages_of(const Json& list) const {
    std::vector<ChatMessage> messages;
    for (const Json& message : list) {
      const auto part = [&](const char* name) {
        const bool is_text = message.is_object() && message.contains(name) && message[name].is_string();
        check(is_text, ErrorCode::kInvalid, "[texts] {}: message {} has no text '{}'; a message has a role and a content.",
              place_, messages.size() + 1, name);
        return message[name].get<std::string>();
      };
      messages.push_back({part("role"), part("content")});
    }
    return messages;
  }

  const std::string& column_;
  std::string place_;
};

bool is_empty(const CorpusText& text) { return is_blank(text.text) && text.messages.empty(); }

void take_row(std::string_view line, const std::string& column, const std::string& place, const Take& take) {
  CorpusText text = RowReader(column, place).read(parse_json(line, "texts", place, kRowLimits));
  if (!is_empty(text)) take(std::move(text));
}

/// Calls `body(line, number)` for every line, without its end; numbers begin at 1.
template <typename Body>
void for_each_line(std::string_view text, const Body& body) {
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    body(text.substr(begin, end - begin), ++number);
    begin = end + 1;
  }
}

// Where the first byte is that UTF-8 does not allow there (RFC 3629: no overlong forms, no surrogates); npos if there is none.
size_t first_bad_byte(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t k) { return k < text.size() ? static_cast<unsigned char>(text[k]) : 0U; };
    const unsigned lead = byte(i), next = byte(i + 1);
    const size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    const bool bad_pair = (lead == 0xE0 && next < 0xA0) || (lead == 0xED && next > 0x9F) || (lead == 0xF0 && next < 0x90) ||
                          (lead == 0xF4 && next > 0x8F);
    if (length == 0 || bad_pair) return i;
    for (size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xC0U) != 0x80U) return i;
    }
    i += length;
  }
  return std::string_view::npos;
}

bool has_empty_line_within(std::string_view text) {
  bool seen_text = false, gap = false, found = false;
  for_each_line(text, [&](std::string_view line, size_t) {
    const bool blank = is_blank(line);
    if (!blank && gap) found = true;
    gap = blank && seen_text;
    seen_text = seen_text || !blank;
  });
  return found;
}

/// Gathers the lines of a paragraph and gives it on.
class Paragraphs {
 public:
  Paragraphs(const fs::path& path, const Take& take) : path_(path), take_(take) {}

  void add(std::string_view line, size_t number) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    check(first_bad_byte(line) == std::string_view::npos, ErrorCode::kInvalid,
          "[texts] line {} of {} is not UTF-8; convert the file.", number, path_.string());
    if (text_.empty()) first_ = number;
    if (text_.size() <= kMaxTextBytes) text_ += (text_.empty() ? "" : "\n") + std::string(line);
  }

  void finish() {
    if (!is_blank(text_))
      take_({.text = std::string(beginning_of(text_)), .place = fmt::format("line {} of {}", first_, path_.string())});
    text_.clear();
  }

 private:
  const fs::path& path_;
  const Take& take_;
  std::string text_;
  size_t first_ = 0;  // line that it begins with
};

}  // namespace

void read_json_texts(const fs::path& path, const std::string& column, const Take& take) {
  const auto file = MappedFile::open(path, "texts");
  for_each_line(bytes_of(*file), [&](std::string_view line, size_t number) {
    if (!is_blank(line)) take_row(line, column, fmt::format("line {} of {}", number, path.string()), take);
  });
}

void read_parquet_texts(const fs::path& path, const std::string& column, const Take& take) {
  ParquetRows rows(path, wanted_columns(column), "texts");
  size_t before = 0;
  for (std::string lines = rows.next_lines(); !lines.empty(); lines = rows.next_lines()) {
    size_t read = 0;
    for_each_line(lines, [&](std::string_view line, size_t number) {
      take_row(line, column, fmt::format("row {} of {}", before + number, path.string()), take);
      read = number;
    });
    before += read;
  }
}

void read_plain_texts(const fs::path& path, const Take& take) {
  const auto file = MappedFile::open(path, "texts");
  const std::string_view text = bytes_of(*file);
  const bool by_lines = !has_empty_line_within(text);
  Paragraphs paragraphs(path, take);
  for_each_line(text, [&](std::string_view line, size_t number) {
    if (is_blank(line)) return paragraphs.finish();
    paragraphs.add(line, number);
    if (by_lines) paragraphs.finish();
  });
  paragraphs.finish();
}

}  // namespace fi
