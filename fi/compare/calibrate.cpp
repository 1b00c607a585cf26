#include "fi/compare/calibrate.h"

#include <fmt/format.h>

#include <algorithm>

#include "fi/compare/calibration_file.h"
#include "fi/compare/compare.h"
#include "fi/compare/label_shuffles.h"
#include "fi/compare/models.h"
#include "fi/compare/rounded_copy.h"
#include "fi/compare/run_files.h"
#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/io/jsonl.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCalibrationFile = "calibration.json";

Json read_json(const fs::path& path) {
  check(fs::is_regular_file(path), ErrorCode::kNotFound, "[calibrate] {} is missing; give the folder of a finished run.",
        path.string());
  return parse_json(read_file(path, "calibrate"), "calibrate", path.string());
}

Json row_of(const std::string& kind, const FalseClaims& result, int64_t num_verified) {
  const Interval interval = result.interval();
  return {{"kind", kind},
          {"trials", result.num_trials},
          {"with_claim", result.num_with_claim},
          {"claims", result.num_claims},
          {"verified", num_verified},
          {"rate", static_cast<double>(result.num_with_claim) / static_cast<double>(std::max<int64_t>(1, result.num_trials))},
          {"ci_low", interval.low},
          {"ci_high", interval.high}};
}

/// Carries a calibration out, one row of the document after the other.
class Calibration {
 public:
  Calibration(const CalibrateRequest& request, ProgressSink& progress)
      : request_(request), folder_(request.options.output_dir), progress_(progress) {}

  Json run() {
    const CompareOptions& options = request_.options;
    rows_.push_back(compare_with("identical pair", folder_ / "identical", options.base_model));
    const ModelFiles files = resolve_base(options, progress_);
    if (files.format == WeightFormat::kSafetensors) {
      compare_with_rounded(files);
    } else {
      left_out_ = "no pair of other precision: the weights of a GGUF file are rounded already";
    }
    for (const std::string& path : request_.runs) shuffle("shuffled labels of " + fs::path(path).filename().string(), path);
    const Json base = read_json(RunFolders::in(folder_ / "identical").activations / kManifestFile).at("base");
    return {{"model", base.at("name")}, {"sha256", base.at("sha256")},
            {"budget", options.budget}, {"feature_threshold", options.feature_threshold},
            {"seed", options.seed},     {"tests", rows_},
            {"left_out", left_out_}};
  }

 private:
  void compare_with_rounded(const ModelFiles& files) {
    const fs::path copy = folder_ / "rounded_model";
    write_rounded_copy(files, copy);
    rows_.push_back(compare_with("pair of other precision (int8)", folder_ / "rounded", copy.string()));
    fs::remove_all(copy);
    shuffle("shuffled labels of the pair of other precision", folder_ / "rounded");
  }

  Json compare_with(const std::string& kind, const fs::path& output, const std::string& target) {
    CompareOptions options = request_.options;
    options.target_model = target;
    options.revision_target = options.revision_base;
    options.output_dir = output.string();
    options.skip_visualization = options.skip_report = true;
    run_compare(options, progress_);
    const Json claims = read_json(RunFolders::in(output).features / kFeaturesFile).at("claims");
    const auto count = static_cast<int64_t>(claims.size());
    const auto verified =
        std::count_if(claims.begin(), claims.end(), [](const Json& claim) { return claim.at("verdict") == "verified"; });
    return row_of(kind, {.num_trials = 1, .num_with_claim = count > 0 ? 1 : 0, .num_claims = count}, verified);
  }

  void shuffle(const std::string& kind, const fs::path& run) {
    const fs::path activations = RunFolders::in(run).activations;
    const CompareOptions made_with = options_from_json(read_json(activations / kManifestFile).at("options"));
    std::vector<AnswerPair> pairs;
    for (const Json& row : read_jsonl(activations / kAnswersFile, "calibrate"))
      pairs.push_back(answer_pair_from_json(row, kAnswersFile));
    const AnalysisOptions options{.threshold = request_.options.feature_threshold, .seed = request_.options.seed};
    rows_.push_back(row_of(kind, shuffle_labels(pairs, detectors_for(made_with), options, request_.num_shuffles, progress_), 0));
  }

  const CalibrateRequest& request_;
  fs::path folder_;
  ProgressSink& progress_;
  Json rows_ = Json::array();
  std::string left_out_;
};

}  // namespace

Json calibrate(const CalibrateRequest& request, ProgressSink& progress) {
  validate(request.options);
  check(!request.options.base_model.empty(), ErrorCode::kUsage, "[calibrate] no model was named; name one.");
  check(request.num_shuffles >= 1 && request.num_shuffles <= 100'000, ErrorCode::kUsage,
        "[calibrate] --shuffles got {}, expected 1 to 100000.", request.num_shuffles);
  const Json document = Calibration(request, progress).run();
  write_file_atomically(fs::path(request.options.output_dir) / kCalibrationFile, to_pretty_json(document));
  write_file_atomically(calibration_path(document.at("sha256")), to_pretty_json(document));
  return document;
}

}  // namespace fi
