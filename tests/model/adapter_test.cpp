#include <gtest/gtest.h>

#include "fi/core/json.h"
#include "fi/io/atomic_file.h"
#include "fi/io/safetensors.h"
#include "fi/model/adapter_config.h"
#include "fi/model/canonical_tensors.h"
#include "fi/model/decoder_layer.h"
#include "fi/model/load_model.h"
#include "tests/support/failure.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

const std::filesystem::path kData = FI_TEST_DATA;

Decoder load_base(const std::string& name) {
  return load_model(resolve_model((kData / "model" / name).string(), {}), {.device = "cpu", .quantization = "fp32"},
                    silent_progress());
}

at::Tensor tensor_of(const SafetensorsFile& file, const std::string& name) {
  const StoredTensor* stored = file.find(name);
  invariant(stored != nullptr, "golden {} is missing", name);
  at::Tensor tensor = at::empty(stored->shape, at::kFloat);
  to_float(*stored, 0, stored->num_values(), tensor.data_ptr<float>());
  return tensor;
}

class Adapter : public testing::TestWithParam<std::string> {};

// Goldens: tools/make_adapter_goldens.py, from PEFT.
TEST_P(Adapter, MatchesPeft) {
  const std::filesystem::path folder = kData / "adapter" / GetParam();
  const SafetensorsFile goldens = SafetensorsFile::open(folder / "goldens.safetensors");
  const Decoder base = load_base(goldens.metadata().at("base"));
  const Decoder adapted = apply_adapter(base, folder);
  const auto sequences = parse_json(goldens.metadata().at("sequences"), "test", "goldens").get<std::vector<TokenIds>>();
  for (size_t i = 0; i < sequences.size(); ++i) {
    const PackedBatch batch = pack({&sequences[i], 1});
    const at::Tensor golden = tensor_of(goldens, "logits." + std::to_string(i));
    const at::Tensor logits = adapted.forward(batch).logits;
    EXPECT_LT((logits - golden).abs().max().item<double>(), 1e-3);
    EXPECT_GT((base.forward(batch).logits - golden).abs().max().item<double>(), 1e-2);  // the adapter does something
  }
  const bool is_saved_whole = GetParam() == "phi3_saved" || GetParam() == "gpt2_saved" || GetParam() == "gpt_neox_saved";
  EXPECT_EQ(adapted.parts().layers[0]->attention.value.weight == base.parts().layers[0]->attention.value.weight, !is_saved_whole);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Adapter,
                         testing::Values("plain", "patterns", "one_layer", "saved", "biases", "lora_biases", "embeddings",
                                         "phi3_fused", "phi3_saved", "gpt2_fused", "gpt2_saved", "gpt_neox_fused",
                                         "gpt_neox_saved", "gemma3_norms", "qwen3_norms"),
                         [](const auto& info) { return info.param; });

// The adapter "plain" with a change to its settings or tensors.
class DamagedAdapter : public testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path source = kData / "adapter/plain";
    config_ = parse_json(read_file(source / "adapter_config.json", "test"), "test", "config");
    file_ = SafetensorsFile::open(source / "adapter_model.safetensors");
    for (const StoredTensor& tensor : file_.tensors())
      tensors_.push_back({tensor.name, tensor.dtype, tensor.shape, tensor.bytes});
  }

  TensorToWrite& tensor(std::string_view part) {
    return *std::find_if(tensors_.begin(), tensors_.end(),
                         [&](const TensorToWrite& tensor) { return tensor.name.find(part) != std::string::npos; });
  }

  void expect_refused(ErrorCode code, std::initializer_list<std::string> parts) {
    folder_.write("adapter_config.json", config_.dump());
    write_safetensors(folder_.path() / "adapter_model.safetensors", tensors_, {});
    static const Decoder base = load_base("llama_untied");
    expect_failure([&] { apply_adapter(base, folder_.path()); }, code, parts);
  }

  TemporaryFolder folder_;
  Json config_;
  SafetensorsFile file_;
  std::vector<TensorToWrite> tensors_;
};

TEST_F(DamagedAdapter, MissingFactorsAreNamed) {
  std::erase_if(tensors_, [](const TensorToWrite& tensor) { return tensor.name.ends_with("0.self_attn.v_proj.lora_B.weight"); });
  expect_refused(ErrorCode::kInvalid,
                 {"adapter_model.safetensors", "'model.layers.0.self_attn.v_proj.lora_B.weight' is missing"});
}

TEST_F(DamagedAdapter, ModulesWithoutBothFactorsAreNamed) {
  std::erase_if(tensors_,
                [](const TensorToWrite& tensor) { return tensor.name.find("1.self_attn.q_proj") != std::string::npos; });
  expect_refused(ErrorCode::kInvalid, {"'model.layers.1.self_attn.q_proj.lora_A.weight' is missing"});
}

