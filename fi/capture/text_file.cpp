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

/// One model's texts end to end, as the file holds them.
struct EndToEnd {
  std::vector<int32_t> ids;
  std::vector<int64_t> starts = {0}, answer_starts;

  void add(const TokenIds& text, int64_t answer_start) {
    ids.insert(ids.end(), text.begin(), text.end());
    starts.push_back(static_cast<int64_t>(ids.size()));
    answer_starts.push_back(answer_start);
  }

  size_t num_texts() const { return answer_starts.size(); }
  TokenIds text(size_t i) const { return {ids.begin() + starts[i], ids.begin() + starts[i + 1]}; }
};

EndToEnd read_end_to_end(const SafetensorsFile& file, const std::string& prefix, const std::string& where) {
  const auto name = [&](const char* part) { return prefix + part; };
  EndToEnd texts{.ids = numbers_of<int32_t>(file, name("ids").c_str(), where),
                 .starts = numbers_of<int64_t>(file, name("starts").c_str(), where),
                 .answer_starts = numbers_of<int64_t>(file, name("answer_starts").c_str(), where)};
  const auto& starts = texts.starts;
  check(starts.size() == texts.num_texts() + 1 && starts.front() == 0 && starts.back() == static_cast<int64_t>(texts.ids.size()),
        ErrorCode::kInvalid, "[texts] {}: '{}' does not fit the texts; capture the rows again.", where, name("starts"));
  for (size_t i = 0; i < texts.num_texts(); ++i) {
    const int64_t size = starts[i + 1] - starts[i], answer = texts.answer_starts[i];
    check(size >= 0 && starts[i + 1] <= starts.back() && answer >= 0 && answer <= size, ErrorCode::kInvalid,
          "[texts] {}: text {} begins or is answered outside its tokens; capture the rows again.", where, i);
  }
  return texts;
}

void add_own_readings(const SafetensorsFile& file, const std::string& where, const EndToEnd& base,
                      std::vector<TracedText>& texts) {
  const EndToEnd own = read_end_to_end(file, "target_", where);
  const auto partners = numbers_of<int32_t>(file, "partners", where);
  check(own.num_texts() == texts.size() && partners.size() == base.ids.size(), ErrorCode::kInvalid,
        "[texts] {}: the target's texts are not those of the base; capture the rows again.", where);
  for (size_t i = 0; i < texts.size(); ++i) {
    OwnReading target{.ids = own.text(i), .answer_start = own.answer_starts[i]};
    target.partners.assign(partners.begin() + base.starts[i], partners.begin() + base.starts[i + 1]);
    for (const int32_t partner : target.partners) {
      check(partner >= -1 && partner < static_cast<int32_t>(target.ids.size()), ErrorCode::kInvalid,
            "[texts] {}: text {} has a partner at {}, and {} tokens; capture the rows again.", where, i, partner,
            target.ids.size());
    }
    texts[i].target = std::move(target);
  }
}

}  // namespace

void write_texts(const std::filesystem::path& folder, const std::vector<TracedText>& texts) {
  EndToEnd base, target;
  std::vector<int32_t> partners;
  for (const TracedText& text : texts) {
    base.add(text.ids, text.answer_start);
    if (!text.target) continue;
    target.add(text.target->ids, text.target->answer_start);
    partners.insert(partners.end(), text.target->partners.begin(), text.target->partners.end());
  }
  invariant(target.num_texts() == 0 || target.num_texts() == texts.size(), "the target reads all texts in its own ids, or none");
  std::vector<TensorToWrite> parts = {whole_numbers("ids", base.ids), whole_numbers("starts", base.starts),
                                      whole_numbers("answer_starts", base.answer_starts)};
  if (target.num_texts() > 0) {
    parts.push_back(whole_numbers("target_ids", target.ids));
    parts.push_back(whole_numbers("target_starts", target.starts));
    parts.push_back(whole_numbers("target_answer_starts", target.answer_starts));
    parts.push_back(whole_numbers("partners", partners));
  }
  write_safetensors(folder / kTextsFile, parts, {});
}

std::vector<TracedText> read_texts(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kTextsFile;
  check(std::filesystem::is_regular_file(path), ErrorCode::kNotFound,
        "[texts] {} is not there: these rows were stored without their texts; capture them again.", path.string());
  const std::string where = path.string();
  const SafetensorsFile file = SafetensorsFile::open(path);
  const EndToEnd base = read_end_to_end(file, "", where);
  std::vector<TracedText> texts;
  for (size_t i = 0; i < base.num_texts(); ++i) texts.push_back({.ids = base.text(i), .answer_start = base.answer_starts[i]});
  if (file.find("target_ids") != nullptr) add_own_readings(file, where, base, texts);
  return texts;
}

}  // namespace fi
