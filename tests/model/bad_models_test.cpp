// Models whose files do not fit together: rows 10 and 13-16 of the fault matrix.

#include <gtest/gtest.h>

#include <cmath>

#include "fi/core/json.h"
#include "fi/io/atomic_file.h"
#include "fi/io/safetensors.h"
#include "fi/model/load_model.h"
#include "tests/support/failure.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

class Warnings final : public ProgressSink {
 public:
  void begin(std::string_view, int64_t, std::string_view) override {}
  void advance(int64_t, std::string_view) override {}
  void end() override {}
  void note(std::string_view) override {}
  void warn(std::string_view text) override { texts.emplace_back(text); }

  std::vector<std::string> texts;
};

// The tiny model "llama_untied" with a change to its config or tensors.
class BadModel : public testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path source = std::filesystem::path(FI_TEST_DATA) / "model/llama_untied";
    config_ = parse_json(read_file(source / "config.json", "test"), "test", "config");
    file_ = SafetensorsFile::open(source / "model.safetensors");
    for (const StoredTensor& tensor : file_.tensors())
      tensors_.push_back({tensor.name, tensor.dtype, tensor.shape, tensor.bytes});
  }

  TensorToWrite& tensor(std::string_view name) {
    return *std::find_if(tensors_.begin(), tensors_.end(), [&](const TensorToWrite& tensor) { return tensor.name == name; });
  }
  void remove(const std::string& name) {
    std::erase_if(tensors_, [&](const TensorToWrite& tensor) { return tensor.name == name; });
  }

  Decoder load(ProgressSink& progress) {
    folder_.write("config.json", config_.dump());
    write_safetensors(folder_.path() / "model.safetensors", tensors_, {});
    return load_model(resolve_model(folder_.path().string(), {}), {.device = "cpu", .quantization = "fp32"}, progress);
  }

  void expect_refused(ErrorCode code, std::initializer_list<std::string> parts) {
    expect_failure([&] { load(silent_progress()); }, code, parts);
  }

  TemporaryFolder folder_;
  Json config_;
  SafetensorsFile file_;
  std::vector<TensorToWrite> tensors_;
};

// Row 10.
TEST_F(BadModel, NanAndInfinityAreCountedAndTold) {
  Warnings warnings;
  load(warnings);
  EXPECT_TRUE(warnings.texts.empty());
  TensorToWrite& norm = tensor("model.norm.weight");
  std::vector<float> values(norm.bytes.size() / sizeof(float), 1.0f);
  values[0] = NAN;
  values[1] = INFINITY;
  values[2] = -INFINITY;
  norm.bytes = std::as_bytes(std::span(values));
  load(warnings);
  ASSERT_EQ(warnings.texts.size(), 1u);
  EXPECT_NE(warnings.texts[0].find("3 weights that are NaN or infinite"), std::string::npos) << warnings.texts[0];
}

// Row 13.
TEST_F(BadModel, TensorsThatNothingReadsAreNamed) {
  const std::vector<float> values(4);
  tensors_.push_back({"model.layers.0.mlp.router.weight", DType::kF32, {2, 2}, std::as_bytes(std::span(values))});
  expect_refused(ErrorCode::kInvalid, {folder_.path().string(), "1 tensors", "'model.layers.0.mlp.router.weight'"});
}

TEST_F(BadModel, MissingTensorsAreNamed) {
  remove("model.layers.1.mlp.up_proj.weight");
  expect_refused(ErrorCode::kInvalid, {"'model.layers.1.mlp.up_proj.weight' is missing"});
}

TEST_F(BadModel, ATensorInTwoShardsIsNamed) {
  folder_.write("config.json", config_.dump());
  for (const char* shard : {"1.safetensors", "2.safetensors"}) write_safetensors(folder_.path() / shard, tensors_, {});
  folder_.write("model.safetensors.index.json", R"({"weight_map":{"a":"1.safetensors","b":"2.safetensors"}})");
  expect_failure([&] { load_model(resolve_model(folder_.path().string(), {}), {}, silent_progress()); }, ErrorCode::kInvalid,
                 {"occurs in two weight files"});
}

// Row 14.
TEST_F(BadModel, AnAbsentHeadNeedsTheFlagThatTiesIt) {
  remove("lm_head.weight");
  expect_refused(ErrorCode::kInvalid, {"lm_head.weight is missing", "tie_word_embeddings"});
  config_["tie_word_embeddings"] = true;
  const Decoder tied = load(silent_progress());
  EXPECT_TRUE(at::equal(tied.parts().unembedding->to_float(), tied.parts().embedding->to_float()));
}

// Row 15.
TEST_F(BadModel, ShapesThatTheConfigContradictsNameBoth) {
  config_["intermediate_size"] = 41;
  expect_refused(ErrorCode::kIncompatible, {"mlp.gate_proj.weight", "[40, 36]", "[41, 36]"});
  config_["intermediate_size"] = 40;
  config_["vocab_size"] = 129;
  expect_refused(ErrorCode::kIncompatible, {"'model.embed_tokens.weight'", "[128, 36]", "[129, 36]"});
}

// Row 16.
TEST_F(BadModel, WhatWeCannotRunIsListed) {
  const Json good = config_;
  config_["model_type"] = "mamba";
  expect_refused(ErrorCode::kUnsupported, {"config.json", "'mamba'", "llama", "qwen2"});
  config_ = good;
  config_.erase("rope_parameters");
  config_["rope_scaling"] = {{"rope_type", "oracle"}, {"factor", 2.0}};
  expect_refused(ErrorCode::kUnsupported, {"config.json", "'oracle'"});
}

TEST_F(BadModel, DamagedConfigsAreNamed) {
  const Json good = config_;
  for (const auto& [key, value] : std::vector<std::pair<std::string, Json>>{{"hidden_size", "36"},
                                                                            {"hidden_size", -36},
                                                                            {"hidden_size", 1e300},
                                                                            {"num_attention_heads", 0},
                                                                            {"num_hidden_layers", uint64_t{1} << 62},
                                                                            {"model_type", 5},
                                                                            {"layer_types", Json::array({"full_attention"})},
                                                                            {"rope_parameters", "none"},
                                                                            {"rope_theta", Json::array()}}) {
    config_ = good;
    config_[key] = value;
    const Failure failure = failure_of([&] { load(silent_progress()); });
    if (key == "rope_parameters" && !failure.code) continue;  // then the defaults hold
    EXPECT_TRUE(failure.code == ErrorCode::kInvalid || failure.code == ErrorCode::kIncompatible)
        << key << ": " << failure.message;
    EXPECT_NE(failure.message.find("config.json"), std::string::npos) << failure.message;
  }
}

}  // namespace
}  // namespace fi
