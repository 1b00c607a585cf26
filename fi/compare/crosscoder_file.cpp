#include "fi/compare/crosscoder_file.h"

#include <cmath>
#include <map>
#include <optional>
#include <string>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

constexpr size_t kMaxLayerDigits = 4;
constexpr double kRounding = 1e-3;  // cosines of narrow floats overshoot 1 by so much

/// 18 of "model.layers.18.mlp.gate_proj.weight"; nothing for matrices outside the blocks, such as the embedding.
std::optional<int64_t> layer_of(std::string_view name) {
  constexpr std::string_view kMark = "layers.";
  const size_t mark = name.find(kMark);
  if (mark == std::string_view::npos || (mark > 0 && name[mark - 1] != '.')) return std::nullopt;
  const std::string_view rest = name.substr(mark + kMark.size());
  const size_t digits = rest.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos || digits > kMaxLayerDigits || rest[digits] != '.') return std::nullopt;
  return std::stoll(std::string(rest.substr(0, digits)));
}

[[noreturn]] void reject(std::string_view where, const std::string& entry, const std::string& got, const char* expected) {
  fail(ErrorCode::kInvalid, "[crosscoder] {}: '{}' is {}, expected {}; give a crosscoder analysis file.", where, entry, got,
       expected);
}

double number_at(const Json& object, const std::string& name, std::string_view where, const std::string& entry) {
  const Json& value = object.at(name);
  if (!value.is_number() || !std::isfinite(value.get<double>()))
    reject(where, entry + "." + name, value.dump(), "a finite number");
  return value.get<double>();
}

const Json& object_at(const Json& entry, const char* key, std::string_view where, const std::string& name) {
  if (!entry.is_object()) reject(where, name, entry.type_name(), "an object with similarities and differences");
  const auto found = entry.find(key);
  if (found == entry.end()) reject(where, name + "." + key, "missing", "an object of numbers");
  if (!found->is_object()) reject(where, name + "." + key, found->type_name(), "an object of numbers");
  return *found;
}

void add_entry(const std::string& name, const Json& entry, std::string_view where, std::map<int64_t, WeightRow>& rows) {
  const Json& similarities = object_at(entry, "similarities", where, name);
  const Json& differences = object_at(entry, "differences", where, name);
  for (const auto& [matrix, value] : similarities.items()) {
    const double cosine = number_at(similarities, matrix, where, name + ".similarities");
    if (std::abs(cosine) > 1.0 + kRounding)
      reject(where, name + ".similarities." + matrix, value.dump(), "a cosine from -1 to 1");
    if (!differences.contains(matrix)) reject(where, name + ".differences." + matrix, "missing", "a number");
    const double difference = number_at(differences, matrix, where, name + ".differences");
    const auto layer = layer_of(matrix);
    if (!layer) continue;
    WeightRow& row = rows[*layer];
    row.layer = *layer;
    row.similarity += cosine;
    row.difference += difference;
    ++row.num_matrices;
  }
}

}  // namespace

std::vector<WeightRow> weight_rows_from_json(const Json& document, std::string_view where) {
  if (!document.is_object()) reject(where, "document", document.type_name(), "an object");
  std::map<int64_t, WeightRow> sums;
  for (const auto& [name, entry] : document.items()) add_entry(name, entry, where, sums);
  check(!sums.empty(), ErrorCode::kInvalid,
        "[crosscoder] {} names no layer, expected names like model.layers.18.mlp.gate_proj.weight; give a crosscoder analysis "
        "file.",
        where);
  std::vector<WeightRow> rows;
  for (auto& [layer, row] : sums) {
    row.similarity /= static_cast<double>(row.num_matrices);
    row.difference /= static_cast<double>(row.num_matrices);
    rows.push_back(row);
  }
  return rows;
}

Json read_crosscoder_file(const std::filesystem::path& path) {
  Json document = parse_json(read_file(path, "crosscoder"), "crosscoder", path.string());
  weight_rows_from_json(document, path.string());
  return document;
}

}  // namespace fi
