#include "fi/dictionary/import_dictionary.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "fi/core/error.h"
#include "fi/core/progress.h"
#include "fi/dictionary/import_formats.h"
#include "fi/dictionary/quality.h"
#include "fi/io/atomic_file.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kBlockRows = 1024;

// Files of tensors by the names that the projects give them, the finished ones first.
constexpr const char* kWeightFiles[] = {"model.safetensors", "sae_weights.safetensors", "sae_weights.pt",
                                        "sae.safetensors",   "cc_weights.pt",           "ae.pt",
                                        "model_final.pt"};
constexpr const char* kConfigFiles[] = {"config.json", "cfg.json"};

bool holds_tensors(const fs::path& path) {
  return fs::is_regular_file(path) && (path.extension() == ".safetensors" || path.extension() == ".pt") &&
         path.filename() != "sparsity.safetensors";
}

fs::path only_weights_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (holds_tensors(entry.path())) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  check(!files.empty(), ErrorCode::kNotFound,
        "[dictionary] {} holds no *.safetensors and no *.pt; name the folder or the file of a dictionary.", folder.string());
  std::vector<std::string> names;
  for (const fs::path& file : files) names.push_back(file.filename().string());
  check(files.size() == 1, ErrorCode::kUsage, "[dictionary] {} holds {}; name one of them.", folder.string(),
        fmt::join(names, ", "));
  return files.front();
}

fs::path weights_at(const fs::path& where) {
  if (fs::is_regular_file(where)) return where;
  check(fs::is_directory(where), ErrorCode::kNotFound, "[dictionary] {} is no file and no folder; name a dictionary.",
        where.string());
  for (const char* name : kWeightFiles) {
    if (fs::is_regular_file(where / name)) return where / name;
  }
  return only_weights_in(where);
}

// N.pt goes with N_cfg.json, where there is one.
Json config_beside(const fs::path& weights) {
  std::vector<fs::path> candidates = {weights.parent_path() / (weights.stem().string() + "_cfg.json")};
  for (const char* name : kConfigFiles) candidates.push_back(weights.parent_path() / name);
  for (const fs::path& path : candidates) {
    if (!fs::is_regular_file(path)) continue;
    Json config = parse_json(read_file(path, "dictionary"), "dictionary", path.string());
    check(config.is_object(), ErrorCode::kInvalid, "[dictionary] {} is no JSON object.", path.string());
    return config;
  }
  return Json::object();
}

const DictionaryFormat& format_of(const NamedTensors& tensors) {
  for (const DictionaryFormat& format : dictionary_formats()) {
    if (format.fits(tensors)) return format;
  }
  std::vector<std::string> names;
  for (const DictionaryFormat& format : dictionary_formats()) names.emplace_back(format.name);
  fail(ErrorCode::kUnsupported, "[dictionary] {} holds {}, which is none of: {}; convert it to one of these.",
       tensors.path().string(), tensors.describe(), fmt::join(names, ", "));
}

// [num_models] mean norm of each model's rows.
at::Tensor mean_norms(const RowSource& rows) {
  at::Tensor sum = at::zeros({rows.num_models()}, at::kDouble);
  for (int64_t first = 0; first < rows.num_rows(); first += kBlockRows) {
    check_interrupt();
    const at::Tensor block = read_rows(rows, first, std::min(kBlockRows, rows.num_rows() - first));
    sum += block.norm(2, {2}).sum(at::IntArrayRef{0}, false, at::kDouble);
  }
  return sum / static_cast<double>(rows.num_rows());
}

void set_scales(Crosscoder& c, const at::Tensor& scales) { c.scaling.scale = scales.to(at::kFloat); }

}  // namespace

