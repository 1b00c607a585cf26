// Writes the dictionaries that tools/make_crosscoder_goldens.py and tools/make_import_goldens.py read with the reference
// libraries.
#include <filesystem>

#include "fi/dictionary/canonical_file.h"
#include "fi/dictionary/saelens_file.h"
#include "sample_crosscoder.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path folder = argv[1];
  fi::save_crosscoder(fi::sample_crosscoder(true), {}, folder / "ours_one_scale");
  fi::save_crosscoder(fi::sample_crosscoder(false), {}, folder / "ours_two_scales");
  fi::Crosscoder relu = fi::sample_crosscoder(true);
  relu.sparsity = fi::Sparsity::kRelu;
  fi::save_crosscoder(relu, {}, folder / "ours_relu");
  for (const char* kind : {"batch_topk", "relu", "jump_relu", "topk"})
    fi::save_saelens_slice(fi::sample_of_kind(kind), 1, {.model_name = "org/target", .hook_point = "resid_post.3"},
                           folder / "saelens" / kind);
  return 0;
}
