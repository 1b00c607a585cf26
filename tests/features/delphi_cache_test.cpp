#include "fi/features/delphi_cache.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>
#include <tuple>

#include "fi/activations/activation_writer.h"
#include "fi/core/error.h"
#include "fi/core/json.h"
#include "fi/io/atomic_file.h"
#include "fi/io/safetensors.h"
#include "tests/dictionary/sample_crosscoder.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

template <typename T>
std::vector<T> cache_values(const SafetensorsFile& file, const char* name) {
  const StoredTensor* tensor = file.find(name);
  std::vector<T> values(tensor->bytes.size() / sizeof(T));
  std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
  return values;
}

class DelphiCacheFile : public testing::Test {
 protected:
  // 5 texts of 15 ids each; the first row of each is left out.
  void SetUp() override {
    std::vector<RowPlace> places;
    for (int32_t text = 0; text < 5; ++text) {
      texts_.emplace_back();
      for (int32_t position = 0; position < 15; ++position) {
        texts_.back().push_back(100 * text + position);
        if (position > 0) places.push_back({text, position, 100 * text + position});
      }
    }
    ActivationWriter writer({.folder = folder_.path() / "rows", .base = "org/base", .d_model = 6, .outlier_factor = 1e9});
    writer.append(sample_rows(70), places);
    writer.finish({"a", "a", "a", "a", "a"}, {});
  }

  const TemporaryFolder folder_;
  std::vector<std::vector<int32_t>> texts_;
};

TEST_F(DelphiCacheFile, HoldsEveryActivationAtItsToken) {
  const Crosscoder c = sample_crosscoder(false);
  const ActivationStore store = ActivationStore::open(folder_.path() / "rows");
  const auto out = folder_.path() / "layers.3";
  folder_.write("layers.3/90_99.safetensors", "of another dictionary");
  const DelphiCache cache = write_delphi_cache(c, store, texts_, out, silent_progress(), 3);
  EXPECT_EQ(cache.window, 64);  // 75 tokens, in multiples of 32
  EXPECT_EQ(cache.num_windows, 1);
  std::map<std::tuple<int64_t, int64_t>, float> expected;  // (token, latent) -> scaled code
  const at::Tensor codes = scaled_codes(c, encode(c, read_rows(store, 0, store.num_rows())));
  for (int64_t row = 0; row < store.num_rows(); ++row) {
    const RowPlace place = store.place(row);
    for (int64_t latent = 0; latent < 10; ++latent) {
      const float code = codes[row][latent].item<float>();
      if (code > 0 && place.text * 15 + place.position < 64) expected[{place.text * 15 + place.position, latent}] = code;
    }
  }
  size_t found = 0;
  for (const auto& [first, last] : {std::pair{0, 2}, {3, 5}, {6, 9}}) {
    const auto file = SafetensorsFile::open(out / fmt::format("{}_{}.safetensors", first, last));
    const auto locations = cache_values<int32_t>(file, "locations");
    const auto activations = cache_values<at::Half>(file, "activations");
    ASSERT_EQ(locations.size(), 3 * activations.size());
    for (size_t i = 0; i < activations.size(); ++i, ++found) {
      EXPECT_EQ(locations[3 * i], 0);
      const int64_t latent = locations[3 * i + 2] + first;
      EXPECT_LE(latent, last);
      const float code = expected.at({locations[3 * i + 1], latent});
      EXPECT_NEAR(static_cast<float>(activations[i]), code, 0x1p-11 * code);  // half precision
    }
    const auto tokens = cache_values<int64_t>(file, "tokens");
    ASSERT_EQ(tokens.size(), 64U);
    for (size_t i = 0; i < 64; ++i) EXPECT_EQ(tokens[i], texts_[i / 15][i % 15]);
  }
  EXPECT_EQ(found, expected.size());
  EXPECT_EQ(cache.num_activations, static_cast<int64_t>(found));
  EXPECT_FALSE(std::filesystem::exists(out / "90_99.safetensors"));
  const Json config = parse_json(read_file(out / "config.json", "test"), "test", "config.json");
  EXPECT_EQ(config.at("model_name"), "org/base");
  EXPECT_EQ(config.at("cache_ctx_len"), 64);
}

TEST_F(DelphiCacheFile, RangesWithoutActivationsJoinTheirNeighbour) {
  Crosscoder c = sample_crosscoder(false);
  for (const int64_t silent : {0, 1, 4, 5, 9}) c.encoder_bias[silent] = -1e6;
  const ActivationStore store = ActivationStore::open(folder_.path() / "rows");
  write_delphi_cache(c, store, texts_, folder_.path() / "layers.3", silent_progress(), 5);
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path() / "layers.3"))
    names.insert(entry.path().filename());
  EXPECT_EQ(names, (std::set<std::string>{"0_5.safetensors", "6_7.safetensors", "8_9.safetensors", "config.json"}));
  const auto file = SafetensorsFile::open(folder_.path() / "layers.3/0_5.safetensors");
  const auto locations = cache_values<int32_t>(file, "locations");
  for (size_t i = 2; i < locations.size(); i += 3) EXPECT_TRUE(locations[i] == 2 || locations[i] == 3);
}

TEST_F(DelphiCacheFile, RowsOfOtherTextsAreRefused) {
  const Crosscoder c = sample_crosscoder(false);
  const ActivationStore store = ActivationStore::open(folder_.path() / "rows");
  const auto code = [&](const std::vector<std::vector<int32_t>>& texts) {
    try {
      write_delphi_cache(c, store, texts, folder_.path() / "x", silent_progress());
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  auto other = texts_;
  other[2][3] = 7;
  EXPECT_EQ(code(other), ErrorCode::kIncompatible);
  other = texts_;
  other[2].resize(3);
  EXPECT_EQ(code(other), ErrorCode::kIncompatible);
  other = texts_;
  other.pop_back();
  EXPECT_EQ(code(other), ErrorCode::kIncompatible);
  EXPECT_EQ(code({{1, 2}}), ErrorCode::kUsage);
}

}  // namespace
}  // namespace fi