const std::vector<DictionaryFormat>& dictionary_formats() {
  static const std::vector<DictionaryFormat> formats = {
      {"dictionary_learning crosscoder",
       [](const NamedTensors& t) { return t.dims("encoder.weight") == 3 && t.has("decoder.weight"); },
       [](const DictionarySource& s) { return ForeignDictionary{.crosscoder = read_canonical(s.tensors, s.config)}; }},
      {"ckkissane crosscoder", [](const NamedTensors& t) { return t.dims("W_enc") == 3; }, read_ckkissane},
      {"OpenMOSS crosscoder", [](const NamedTensors& t) { return t.dims("W_E") == 3; }, read_openmoss},
      {"SAELens SAE", [](const NamedTensors& t) { return t.dims("W_enc") == 2; }, read_saelens},
      {"sparsify SAE", [](const NamedTensors& t) { return t.dims("encoder.weight") == 2 && t.has("W_dec"); }, read_sparsify},
      {"dictionary_learning SAE", [](const NamedTensors& t) { return t.dims("encoder.weight") == 2 && t.has("decoder.weight"); },
       read_dictionary_learning}};
  return formats;
}

ImportedDictionary import_dictionary(const fs::path& where) {
  const fs::path weights = weights_at(where);
  const NamedTensors tensors = NamedTensors::open(weights);
  const Json config = config_beside(weights);
  const DictionaryFormat& format = format_of(tensors);
  ForeignDictionary read = format.read({tensors, config});
  check_crosscoder(read.crosscoder, weights.string());
  ImportedDictionary result{.crosscoder = std::move(read.crosscoder),
                            .origin = load_origin(weights.parent_path()),
                            .lacks_scaling = read.lacks_scaling};
  if (result.origin.hook_point.empty()) result.origin.hook_point = read.hook_point;
  if (result.origin.format.empty()) result.origin.format = format.name;
  return result;
}

void complete_scaling(ImportedDictionary& dictionary, std::span<const double> given, const RowSource* rows) {
  Crosscoder& c = dictionary.crosscoder;
  check(given.empty() || dictionary.lacks_scaling, ErrorCode::kUsage,
        "[dictionary] scales were given, but this {} holds its own; leave --scales out.", dictionary.origin.format);
  if (!dictionary.lacks_scaling) return;
  check(!given.empty() || rows != nullptr, ErrorCode::kUsage,
        "[dictionary] this {} was trained on rows scaled by a factor that its file does not hold; give one a model with "
        "--scales, or "
        "stored rows with --activations to estimate them.",
        dictionary.origin.format);
  if (!given.empty()) {
    check(static_cast<int64_t>(given.size()) == c.num_models(), ErrorCode::kUsage,
          "[dictionary] --scales has {} numbers, the dictionary {} models; give one a model.", given.size(), c.num_models());
    set_scales(c, at::tensor(at::ArrayRef<double>(given.data(), given.size()), at::kDouble));
    dictionary.origin.scaling = fmt::format("given: {}", fmt::join(given, ", "));
  } else {
    check_rows_fit(c, *rows);
    const at::Tensor norms = mean_norms(*rows);
    check(norms.gt(0).all().item<bool>(), ErrorCode::kIncompatible,
          "[dictionary] the stored rows of a model are all zero; scales cannot be estimated from them.");
    set_scales(c, std::sqrt(static_cast<double>(c.d_model())) / norms);
    dictionary.origin.scaling = fmt::format("sqrt(d_model) / mean norm, estimated on {} stored rows", rows->num_rows());
  }
  dictionary.lacks_scaling = false;
}

Json dictionary_document(const ImportedDictionary& dictionary) {
  const Crosscoder& c = dictionary.crosscoder;
  std::vector<double> scales;
  for (int64_t m = 0; m < c.num_models(); ++m) scales.push_back(c.scaling.scale[m].item<double>());
  return {{"format", dictionary.origin.format},
          {"num_models", c.num_models()},
          {"d_model", c.d_model()},
          {"num_latents", c.num_latents()},
          {"sparsity", sparsity_name(c.sparsity)},
          {"hook_point", dictionary.origin.hook_point},
          {"scales", scales},
          {"scaling", dictionary.origin.scaling}};
}

std::vector<double> scales_from_text(const std::string& text) {
  std::vector<double> scales;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    std::istringstream number(word);
    double value = 0.0;
    const bool is_number = static_cast<bool>(number >> value) && (number >> std::ws).eof();
    check(is_number && std::isfinite(value) && value > 0.0, ErrorCode::kUsage,
          "[dictionary] --scales got '{}', expected numbers above 0 such as 0.21,0.24.", text);
    scales.push_back(value);
  }
  return scales;
}

}  // namespace fi
