#include "fi/report/tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "fi/io/csv.h"
#include "fi/report/text.h"

namespace fi {
namespace {

std::string exact(double value) { return fmt::format("{}", value); }

std::string joined(const std::vector<std::string>& texts) {
  std::string text;
  for (const std::string& item : texts) text += (text.empty() ? "" : " | ") + clean_line(item);
  return text;
}

}  // namespace

std::string features_csv(const Report& report) {
  std::string csv = csv_row({"id", "layer", "kind", "engine", "name", "fires_on", "promotes", "name_score", "share_of_difference",
                             "base_use", "target_use", "promoted_tokens", "suppressed_tokens"});
  for (const FeatureRow& f : report.features) {
    csv += csv_row({clean_line(f.id), std::to_string(f.layer), f.kind, clean_line(f.engine), clean_line(f.name.value_or("")),
                    clean_line(f.fires_on.value_or("")), clean_line(f.promotes.value_or("")),
                    f.name_score ? exact(*f.name_score) : "", exact(f.share_of_difference), exact(f.base_use),
                    exact(f.target_use), joined(f.promoted_tokens), joined(f.suppressed_tokens)});
  }
  return csv;
}

std::string claims_csv(const Report& report) {
  std::string csv =
      csv_row({"id", "kind", "verdict", "sentence", "capability", "trigger", "behaviour", "layers", "metric", "base", "target",
               "ci_low", "ci_high", "p_value", "q_value", "effect_size", "num_prompts", "features"});
  for (const Claim& c : report.claims) {
    const EffectEstimate& e = c.effect;
    csv += csv_row({clean_line(c.id), c.kind, c.verdict, clean_line(c.sentence), clean_line(c.capability), clean_line(c.trigger),
                    clean_line(c.behaviour), fmt::format("{}", fmt::join(c.layers, " ")), clean_line(e.metric), exact(e.base),
                    exact(e.target), exact(e.ci_low), exact(e.ci_high), exact(e.p_value), exact(e.q_value), exact(e.effect_size),
                    std::to_string(e.num_prompts), joined(c.features)});
  }
  return csv;
}

}  // namespace fi
