#include "fi/compare/selftest.h"

#include <fmt/format.h>

#include <algorithm>

#include "fi/compare/calibration_file.h"
#include "fi/compare/compare.h"
#include "fi/compare/plan.h"
#include "fi/compare/run_files.h"
#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/io/jsonl.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSelftestFile = "selftest.json";
constexpr int64_t kNumPlants = 3;

bool meets(const std::vector<std::string>& planted, const std::vector<std::string>& claimed) {
  const auto shared = std::ranges::count_if(
      claimed, [&](const std::string& category) { return std::ranges::find(planted, category) != planted.end(); });
  return shared > 0 && 2 * static_cast<size_t>(shared) >= std::min(planted.size(), claimed.size());
}

Json plant_row(const Plant& plant, const PlantResult& result, const Json& claims) {
  return {{"id", plant.id},
          {"kind", plant.kind},
          {"what", plant.what},
          {"categories", plant.categories},
          {"layer", plant.layer ? Json(*plant.layer) : Json()},
          {"module", plant.module},
          {"found", result.found},
          {"kind_right", result.kind_right},
          {"layer_right", result.layer_right ? Json(*result.layer_right) : Json()},
          {"verified", result.verified},
          {"claims", result.num_claims},
          {"false_claims", result.num_false},
          {"first_claim", claims.empty() ? Json("") : claims.front().at("sentence")}};
}

/// Plants one change after the other; the later ones need the base's answers of the first comparison.
class Selftest {
 public:
  Selftest(const CompareOptions& options, ProgressSink& progress)
      : options_(options), progress_(progress), folder_(options.output_dir) {}

  Json run() {
    const PromptSet prompts = options_.prompts.empty() ? builtin_prompts() : load_prompts(options_.prompts);
    const LoadedModel model = load_base(options_, progress_);
    try_plant(plant_opening_word(model, prompts));
    const std::vector<AnswerPair> answers = base_answers();
    if (const auto lost = plant_lost_word(model, answers)) {
      try_plant(*lost);
    } else {
      left_out_ = "no lost word: no word of one token comes in most of the base's answers to any kind of prompt";
    }
    try_plant(plant_short_answers(model, answers));
    return document();
  }

 private:
  fs::path run_folder(const Plant& plant) const {
    std::string name = plant.id;
    std::ranges::replace(name, ' ', '_');
    return folder_ / name;
  }

  void try_plant(const Plant& plant) {
    const fs::path run = run_folder(plant), adapter = run / "adapter";
    write_plant(plant, adapter);
    CompareOptions options = options_;
    options.target_adapter = adapter.string();
    options.output_dir = run.string();
    options.tokens = std::max<int64_t>(0, options.tokens);
    options.skip_visualization = options.skip_report = true;
    if (rows_.empty()) say_how_long(options);
    run_compare(options, progress_);
    const Json claims = read(RunFolders::in(run).features / kFeaturesFile).at("claims");
    rows_.push_back(plant_row(plant, judge_claims(plant, claims), claims));
    first_run_ = first_run_.empty() ? run : first_run_;
  }

  void say_how_long(const CompareOptions& options) {
    const double seconds = plan_compare(options).at("estimate").at("seconds");
    progress_.note(fmt::format("{} comparisons of about {:.1f} minutes each", kNumPlants, seconds / 60.0));
  }

  std::vector<AnswerPair> base_answers() const {
    std::vector<AnswerPair> answers;
    for (const Json& row : read_jsonl(RunFolders::in(first_run_).activations / kAnswersFile, "selftest")) {
      answers.push_back(answer_pair_from_json(row, kAnswersFile));
      if (answers.back().split != Split::kDiscovery) answers.pop_back();
    }
    return answers;
  }

  static Json read(const fs::path& path) { return parse_json(read_file(path, "selftest"), "selftest", path.string()); }

  int64_t total(const char* key) const {
    int64_t sum = 0;
    for (const Json& row : rows_)
      sum += row.at(key).is_boolean() ? (row.at(key).get<bool>() ? 1 : 0) : row.at(key).get<int64_t>();
    return sum;
  }

  Json document() const {
    const Json base = read(RunFolders::in(first_run_).activations / kManifestFile).at("base");
    const auto planted = static_cast<int64_t>(rows_.size());
    const int64_t claims = total("claims"), false_claims = total("false_claims");
    const auto share = [](int64_t part, int64_t whole) {
      return whole == 0 ? Json() : Json(static_cast<double>(part) / static_cast<double>(whole));
    };
    return {{"model", base.at("name")},
            {"sha256", base.at("sha256")},
            {"budget", options_.budget},
            {"seed", options_.seed},
            {"plants", rows_},
            {"planted", planted},
            {"found", total("found")},
            {"kind_right", total("kind_right")},
            {"verified", total("verified")},
            {"claims", claims},
            {"false_claims", false_claims},
            {"recall", share(total("found"), planted)},
            {"precision", share(claims - false_claims, claims)},
            {"left_out", left_out_}};
  }

  const CompareOptions& options_;
  ProgressSink& progress_;
  fs::path folder_, first_run_;
  Json rows_ = Json::array();
  std::string left_out_;
};

}  // namespace

PlantResult judge_claims(const Plant& plant, const Json& claims) {
  PlantResult result{.num_claims = static_cast<int64_t>(claims.size())};
  if (plant.layer) result.layer_right = false;
  for (const Json& claim : claims) {
    if (!meets(plant.categories, claim.at("categories"))) {
      ++result.num_false;
      continue;
    }
    const auto layers = claim.at("layers").get<std::vector<int64_t>>();
    result.found = true;
    result.kind_right = result.kind_right || claim.at("kind") == plant.kind;
    result.verified = result.verified || claim.at("verdict") == "verified";
    if (plant.layer && std::ranges::find(layers, *plant.layer) != layers.end()) result.layer_right = true;
  }
  return result;
}

Json selftest(const CompareOptions& options, ProgressSink& progress) {
  validate(options);
  check(!options.base_model.empty(), ErrorCode::kUsage, "[selftest] no model was named; name one.");
  const Json document = Selftest(options, progress).run();
  write_file_atomically(fs::path(options.output_dir) / kSelftestFile, to_pretty_json(document));
  if (document.at("sha256").is_string()) write_file_atomically(selftest_path(document.at("sha256")), to_pretty_json(document));
  return document;
}

fs::path selftest_path(const std::string& base_sha256) {
  return calibration_path(base_sha256).parent_path().parent_path() / "selftest" / (base_sha256.substr(0, 16) + ".json");
}

std::string selftest_sentence(const Json& document, std::string_view where) try {
  return fmt::format(
      "Of {} changes planted into this base on this machine, {} had a claim about their kinds of prompts, {} one of the right "
      "kind "
      "(budget {}); claims about other prompts: {}. Whether a claim names the change itself is not judged.",
      document.at("planted").get<int64_t>(), document.at("found").get<int64_t>(), document.at("kind_right").get<int64_t>(),
      document.at("budget").get<std::string>(), document.at("false_claims").get<int64_t>());
} catch (const Json::exception& error) {
  fail(ErrorCode::kInvalid, "[selftest] {} is damaged: {}; run selftest again.", where, error.what());
}

std::string measured_recall(const std::string& base_sha256) {
  const fs::path path = selftest_path(base_sha256);
  if (!fs::is_regular_file(path)) return "not measured with this base; `feature-interpreter selftest` does that";
  return selftest_sentence(parse_json(read_file(path, "selftest"), "selftest", path.string()), path.string());
}

}  // namespace fi
