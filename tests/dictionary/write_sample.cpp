// Writes the dictionaries that tools/make_crosscoder_goldens.py reads with the reference library.
#include <filesystem>

#include "fi/dictionary/canonical_file.h"
#include "sample_crosscoder.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::filesystem::path folder = argv[1];
  fi::save_crosscoder(fi::sample_crosscoder(true), {}, folder / "ours_one_scale");
  fi::save_crosscoder(fi::sample_crosscoder(false), {}, folder / "ours_two_scales");
  fi::Crosscoder relu = fi::sample_crosscoder(true);
  relu.sparsity = fi::Sparsity::kRelu;
  fi::save_crosscoder(relu, {}, folder / "ours_relu");
  return 0;
}
