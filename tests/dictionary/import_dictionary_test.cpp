#include "fi/dictionary/import_dictionary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "fi/core/error.h"
#include "fi/dictionary/import_formats.h"
#include "fi/io/atomic_file.h"
#include "sample_crosscoder.h"
#include "write_parts.h"

namespace fi {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const fs::path kImports = fs::path(FI_TEST_DATA) / "import";

struct ImportCase {
  std::string name;   // of the expected file
  std::string where;  // below tests/data/import
  std::string format;
  Sparsity sparsity = Sparsity::kRelu;
  int64_t num_models = 1;
  bool lacks_scaling = false;
  std::string hook_point;
};

std::ostream& operator<<(std::ostream& out, const ImportCase& c) { return out << c.name; }

// The code of the project that made the file computed codes and reconstructions (tools/make_import_goldens.py).
class Imported : public testing::TestWithParam<ImportCase> {};

TEST_P(Imported, GivesTheCodesOfItsProject) {
  const ImportCase& expected = GetParam();
  ImportedDictionary dictionary = import_dictionary(kImports / expected.where);
  EXPECT_EQ(dictionary.origin.format, expected.format);
  EXPECT_EQ(dictionary.origin.hook_point, expected.hook_point);
  EXPECT_EQ(dictionary.lacks_scaling, expected.lacks_scaling);
  EXPECT_EQ(dictionary.crosscoder.sparsity, expected.sparsity);
  EXPECT_EQ(dictionary.crosscoder.num_models(), expected.num_models);
  if (expected.lacks_scaling) complete_scaling(dictionary, std::vector<double>{0.3, 0.5}, nullptr);
  const auto file = SafetensorsFile::open(kImports / "expected" / (expected.name + ".safetensors"));
  const Crosscoder& c = dictionary.crosscoder;
  const at::Tensor codes = encode(c, stored_tensor(file, "rows"));
  EXPECT_TRUE(at::allclose(scaled_codes(c, codes), stored_tensor(file, "scaled_codes"), 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(decode(c, codes), stored_tensor(file, "reconstructions"), 1e-5, 1e-5));
  const int64_t active = codes.gt(0).sum().item<int64_t>();
  EXPECT_TRUE(active > 5 && active < codes.numel()) << active;
}

// Whatever it was, the canonical layout keeps it.
TEST_P(Imported, ComesBackFromTheCanonicalLayout) {
  const fs::path folder = fs::temp_directory_path() / ("fi_imported_" + std::to_string(::getpid()));
  ImportedDictionary dictionary = import_dictionary(kImports / GetParam().where);
  if (dictionary.lacks_scaling) complete_scaling(dictionary, std::vector<double>{0.3, 0.5}, nullptr);
  save_crosscoder(dictionary.crosscoder, dictionary.origin, folder);
  const ImportedDictionary back = import_dictionary(folder);
  EXPECT_EQ(back.origin.format, GetParam().format);
  EXPECT_EQ(back.origin.scaling, dictionary.origin.scaling);
  EXPECT_FALSE(back.lacks_scaling);
  const auto file = SafetensorsFile::open(kImports / "expected" / (GetParam().name + ".safetensors"));
  const at::Tensor codes = encode(back.crosscoder, stored_tensor(file, "rows"));
  EXPECT_TRUE(at::allclose(scaled_codes(back.crosscoder, codes), stored_tensor(file, "scaled_codes"), 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(decode(back.crosscoder, codes), stored_tensor(file, "reconstructions"), 1e-5, 1e-5));
  fs::remove_all(folder);
}

const std::string kHub = "SAELens SAE", kLearned = "dictionary_learning SAE", kHook = "resid_post.3";
INSTANTIATE_TEST_SUITE_P(
    Formats, Imported,
    testing::Values(
        ImportCase{"ckkissane", "ckkissane/0.pt", "ckkissane crosscoder", Sparsity::kRelu, 2, true, "resid_post.2"},
        ImportCase{"ckkissane", "ckkissane", "ckkissane crosscoder", Sparsity::kRelu, 2, true, "resid_post.2"},
        ImportCase{"ckkissane_hub", "ckkissane_hub", "ckkissane crosscoder", Sparsity::kRelu, 2, true, "resid_post.2"},
        ImportCase{"openmoss", "openmoss", "OpenMOSS crosscoder", Sparsity::kRelu, 2, false, kHook},
        ImportCase{"openmoss_inference", "openmoss_inference", "OpenMOSS crosscoder", Sparsity::kRelu, 2, false, kHook},
        ImportCase{"saelens_standard", "saelens_standard", kHub, Sparsity::kRelu, 1, false, kHook},
        ImportCase{"saelens_jumprelu", "saelens_jumprelu", kHub, Sparsity::kJumpRelu, 1, false, kHook},
        ImportCase{"saelens_gated", "saelens_gated", kHub, Sparsity::kJumpRelu, 1, false, kHook},
        ImportCase{"saelens_topk", "saelens_topk", kHub, Sparsity::kTopK, 1, false, kHook},
        ImportCase{"saelens_topk_rescaled", "saelens_topk_rescaled", kHub, Sparsity::kTopK, 1, false, kHook},
        ImportCase{"sparsify", "sparsify/layers.3", "sparsify SAE", Sparsity::kTopK, 1, false, kHook},
        ImportCase{"ae_relu", "ae_relu", kLearned, Sparsity::kRelu, 1, false, ""},
        ImportCase{"ae_new", "ae_new", kLearned, Sparsity::kRelu, 1, false, ""},
        ImportCase{"ae_gated", "ae_gated", kLearned, Sparsity::kJumpRelu, 1, false, ""},
        ImportCase{"ae_jumprelu", "ae_jumprelu", kHub, Sparsity::kJumpRelu, 1, false, ""},
        ImportCase{"ae_topk", "ae_topk", kLearned, Sparsity::kTopK, 1, false, ""},
        ImportCase{"ae_batch_topk", "ae_batch_topk", kLearned, Sparsity::kBatchTopK, 1, false, ""}));

class Importing : public testing::Test {
 protected:
  using Tensors = std::map<std::string, at::Tensor>;

  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  // What importing `folder_` says when it holds these.
  std::string message(const Tensors& tensors, ErrorCode code, const std::string& config = "") {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    write_parts(folder_ / "w.safetensors", tensors);
    if (!config.empty()) write_file_atomically(folder_ / "cfg.json", config);
    return refusal([&] { import_dictionary(folder_); }, code);
  }

  template <typename Action>
  static std::string refusal(Action&& action, ErrorCode code) {
    try {
      action();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return error.what();
    }
    return "nothing was refused";
  }

  const fs::path folder_ = fs::temp_directory_path() / ("fi_import_" + std::to_string(::getpid()));
  const Tensors ckkissane_ = {
      {"W_enc", at::ones({2, 3, 4})}, {"W_dec", at::ones({4, 2, 3})}, {"b_enc", at::zeros({4})}, {"b_dec", at::zeros({2, 3})}};
  const Tensors openmoss_ = {
      {"W_E", at::ones({2, 3, 4})}, {"W_D", at::ones({2, 4, 3})}, {"b_E", at::zeros({2, 4})}, {"b_D", at::zeros({2, 3})}};
  const Tensors sae_ = {
      {"W_enc", at::ones({3, 4})}, {"W_dec", at::ones({4, 3})}, {"b_enc", at::zeros({4})}, {"b_dec", at::zeros({3})}};
  const Tensors sparsify_ = {{"encoder.weight", at::ones({4, 3})},
                             {"encoder.bias", at::zeros({4})},
                             {"W_dec", at::ones({4, 3})},
                             {"b_dec", at::zeros({3})}};
  const Tensors learned_ = {{"encoder.weight", at::ones({4, 3})},
                            {"encoder.bias", at::zeros({4})},
                            {"decoder.weight", at::ones({3, 4})},
                            {"bias", at::zeros({3})}};
  const fs::path file_ = folder_ / "w.safetensors";
};

std::map<std::string, at::Tensor> with(std::map<std::string, at::Tensor> tensors, const char* name, at::Tensor tensor) {
  tensors[name] = std::move(tensor);
  return tensors;
}

std::map<std::string, at::Tensor> without(std::map<std::string, at::Tensor> tensors, const char* name) {
  tensors.erase(name);
  return tensors;
}

TEST_F(Importing, AWrongShapeIsNamedWithFileTensorAndWhatWasExpected) {
  const auto wrong = [&](const Tensors& tensors, const char* config = "{}") {
    return message(tensors, ErrorCode::kInvalid, config);
  };
  EXPECT_THAT(wrong(with(ckkissane_, "W_dec", at::ones({2, 4, 3}))),
              HasSubstr(file_.string() + ": 'W_dec' has shape [2, 4, 3], expected [4, 2, 3] (num_latents, num_models, d_model)"));
  EXPECT_THAT(wrong(with(ckkissane_, "b_dec", at::zeros({3}))), HasSubstr("'b_dec' has shape [3], expected [2, 3]"));
  EXPECT_THAT(wrong(with(ckkissane_, "W_enc", at::ones({2, 0, 4}))), HasSubstr("'W_enc' has shape [2, 0, 4]"));
  EXPECT_THAT(wrong(with(openmoss_, "b_E", at::zeros({4}))), HasSubstr("'b_E' has shape [4], expected [2, 4] (n_heads, d_sae)"));
  EXPECT_THAT(wrong(with(openmoss_, "W_D", at::ones({2, 3, 4}))), HasSubstr("'W_D' has shape [2, 3, 4], expected [2, 4, 3]"));
  const char* standard = R"({"architecture": "standard"})";
  EXPECT_THAT(wrong(with(sae_, "W_dec", at::ones({3, 4})), standard), HasSubstr("'W_dec' has shape [3, 4], expected [4, 3]"));
  EXPECT_THAT(wrong(with(sae_, "threshold", at::ones({3})), R"({"architecture": "jumprelu"})"),
              HasSubstr("'threshold' has shape [3]"));
  EXPECT_THAT(wrong(with(sparsify_, "b_dec", at::zeros({4})), R"({"k": 2})"), HasSubstr("'b_dec' has shape [4], expected [3]"));
  EXPECT_THAT(wrong(with(learned_, "decoder.weight", at::ones({4, 3}))),
              HasSubstr("'decoder.weight' has shape [4, 3], expected [3, 4]"));
}

TEST_F(Importing, AMissingTensorIsNamedBesideWhatIsThere) {
  for (const auto& [tensors, name] : {std::pair{ckkissane_, "b_enc"}, {openmoss_, "b_D"}, {learned_, "encoder.bias"}}) {
    EXPECT_THAT(message(without(tensors, name), ErrorCode::kInvalid),
                HasSubstr(fmt::format("w.safetensors has no tensor '{}', but '", name)));
  }
  EXPECT_THAT(message(without(sae_, "b_enc"), ErrorCode::kInvalid, R"({"architecture": "standard"})"), HasSubstr("'b_enc'"));
}

TEST_F(Importing, NumbersThatAreNotFiniteAreRefused) {
  for (const Tensors& tensors : {ckkissane_, openmoss_, learned_}) {
    Tensors bent;
    for (const auto& [name, tensor] : tensors) bent[name] = tensor.clone();
    bent.begin()->second.view(-1)[0] = std::nan("");
    EXPECT_THAT(message(bent, ErrorCode::kInvalid), HasSubstr("not finite"));
  }
}

TEST_F(Importing, WhatWouldChangeCodesUnseenIsRefused) {
  const auto unsupported = [&](const Tensors& tensors, const char* config) {
    return message(tensors, ErrorCode::kUnsupported, config);
  };
  EXPECT_THAT(unsupported(with(sae_, "W_skip", at::ones({3, 3})), R"({"architecture": "standard"})"),
              HasSubstr("'W_skip' [3, 3] is no part of a SAELens SAE of architecture standard"));
  EXPECT_THAT(unsupported(sae_, R"({"architecture": "transcoder"})"), HasSubstr("the architecture is transcoder"));
  EXPECT_THAT(unsupported(sae_, R"({"architecture": "standard", "normalize_activations": "layer_norm"})"),
              HasSubstr("layer_norm"));
  EXPECT_THAT(unsupported(with(sparsify_, "W_skip", at::ones({3, 3})), R"({"k": 2})"), HasSubstr("'W_skip'"));
  EXPECT_THAT(unsupported(sparsify_, R"({"k": 2, "activation": "groupmax"})"), HasSubstr("groupmax"));
  EXPECT_THAT(unsupported(sparsify_, R"({"k": 2, "transcode": true})"), HasSubstr("transcoder"));
  EXPECT_THAT(unsupported(with(learned_, "more", at::ones({1})), "{}"), HasSubstr("'more' [1]"));
  EXPECT_THAT(unsupported(openmoss_, R"({"act_fn": "jumprelu"})"), HasSubstr("act_fn is jumprelu"));
  EXPECT_THAT(unsupported(with(openmoss_, "activation_function.log_jumprelu_threshold", at::ones({4})), "{}"),
              HasSubstr("act_fn is jumprelu"));
  EXPECT_THAT(unsupported(with(ckkissane_, "threshold", at::ones({4})), ""), HasSubstr("'threshold' [4] is no part of"));
  EXPECT_THAT(unsupported(openmoss_, R"({"act_fn": "relu", "norm_activation": "token-wise"})"), HasSubstr("token-wise"));
  EXPECT_THAT(unsupported({{"weight", at::ones({3, 4})}}, ""),
              HasSubstr("holds 'weight' [3, 4], which is none of: dictionary_learning crosscoder, ckkissane crosscoder"));
}

TEST_F(Importing, ConfigsAreNotBelieved) {
  EXPECT_THAT(message(sae_, ErrorCode::kInvalid, "[1]"), HasSubstr("no JSON object"));
  EXPECT_THAT(message(sae_, ErrorCode::kInvalid, "{"), HasSubstr("cfg.json"));
  EXPECT_THAT(message(sae_, ErrorCode::kNotFound), HasSubstr("no cfg.json"));
  EXPECT_THAT(message(sae_, ErrorCode::kInvalid, R"({"architecture": "topk"})"), HasSubstr("has no k"));
  EXPECT_THAT(message(sae_, ErrorCode::kInvalid, R"({"architecture": "topk", "k": -3})"), HasSubstr("has no k"));
  EXPECT_THAT(message(sae_, ErrorCode::kInvalid, R"({"architecture": "topk", "k": 9})"),
              HasSubstr("k is 9, but there are 4 latents"));
  EXPECT_THAT(message(openmoss_, ErrorCode::kInvalid, R"({"hook_points": ["a"]})"),
              HasSubstr("names 1 hook points, 'W_E' has 2"));
  // A class that would run code is a text like any other.
  write_parts(folder_ / "w.safetensors", learned_);
  write_file_atomically(folder_ / "cfg.json",
                        R"json({"trainer": {"dict_class": "__import__('os').system('false')", "k": "x"}})json");
  EXPECT_EQ(import_dictionary(folder_).crosscoder.num_latents(), 4);
}

TEST_F(Importing, OlderSaeLensFilesSayTopKAsAnActivation) {
  write_parts(file_, sae_);
  write_file_atomically(folder_ / "cfg.json",
                        R"({"architecture": "standard", "activation_fn": "topk", "activation_fn_kwargs": {"k": 2}})");
  const Crosscoder c = import_dictionary(folder_).crosscoder;
  EXPECT_EQ(c.sparsity, Sparsity::kTopK);
  EXPECT_EQ(c.k, 2);
}

TEST_F(Importing, ACrosscoderOfSeveralLayersFitsNoRowsOfOne) {
  write_parts(file_, openmoss_);
  write_file_atomically(folder_ / "cfg.json", R"({"hook_points": ["blocks.3.hook_resid_post", "blocks.5.hook_resid_post"]})");
  const ImportedDictionary dictionary = import_dictionary(folder_);
  EXPECT_EQ(dictionary.origin.hook_point, "resid_post.3 and resid_post.5");
  EXPECT_TRUE(dictionary.lacks_scaling);
}

TEST_F(Importing, FoldersMustHoldOneDictionary) {
  const auto at_folder = [&](ErrorCode code) { return refusal([&] { import_dictionary(folder_); }, code); };
  EXPECT_THAT(at_folder(ErrorCode::kNotFound), HasSubstr("holds no *.safetensors and no *.pt"));
  fs::copy_file(kImports / "ckkissane/0.pt", folder_ / "0.pt");
  fs::copy_file(kImports / "ckkissane/0.pt", folder_ / "1.pt");
  EXPECT_THAT(at_folder(ErrorCode::kUsage), HasSubstr("holds 0.pt, 1.pt; name one of them"));
  EXPECT_EQ(import_dictionary(folder_ / "1.pt").origin.hook_point, "");  // its config is not there
  EXPECT_THAT(refusal([&] { import_dictionary(folder_ / "none"); }, ErrorCode::kNotFound), HasSubstr("no file and no folder"));
}

TEST_F(Importing, DamagedPickleFilesGiveAMessage) {
  const std::string whole = read_file(kImports / "ckkissane/0.pt", "test");
  for (size_t size = 0; size < whole.size(); size += 61) {
    write_file_atomically(folder_ / "0.pt", whole.substr(0, size));
    EXPECT_THROW(import_dictionary(folder_), Error) << size;
  }
}

TEST_F(Importing, CompiledDictionariesOfAnyFormatAreRead) {
  Tensors compiled;
  for (const auto& [name, tensor] : ckkissane_) compiled["_orig_mod." + name] = tensor;
  write_parts(file_, compiled);
  EXPECT_EQ(import_dictionary(folder_).origin.format, "ckkissane crosscoder");
  compiled["W_enc"] = at::ones({2, 3, 4});
  EXPECT_THAT(message(compiled, ErrorCode::kInvalid), HasSubstr("'W_enc' is there with and without a prefix"));
}

TEST_F(Importing, MissingScalesAreEstimatedByTheTrainersRule) {
  write_parts(file_, ckkissane_);
  ImportedDictionary dictionary = import_dictionary(folder_);
  at::Tensor rows = at::zeros({4, 2, 3});
  rows.select(1, 0).select(1, 0).fill_(2.0);                               // norm 2
  rows.select(1, 1).select(1, 1).copy_(at::tensor({1.0, 3.0, 5.0, 7.0}));  // mean norm 4
  complete_scaling(dictionary, {}, std::make_unique<MemoryRows>(rows).get());
  EXPECT_NEAR(dictionary.crosscoder.scaling.scale[0].item<double>(), std::sqrt(3.0) / 2.0, 1e-6);
  EXPECT_NEAR(dictionary.crosscoder.scaling.scale[1].item<double>(), std::sqrt(3.0) / 4.0, 1e-6);
  EXPECT_THAT(dictionary.origin.scaling, HasSubstr("estimated on 4 stored rows"));
  EXPECT_FALSE(dictionary.lacks_scaling);
}

TEST_F(Importing, ScalesAreAskedForOnlyWhereTheyAreLacking) {
  write_parts(file_, ckkissane_);
  const ImportedDictionary lacking = import_dictionary(folder_), whole = import_dictionary(kImports / "openmoss");
  const auto complete = [&](ImportedDictionary dictionary, std::vector<double> scales, const RowSource* rows, ErrorCode code) {
    return refusal([&] { complete_scaling(dictionary, scales, rows); }, code);
  };
  EXPECT_THAT(complete(lacking, {}, nullptr, ErrorCode::kUsage), HasSubstr("--scales"));
  EXPECT_THAT(complete(lacking, {1.0}, nullptr, ErrorCode::kUsage), HasSubstr("--scales has 1 numbers, the dictionary 2 models"));
  EXPECT_THAT(complete(whole, {1.0, 2.0}, nullptr, ErrorCode::kUsage), HasSubstr("holds its own"));
  const MemoryRows zeros(at::zeros({4, 2, 3})), narrow(at::ones({4, 2, 2}));
  EXPECT_THAT(complete(lacking, {}, &zeros, ErrorCode::kIncompatible), HasSubstr("all zero"));
  EXPECT_THAT(complete(lacking, {}, &narrow, ErrorCode::kIncompatible), HasSubstr("width 3"));
  EXPECT_EQ(scales_from_text("0.5, 2e-1"), (std::vector<double>{0.5, 0.2}));
  for (const char* text : {"x", "0.5,-1", "0", "1 2", "nan", "inf"}) {
    EXPECT_THROW(scales_from_text(text), Error) << text;
  }
}

TEST(HookPoints, AreOursWhereTheySayTheSame) {
  EXPECT_EQ(hook_point_from("blocks.14.hook_resid_pre"), "resid_post.13");
  EXPECT_EQ(hook_point_from("blocks.13.hook_resid_post"), "resid_post.13");
  EXPECT_EQ(hook_point_from("layers.0"), "resid_post.0");
  EXPECT_EQ(hook_point_from("model.layers.7"), "resid_post.7");
  for (const char* other : {"", "blocks.0.hook_resid_pre", "blocks..hook_resid_post", "blocks.-1.hook_resid_post", "layers.x",
                            "layers.3.mlp", "blocks.99999999999999999999.hook_resid_post"})
    EXPECT_EQ(hook_point_from(other), other);
}

}  // namespace
}  // namespace fi
