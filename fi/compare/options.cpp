#include "fi/compare/options.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "fi/compare/explainer.h"
#include "fi/compare/minutes_budget.h"
#include "fi/compare/other_seeds.h"
#include "fi/compare/row_stores.h"
#include "fi/core/error.h"

namespace fi {
namespace {

template <typename T>
const char* type_words() {
  if constexpr (std::is_same_v<T, bool>) return "true or false";
  if constexpr (std::is_same_v<T, int64_t>) return "a whole number";
  if constexpr (std::is_same_v<T, double>) return "a number";
  return "text";
}

template <typename T>
bool has_type(const Json& value) {
  if constexpr (std::is_same_v<T, bool>) return value.is_boolean();
  if constexpr (std::is_same_v<T, int64_t>) return value.is_number_integer();
  if constexpr (std::is_same_v<T, double>) return value.is_number();
  return value.is_string();
}

void check_one_of(std::string_view option, const std::string& value, const std::vector<std::string>& allowed) {
  if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return;
  fail(ErrorCode::kUsage, "[options] --{} got '{}', expected one of {}; choose one of these.", option, value,
       fmt::join(allowed, ", "));
}

void check_range(std::string_view option, int64_t value, int64_t most) {
  check(value >= 0 && value <= most, ErrorCode::kUsage, "[options] --{} got {}, expected 0 to {}.", option, value, most);
}

bool is_device(const std::string& device) {
  if (device == "auto" || device == "cpu" || device == "cuda") return true;
  const std::string_view digits = device.starts_with("cuda:") ? std::string_view(device).substr(5) : std::string_view();
  return !digits.empty() && digits.size() <= 3 && digits.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Json to_json(const CompareOptions& options) {
  Json document = Json::object();
  visit_options(options, [&](const char* name, const char*, const auto& value) { document[name] = value; });
  return document;
}

CompareOptions options_from_json(const Json& document) {
  check(document.is_object(), ErrorCode::kUsage, "[options] got {}, expected an object of options.", document.type_name());
  CompareOptions options;
  std::vector<std::string> known;
  visit_options(options, [&](const char* name, const char*, auto& value) {
    using T = std::decay_t<decltype(value)>;
    known.emplace_back(name);
    const auto found = document.find(name);
    if (found == document.end() || found->is_null()) return;
    check(has_type<T>(*found), ErrorCode::kUsage, "[options] {} got {}, expected {}.", name, found->dump(), type_words<T>());
    value = found->template get<T>();
  });
  for (const auto& [key, value] : document.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string nearest = nearest_name(key, known);
    fail(ErrorCode::kUsage, "[options] unknown option '{}'{}; see --help.", key,
         nearest.empty() ? "" : ", did you mean '" + nearest + "'?");
  }
  return options;
}

CompareOptions without_reuse(CompareOptions options) {
  options.skip_activations = options.skip_naming = options.skip_visualization = options.skip_report = options.resume = false;
  return options;
}

std::string wanted_quantization(const CompareOptions& options) {
  const bool fits = !options.offload || options.quantization == "auto" || options.quantization == "stored";
  check(fits, ErrorCode::kUsage,
        "[options] --offload leaves weights in their files as they are, got --quantization {}; drop one.", options.quantization);
  return options.offload ? "stored" : options.quantization;
}

void validate(const CompareOptions& options) {
  wanted_quantization(options);
  check(!options.output_dir.empty(), ErrorCode::kUsage, "[options] --output-dir is empty; name a folder.");
  check_one_of("report-format", options.report_format, {"markdown", "html", "both"});
  check_one_of("quantization", options.quantization, {"auto", "fp32", "fp16", "bf16", "int8", "stored"});
  check(
      is_budget(options.budget), ErrorCode::kUsage,
      "[options] --budget got '{}', expected quick, standard, thorough or a number of minutes, such as 10; choose one of these.",
      options.budget);
  if (!options.outputs.empty()) {
    for (const auto& [name, value] : {std::pair{"prompts", options.prompts}, std::pair{"texts", options.texts},
                                      std::pair{"target-adapter", options.target_adapter}})
      check(value.empty(), ErrorCode::kUsage, "[options] --outputs runs no model and has its own prompts; leave out --{}.", name);
  }
  check(is_device(options.device), ErrorCode::kUsage, "[options] --device got '{}', expected auto, cpu, cuda or cuda:N.",
        options.device);
  check(options.feature_threshold >= 0.0 && options.feature_threshold <= 1.0, ErrorCode::kUsage,
        "[options] --feature-threshold got {}, expected a number from 0 to 1 (Cliff's delta).", options.feature_threshold);
  check(options.max_new_tokens >= 0 && options.max_new_tokens <= 4096, ErrorCode::kUsage,
        "[options] --max-new-tokens got {}, expected 0 to 4096.", options.max_new_tokens);
  layers_from_text(options.layers);
  check_explainer(options);
  check_range("num-latents", options.num_latents, 1 << 20);
  check_range("k", options.k, 4096);
  check(options.tokens >= -1 && options.tokens <= int64_t{1} << 40, ErrorCode::kUsage,
        "[options] --tokens got {}, expected -1 (as the budget says) to {}.", options.tokens, int64_t{1} << 40);
  check(options.texts.empty() || options.tokens != 0, ErrorCode::kUsage,
        "[options] --texts is for a crosscoder, and --tokens 0 trains none; leave out one of them.");
  check(!options.texts.empty() || options.text_column == CompareOptions().text_column, ErrorCode::kUsage,
        "[options] --text-column names a field of --texts, which is not given; name the file.");
  check(!options.text_column.empty(), ErrorCode::kUsage, "[options] --text-column is empty; name a field or column.");
  check_num_seeds("options", options.seeds);
  check(options.seed >= 0, ErrorCode::kUsage, "[options] --seed got {}, expected 0 or more.", options.seed);
}

}  // namespace fi
