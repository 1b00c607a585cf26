#include "fi/diff/weight_distance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tiny_models.h"

namespace fi {
namespace {

ModelSource source_of(const std::string& name) {
  return open_model(resolve_model((std::filesystem::path(FI_TEST_DATA) / "model" / name).string(), {}));
}

// The same tensors in memory of their own, so that they can be changed.
struct Changed {
  ModelSource source;
  std::vector<std::vector<std::byte>> bytes;

  explicit Changed(const std::string& name) : source(source_of(name)) {
    bytes.reserve(source.tensors.size());
    for (TensorView& view : source.tensors) {
      bytes.emplace_back(view.stored.bytes.begin(), view.stored.bytes.end());
      view.stored.bytes = bytes.back();
    }
  }

  float* values_of(const std::string& name) {
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (source.tensors[i].name == name) return reinterpret_cast<float*>(bytes[i].data());
    }
    return nullptr;
  }
};

TEST(WeightDistance, OfAModelToItselfIsZeroForEveryTensor) {
  for (const char* name : {"llama_tied", "gpt2", "phi3", "gemma"}) {  // whole, transposed, fused, with an offset
    const ModelSource source = source_of(name);
    const WeightDistances distances = weight_distances(source, source_of(name), silent_progress());
    EXPECT_EQ(distances.tensors.size(), source.tensors.size()) << name;
    EXPECT_TRUE(distances.unmatched.empty());
    for (const WeightDistance& distance : distances.tensors) {
      EXPECT_TRUE(distance.is_equal()) << distance.name;
      EXPECT_EQ(distance.cosine, 1.0);
    }
  }
}

TEST(WeightDistance, EqualsTheNormsOfWholeTensors) {
  Changed target("llama_tied");
  const std::string name = "model.layers.1.mlp.up_proj.weight";
  float* values = target.values_of(name);
  ASSERT_NE(values, nullptr);
  const ModelSource base = source_of("llama_tied");
  Random random(4);
  for (const TensorView& view : base.tensors) {
    if (view.name != name) continue;
    for (int64_t i = 0; i < view.stored.num_values(); ++i) values[i] += 0.1f * static_cast<float>(random.normal());
  }
  at::Tensor before, after;
  for (size_t i = 0; i < base.tensors.size(); ++i) {
    if (base.tensors[i].name != name) continue;
    before = base.tensors[i].to_float().to(at::kDouble);
    after = target.source.tensors[i].to_float().to(at::kDouble);
  }
  for (const WeightDistance& distance : weight_distances(base, target.source, silent_progress()).tensors) {
    if (distance.name != name) {
      EXPECT_TRUE(distance.is_equal()) << distance.name;
      continue;
    }
    EXPECT_NEAR(distance.relative_change, ((after - before).norm() / before.norm()).item<double>(), 1e-6);
    EXPECT_NEAR(distance.cosine, ((after * before).sum() / (after.norm() * before.norm())).item<double>(), 1e-6);
    EXPECT_EQ(distance.layer, 1);
    EXPECT_EQ(distance.part, "mlp.up_proj");
    EXPECT_TRUE(distance.is_matrix);
  }
}

TEST(WeightDistance, AGgufFileAndItsCheckpointHoldTheSameWeights) {
  const ModelSource checkpoint = source_of("gemma");
  const ModelFiles file{.format = WeightFormat::kGguf,
                        .weights = {std::filesystem::path(FI_TEST_DATA) / "model/gguf/gemma.gguf"}};
  const WeightDistances distances = weight_distances(checkpoint, open_model(file), silent_progress());
  EXPECT_TRUE(distances.unmatched.empty());
  for (const WeightDistance& distance : distances.tensors) EXPECT_LT(distance.relative_change, 1e-6) << distance.name;
}

TEST(WeightDistance, NamesThatOneAloneHasAreListed) {
  ModelSource less = source_of("llama_tied");
  const std::string gone = less.tensors.back().name;
  less.tensors.pop_back();
  EXPECT_THAT(weight_distances(source_of("llama_tied"), less, silent_progress()).unmatched, testing::ElementsAre(gone));
  EXPECT_THAT(weight_distances(less, source_of("llama_tied"), silent_progress()).unmatched, testing::ElementsAre(gone));
}

}  // namespace
}  // namespace fi
