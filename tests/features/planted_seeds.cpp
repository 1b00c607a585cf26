// planted_seeds FIRST LAST [CHANGES]: how well what was planted is found and classed, for every seed from FIRST to LAST, and what
// points at the features that were missed. CHANGES is a JSON object of TrainingConfig fields.
#include <fmt/format.h>

#include <cstdlib>

#include "fi/core/error.h"
#include "fi/core/json_fields.h"
#include "planted_study.h"

namespace fi {
namespace {

TrainingConfig changed(const TrainingConfig& config, const char* changes) {
  Json document = fields_to_json(config);
  document.update(parse_json(changes, "planted", "CHANGES"));
  TrainingConfig result;
  fields_from_json(document, result, {"CHANGES", ""});
  return result;
}

void print_scores(const PlantedStudy& study, std::initializer_list<const char*> kinds) {
  std::string missed;
  for (const char* kind : kinds) {
    const PlantedScore s = score_of(study, kind);
    fmt::print("  {} recall {}/{} (rare {}/{}; called shared by norms {}) precision {}/{}", kind, s.recovered, s.planted,
               s.rare_recovered, s.rare_planted, s.hidden, s.right, s.called);
    missed += describe_missed(study, kind);
  }
  fmt::print("\n{}", missed);
}

void print_seed(uint64_t seed, const char* changes) {
  const PlantedWorld world = mixed_world(seed);
  const PlantedStudy study = study_world(world, changed(planted_config(world, seed), changes), seed);
  fmt::print("seed {}:", seed);
  print_scores(study, {"added", "removed", "modified"});
  fmt::print("  called shared by decoder norms:");
  print_scores(with_norms_hidden(study, seed), {"added", "removed"});
  std::fflush(stdout);
}

}  // namespace
}  // namespace fi

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: planted_seeds FIRST LAST [CHANGES]\n");
    return 2;
  }
  try {
    const uint64_t last = std::strtoull(argv[2], nullptr, 10);
    for (uint64_t seed = std::strtoull(argv[1], nullptr, 10); seed <= last; ++seed)
      fi::print_seed(seed, argc > 3 ? argv[3] : "{}");
    return 0;
  } catch (const fi::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.code());
  }
}
