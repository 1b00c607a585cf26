#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/model/build_decoder.h"
#include "fi/model/canonical_tensors.h"
#include "fi/model/gguf_names.h"
#include "fi/model/read_config.h"
#include "fi/model/read_rope.h"
#include "fi/model/rope.h"

namespace fi {
namespace {

Json golden(const std::string& name) {
  const std::string path = std::string(FI_TEST_DATA "/model/") + name;
  return parse_json(read_file(path, "test"), "test", path);
}

ModelSource source_of(const Json& published) {
  std::vector<StoredTensor> tensors;
  for (const auto& [name, shape] : published["tensors"].items())
    tensors.push_back({.name = name, .shape = shape.get<std::vector<int64_t>>()});
  return source_from_checkpoint(published["config"], std::move(tensors), "published.json");
}

std::string message_of(const Json& published) {
  try {
    build_decoder(source_of(published), {.device = at::kMeta}, silent_progress());
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Every tensor of a published checkpoint is asked for under its name and in its shape, and none is left; no weight is there.
TEST(Families, AskForExactlyTheTensorsOfPublishedCheckpoints) {
  const Json checkpoints = golden("published.json");
  ASSERT_EQ(checkpoints.size(), families().size());
  std::set<std::string> seen;
  for (const auto& [name, published] : checkpoints.items()) {
    const Decoder model = build_decoder(source_of(published), {.device = at::kMeta}, silent_progress());
    EXPECT_EQ(model.config().num_layers, 2) << name;
    seen.insert(model.config().family);
    Json lacking = published, strange = published;
    lacking["tensors"].erase(published["tensors"].items().begin().key());
    EXPECT_THAT(message_of(lacking), testing::HasSubstr("is missing")) << name;
    strange["tensors"]["model.layers.0.self_attn.rotor.weight"] = {4, 4};
    EXPECT_THAT(message_of(strange), testing::HasSubstr("rotor")) << name;
    strange = published;
    for (auto& [tensor, shape] : strange["tensors"].items()) {
      if (tensor.find("att") != std::string::npos) shape = Json::array();  // a scalar where a matrix belongs
    }
    EXPECT_THAT(message_of(strange), testing::HasSubstr("has no dimension")) << name;
    lacking = published;
    lacking["config"]["vocab_size"] = 7;
    EXPECT_THAT(message_of(lacking), testing::HasSubstr("the config asks for")) << name;
  }
  EXPECT_EQ(seen.size(), families().size());
}

TEST(Families, GgufNamesMeanTheSameTensors) {
  const Json checkpoints = golden("published.json");
  for (const auto& [checkpoint, published] : checkpoints.items()) {
    const Family& own = family_of_model_type(published["config"]["model_type"], "test");
    const Family& gguf = family_of_gguf(published["gguf_architecture"], "test");
    for (const auto& [name, gguf_name] : published["gguf_names"].items()) {
      EXPECT_EQ(renamed(canonical_name(gguf_name, gguf.has_norms_around), gguf.gguf_names), renamed(name, own.names))
          << checkpoint << " " << gguf_name;
    }
  }
}

TEST(Rope, FrequenciesOfEveryScalingEqualThePeers) {
  const Json ropes = golden("ropes.json");
  for (const auto& [name, rope] : ropes.items()) {
    ModelConfig config{.head_dim = 64};
    read_rope(rope, config, "test");
    const std::vector<double> wanted = rope["frequencies"];
    const at::Tensor got = rotary_frequencies(config.rope, config.rotary_dim);
    for (size_t i = 0; i < wanted.size(); ++i)
      EXPECT_NEAR(got[static_cast<int64_t>(i)].item<double>(), wanted[i], 2e-6 * wanted[i]) << name << " " << i;
    const double magnitude = make_rotary_table(config.rope, 64, 1).cos[0][0].item<double>();
    EXPECT_NEAR(magnitude, rope["attention_factor"].get<double>(), 1e-6) << name;
  }
}

TEST(Rope, UnknownScalingsNameTheKnownOnes) {
  ModelConfig config{.head_dim = 8};
  try {
    read_rope({{"rope_scaling", {{"type", "spiral"}}}}, config, "config.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_THAT(error.what(),
                testing::AllOf(testing::HasSubstr("spiral"), testing::HasSubstr("yarn"), testing::HasSubstr("llama3")));
  }
}

TEST(Rope, ScalingsThatDependOnTheLengthEndWhereTheyWouldChange) {
  Json document = golden("published.json")["Llama-3.2-1B"]["config"];
  document["max_position_embeddings"] = 4096;
  document["rope_parameters"] = {
      {"rope_type", "dynamic"}, {"rope_theta", 1e4}, {"factor", 4.0}, {"original_max_position_embeddings", 2048}};
  EXPECT_EQ(config_from_json(document, llama_family(), "test").max_positions, 2048);
}

TEST(ReadConfig, DamagedConfigsAreErrors) {
  const Json good = golden("published.json")["gpt2"]["config"];
  for (const auto& [key, value] : {std::pair<std::string, Json>("n_head", 0),
                                   {"n_embd", -4},
                                   {"n_layer", "many"},
                                   {"vocab_size", 1e300},
                                   {"activation_function", "spiral"}}) {
    Json bad = good;
    bad[key] = value;
    EXPECT_THROW(config_from_json(bad, gpt2_family(), "test"), Error) << key;
  }
}

}  // namespace
}  // namespace fi