TEST_F(DamagedAdapter, TensorsThatFitNothingAreListed) {
  tensor("0.self_attn.v_proj.lora_A").name = "base_model.model.model.layers.0.self_attn.w_proj.lora_A.weight";
  tensor("0.self_attn.v_proj.lora_B").name = "base_model.model.model.layers.0.self_attn.w_proj.lora_B.weight";
  config_["target_modules"] = Json::array({"q_proj"});
  expect_refused(ErrorCode::kInvalid,
                 {"adapter_model.safetensors", "4 tensors fit nothing", "model.layers.0.self_attn.w_proj.lora_A.weight",
                  "model.layers.1.self_attn.v_proj.lora_A.weight"});
}

TEST_F(DamagedAdapter, FactorsOutsideTheTargetsAreNotAppliedSilently) {
  config_["target_modules"] = R"(model\.layers\.\d+\.self_attn\.q_proj)";
  expect_refused(ErrorCode::kInvalid, {"4 tensors fit nothing", "v_proj"});
  config_["target_modules"] = Json::array({"q_proj", "v_proj"});
  config_["layers_to_transform"] = Json::array({0});
  expect_refused(ErrorCode::kInvalid, {"4 tensors fit nothing", "layers.1.self_attn.q_proj"});
  config_["layers_to_transform"] = nullptr;
  config_["exclude_modules"] = Json::array({"v_proj"});
  expect_refused(ErrorCode::kInvalid, {"4 tensors fit nothing", "v_proj"});
}

TEST_F(DamagedAdapter, AnotherRankThanTheConfigSays) {
  config_["r"] = 8;
  expect_refused(ErrorCode::kIncompatible, {"q_proj.lora_A.weight", "[4, 36]", "[8, 36]"});
  config_["r"] = 4;
  config_["rank_pattern"] = {{"layers\\.1\\..*", 2}};
  expect_refused(ErrorCode::kIncompatible, {"layers.1.self_attn.q_proj.lora_A.weight", "[4, 36]", "[2, 36]"});
}

TEST_F(DamagedAdapter, AnAdapterOfAnotherBase) {
  folder_.write("adapter_config.json", config_.dump());
  write_safetensors(folder_.path() / "adapter_model.safetensors", tensors_, {});
  const Decoder other = load_base("llama_tied");  // 32 wide, not 36
  expect_failure([&] { apply_adapter(other, folder_.path()); }, ErrorCode::kIncompatible,
                 {"layers.0.self_attn.q_proj.lora_A.weight", "[4, 36]", "[4, 32]", "another base"});
}

// Factors of a fused matrix: those of B's rows that the base does not have.
TEST_F(DamagedAdapter, FusedFactorsOfAnotherBase) {
  const std::filesystem::path folder = kData / "adapter/phi3_fused";
  expect_failure([&] { apply_adapter(load_base("phi3_long"), folder); }, ErrorCode::kIncompatible,
                 {"adapter_model.safetensors", "layers.0"});
  expect_failure([&] { apply_adapter(load_base("llama_untied"), folder); }, ErrorCode::kIncompatible,
                 {"adapter_model.safetensors", "qkv_proj.lora_B.weight"});
}

TEST(OriginalModule, IsWhatTheFamilysCheckpointsCallIt) {
  const auto original = [](const char* model_type, const char* name) {
    return original_module(name, family_of_model_type(model_type, "test"));
  };
  EXPECT_EQ(original("llama", "model.layers.0.self_attn.q_proj"), "model.layers.0.self_attn.q_proj");
  EXPECT_EQ(original("gpt2", "model.layers.10.self_attn.v_proj"), "transformer.h.10.attn.c_attn");
  EXPECT_EQ(original("gpt2", "model.layers.0.self_attn.o_proj"), "transformer.h.0.attn.c_proj");
  EXPECT_EQ(original("gpt2", "model.layers.0.mlp.down_proj"), "transformer.h.0.mlp.c_proj");
  EXPECT_EQ(original("gpt2", "model.embed_tokens"), "transformer.wte");
  EXPECT_EQ(original("gpt2", "lm_head"), "lm_head");
  EXPECT_EQ(original("gpt_neox", "model.layers.3.self_attn.k_proj"), "gpt_neox.layers.3.attention.query_key_value");
  EXPECT_EQ(original("gpt_neox", "model.layers.3.mlp.up_proj"), "gpt_neox.layers.3.mlp.dense_h_to_4h");
  EXPECT_EQ(original("gpt_neox", "lm_head"), "embed_out");
  EXPECT_EQ(original("phi3", "model.layers.0.mlp.up_proj"), "model.layers.0.mlp.gate_up_proj");
  EXPECT_EQ(original("phi3", "model.layers.0.mlp.gate_proj"), "model.layers.0.mlp.gate_up_proj");
}

