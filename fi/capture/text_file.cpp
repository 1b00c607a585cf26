#include "fi/capture/text_file.h"

#include <cstring>

#include "fi/core/error.h"
#include "fi/io/safetensors.h"

namespace fi {
namespace {

template <typename T>
TensorToWrite whole_numbers(const char* name, const std::vector<T>& values) {
  return {.name = name,
          .dtype = sizeof(T) == 8 ? DType::kI64 : DType::kI32,
          .shape = {static_cast<int64_t>(values.size())},
          .bytes = std::as_bytes(std::span(values))};
}

template <typename T>
std::vector<T> numbers_of(const SafetensorsFile& file, const char* name, const std::string& where) {
  const StoredTensor* tensor = file.find(name);
  check(tensor != nullptr && tensor->shape.size() == 1 && tensor->dtype == (sizeof(T) == 8 ? DType::kI64 : DType::kI32),
        ErrorCode::kInvalid, "[texts] {}: '{}' is no list of whole numbers; capture the rows again.", where, name);
  std::vector<T> values(tensor->bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
  return values;
}

}  // namespace

void write_texts(const std::filesystem::path& folder, const std::vector<TracedText>& texts) {
  TokenIds ids;
  std::vector<int64_t> starts = {0}, answer_starts;
  for (const TracedText& text : texts) {
    ids.insert(ids.end(), text.ids.begin(), text.ids.end());
    starts.push_back(static_cast<int64_t>(ids.size()));
    answer_starts.push_back(text.answer_start);
  }
  const std::vector<int32_t> plain(ids.begin(), ids.end());
  write_safetensors(folder / kTextsFile,
                    {whole_numbers("ids", plain), whole_numbers("starts", starts), whole_numbers("answer_starts", answer_starts)},
                    {});
}

std::vector<TracedText> read_texts(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kTextsFile;
  check(std::filesystem::is_regular_file(path), ErrorCode::kNotFound,
        "[texts] {} is not there: these rows were stored without their texts; capture them again.", path.string());
  const std::string where = path.string();
  const SafetensorsFile file = SafetensorsFile::open(path);
  const auto ids = numbers_of<int32_t>(file, "ids", where);
  const auto starts = numbers_of<int64_t>(file, "starts", where), answers = numbers_of<int64_t>(file, "answer_starts", where);
  check(starts.size() == answers.size() + 1 && starts.front() == 0 && starts.back() == static_cast<int64_t>(ids.size()),
        ErrorCode::kInvalid, "[texts] {}: 'starts' does not fit the texts; capture the rows again.", where);
  std::vector<TracedText> texts;
  for (size_t i = 0; i < answers.size(); ++i) {
    const int64_t size = starts[i + 1] - starts[i];
    check(size >= 0 && starts[i + 1] <= starts.back() && answers[i] >= 0 && answers[i] <= size, ErrorCode::kInvalid,
          "[texts] {}: text {} begins or is answered outside its tokens; capture the rows again.", where, i);
    texts.push_back({.ids = TokenIds(ids.begin() + starts[i], ids.begin() + starts[i + 1]), .answer_start = answers[i]});
  }
  return texts;
}

}  // namespace fi