TEST_F(DamagedAdapter, SenselessSettings) {
  const Json good = config_;
  const auto refuse = [&](const char* key, const Json& value, ErrorCode code, const std::string& part) {
    config_ = good;
    config_[key] = value;
    expect_refused(code, {"adapter_config.json", part});
  };
  refuse("lora_alpha", 0, ErrorCode::kInvalid, "an alpha is 0");
  refuse("alpha_pattern", {{"q_proj", 0}}, ErrorCode::kInvalid, "an alpha is 0");
  refuse("lora_alpha", "8", ErrorCode::kInvalid, "type must be number");
  refuse("r", 0, ErrorCode::kInvalid, "a rank is 0");
  refuse("r", -1, ErrorCode::kInvalid, "a rank is -1");
  refuse("r", 1e12, ErrorCode::kInvalid, "a rank is 1000000000000");
  refuse("rank_pattern", {{"q_proj", 0}}, ErrorCode::kInvalid, "a rank is 0");
  refuse("rank_pattern", Json::array({1}), ErrorCode::kInvalid, "rank_pattern is no object");
  refuse("rank_pattern", {{"(", 2}}, ErrorCode::kUnsupported, "rank_pattern has the expression");
  refuse("target_modules", "(?!q)", ErrorCode::kUnsupported, "target_modules has the expression '(?!q)'");
  refuse("target_modules", Json::array({1}), ErrorCode::kInvalid, "type must be string");
  refuse("layers_to_transform", "all", ErrorCode::kInvalid, "type must be");
}

TEST_F(DamagedAdapter, OtherKindsThanLora) {
  const Json good = config_;
  for (const auto& [key, value] : std::map<std::string, Json>{{"peft_type", "IA3"},
                                                              {"use_dora", true},
                                                              {"lora_bias", true},
                                                              {"layer_replication", Json::array({Json::array({0, 2})})},
                                                              {"target_parameters", Json::array({"mlp.w"})},
                                                              {"trainable_token_indices", Json::array({1})},
                                                              {"alora_invocation_tokens", Json::array({1})}}) {
    config_ = good;
    config_[key] = value;
    expect_refused(ErrorCode::kUnsupported, {"adapter_config.json", key});
  }
  config_ = good;
  config_.erase("peft_type");
  expect_refused(ErrorCode::kUnsupported, {"peft_type"});
}

TEST_F(DamagedAdapter, FilesThatAreNoAdapter) {
  static const Decoder base = load_base("llama_untied");
  const auto apply = [&] { apply_adapter(base, folder_.path()); };
  expect_failure(apply, ErrorCode::kNotFound, {"adapter_config.json"});
  folder_.write("adapter_config.json", "{");
  expect_failure(apply, ErrorCode::kInvalid, {"adapter_config.json", "line 1, column 2"});
  folder_.write("adapter_config.json", "[]");
  expect_failure(apply, ErrorCode::kInvalid, {"adapter_config.json", "no JSON object"});
  folder_.write("adapter_config.json", R"({"peft_type":"LORA"})");
  expect_failure(apply, ErrorCode::kInvalid, {"adapter_config.json", "'r' not found"});
  folder_.write("adapter_config.json", config_.dump());
  expect_failure(apply, ErrorCode::kNotFound, {"adapter_model.safetensors"});
  folder_.write("adapter_model.safetensors", "version https://git-lfs.github.com/spec/v1\nsize 77\n");
  expect_failure(apply, ErrorCode::kInvalid, {"adapter_model.safetensors", "git-lfs pointer", "77"});
}

TEST(AdapterConfig, ScalesAndRanksFollowTheFirstPatternThatMatches) {
  const TemporaryFolder folder;
  const auto path = folder.write("adapter_config.json", R"({"peft_type":"LORA","r":4,"lora_alpha":8,"use_rslora":true,
    "target_modules":["q_proj"],"rank_pattern":{"layers\\.0\\.self_attn\\.q_proj":16,"q_proj":2},"alpha_pattern":{"proj":1}})");
  const AdapterConfig config = read_adapter_config(path);
  EXPECT_EQ(config.rank_of("model.layers.0.self_attn.q_proj"), 16);
  EXPECT_EQ(config.rank_of("model.layers.1.self_attn.q_proj"), 2);
  EXPECT_EQ(config.rank_of("model.layers.1.self_attn.xq_proj"), 4);    // a pattern begins at a dot
  EXPECT_EQ(config.scale_of("model.layers.0.self_attn.q_proj"), 2.0);  // 8 / sqrt(16); "proj" is not the last part
  EXPECT_TRUE(config.is_target("model.layers.7.self_attn.q_proj"));
  EXPECT_FALSE(config.is_target("model.layers.7.self_attn.xq_proj"));
}

}  // namespace
}  // namespace fi
