#include "fi/dictionary/canonical_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "fi/activations/row_source.h"
#include "fi/core/error.h"
#include "fi/dictionary/saelens_file.h"
#include "fi/io/atomic_file.h"
#include "fi/io/safetensors.h"
#include "sample_crosscoder.h"
#include "write_parts.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

const fs::path kGoldens = fs::path(FI_TEST_DATA) / "dictionary";

class CanonicalFile : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  const fs::path folder_ = fs::temp_directory_path() / ("fi_canonical_" + std::to_string(::getpid()));
};

// The reference library's own scaled codes and reconstructions (tools/make_crosscoder_goldens.py).
class AgainstReference : public testing::TestWithParam<const char*> {};

TEST_P(AgainstReference, GivesTheSameCodesAndReconstructions) {
  const fs::path folder = kGoldens / GetParam();
  const Crosscoder c = load_crosscoder(folder);
  const SafetensorsFile expected = SafetensorsFile::open(folder / "expected.safetensors");
  const at::Tensor codes = encode(c, stored_tensor(expected, "rows"));
  EXPECT_TRUE(at::allclose(scaled_codes(c, codes), stored_tensor(expected, "scaled_codes"), 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(decode(c, codes), stored_tensor(expected, "reconstructions"), 1e-5, 1e-5));
  EXPECT_GT(codes.gt(0).sum().item<int64_t>(), 5);
}

INSTANTIATE_TEST_SUITE_P(Dictionaries, AgainstReference,
                         testing::Values("theirs_batch_topk", "theirs_relu", "theirs_mixed", "ours_one_scale", "ours_two_scales",
                                         "ours_relu"));

// What the reference library was shown to read is what is written today.
TEST_F(CanonicalFile, WritesTheBytesThatTheReferenceReads) {
  for (const bool one_scale : {true, false}) {
    const fs::path golden = kGoldens / (one_scale ? "ours_one_scale" : "ours_two_scales");
    save_crosscoder(sample_crosscoder(one_scale), {}, folder_);
    EXPECT_EQ(read_file(folder_ / "config.json", "test"), read_file(golden / "config.json", "test"));
    const auto written = SafetensorsFile::open(folder_ / "model.safetensors");
    const auto kept = SafetensorsFile::open(golden / "model.safetensors");
    ASSERT_EQ(written.tensors().size(), kept.tensors().size());
    for (const StoredTensor& tensor : kept.tensors()) {
      EXPECT_TRUE(at::allclose(stored_tensor(written, tensor.name.c_str()), stored_tensor(kept, tensor.name.c_str()), 1e-6, 1e-7))
          << tensor.name;
    }
  }
}

TEST_F(CanonicalFile, ComesBackAsItWas) {
  for (const bool one_scale : {true, false}) {
    const Crosscoder c = sample_crosscoder(one_scale);
    save_crosscoder(c, {.base = "a", .target = "b", .hook_point = "resid_post.20", .num_training_rows = 5}, folder_);
    const Crosscoder back = load_crosscoder(folder_);
    EXPECT_TRUE(back.scaling.scale.equal(c.scaling.scale));
    EXPECT_EQ(back.code_norm, CodeNorm::kCrosscoder);
    EXPECT_EQ(back.k, 3);
    const at::Tensor rows = sample_rows();
    EXPECT_TRUE(at::allclose(scaled_codes(back, encode(back, rows)), scaled_codes(c, encode(c, rows)), 1e-5, 1e-5));
    EXPECT_TRUE(at::allclose(decode(back, encode(back, rows)), decode(c, encode(c, rows)), 1e-5, 1e-5));
    EXPECT_EQ(load_origin(folder_).hook_point, "resid_post.20");
    EXPECT_EQ(load_origin(folder_).num_training_rows, 5);
  }
}

TEST_F(CanonicalFile, EveryKindOfDictionaryComesBack) {
  Crosscoder c = sample_crosscoder(true);
  c.sparsity = Sparsity::kJumpRelu;
  c.jump_threshold = at::arange(10, at::kFloat) * 0.3;
  save_crosscoder(c, {}, folder_);
  EXPECT_TRUE(encode(load_crosscoder(folder_), sample_rows()).equal(encode(c, sample_rows())));

  c.scaling.scale = at::tensor({0.5F, 2.0F});  // folded into weights and thresholds
  save_crosscoder(c, {}, folder_);
  const Crosscoder unfolded = load_crosscoder(folder_);
  EXPECT_TRUE(at::allclose(scaled_codes(unfolded, encode(unfolded, sample_rows())), scaled_codes(c, encode(c, sample_rows())),
                           1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(decode(unfolded, encode(unfolded, sample_rows())), decode(c, encode(c, sample_rows())), 1e-5, 1e-5));

  c = sample_crosscoder(true);
  c.sparsity = Sparsity::kLinear;
  c.view = RowView::kDifference;
  c.encoder = c.encoder.narrow(0, 0, 1).contiguous();
  c.decoder = c.decoder.narrow(0, 0, 1).contiguous();
  c.decoder_bias = c.decoder_bias.narrow(0, 0, 1).contiguous();
  c.scaling = identity_scaling(1, 6);
  save_crosscoder(c, {}, folder_);
  const Crosscoder back = load_crosscoder(folder_);
  EXPECT_EQ(back.view, RowView::kDifference);
  EXPECT_EQ(back.sparsity, Sparsity::kLinear);
}

// A dictionary file made of raw parts, to be bent.
struct Parts {
  std::map<std::string, at::Tensor> tensors = {{"encoder.weight", at::ones({2, 3, 4})},
                                               {"encoder.bias", at::zeros({4})},
                                               {"decoder.weight", at::ones({2, 4, 3})},
                                               {"decoder.bias", at::zeros({2, 3})}};
  std::string config = "{}";

  void write(const fs::path& folder) const {
    write_parts(folder / "model.safetensors", tensors);
    write_file_atomically(folder / "config.json", config);
  }
};

TEST_F(CanonicalFile, OldFilesLackWhatWasAddedLater) {
  Parts parts;
  parts.write(folder_);
  const Crosscoder c = load_crosscoder(folder_);
  EXPECT_EQ(c.sparsity, Sparsity::kRelu);
  EXPECT_EQ(c.code_norm, CodeNorm::kCrosscoder);
  EXPECT_TRUE(c.scaling.scale.equal(at::ones({2})));
  parts.config = R"({"code_normalization": "SAE"})";
  parts.write(folder_);
  EXPECT_EQ(load_crosscoder(folder_).code_norm, CodeNorm::kSae);
}

TEST_F(CanonicalFile, CompiledNamesAndEmptyNormalisersAreRead) {
  Parts parts;
  std::map<std::string, at::Tensor> compiled;
  for (const auto& [name, tensor] : parts.tensors) compiled["_orig_mod." + name] = tensor;
  compiled["activation_mean"] = at::full({2, 3}, std::nan(""));
  compiled["activation_std"] = at::full({2, 3}, std::nan(""));
  compiled["activation_global_scale"] = at::scalar_tensor(5.0F);
  parts.tensors = compiled;
  parts.write(folder_);
  EXPECT_TRUE(load_crosscoder(folder_).scaling.scale.equal(at::ones({2})));
}

TEST_F(CanonicalFile, MissingGlobalScaleFollowsFromTheVariance) {
  Parts parts;
  parts.tensors["activation_mean"] = at::zeros({2, 3});
  parts.tensors["activation_std"] = at::full({2, 3}, 2.0F);
  parts.tensors["target_rms"] = at::scalar_tensor(12.0F);
  parts.write(folder_);
  EXPECT_NEAR(load_crosscoder(folder_).scaling.scale[0].item<double>(), 12.0 / std::sqrt(24.0), 1e-6);
}

TEST_F(CanonicalFile, BentFilesAreRefusedWithAReason) {
  const auto message = [&](const Parts& parts, ErrorCode code) -> std::string {
    parts.write(folder_);
    try {
      load_crosscoder(folder_);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return error.what();
    }
    return "nothing was refused";
  };
  Parts parts;
  parts.tensors["decoder.weight"] = at::ones({4, 2, 3});
  EXPECT_THAT(message(parts, ErrorCode::kInvalid),
              testing::HasSubstr("'decoder.weight' has shape [4, 2, 3], expected [2, 4, 3]"));
  parts = {};
  parts.tensors.erase("encoder.bias");
  EXPECT_THAT(message(parts, ErrorCode::kInvalid), testing::HasSubstr("no tensor 'encoder.bias'"));
  parts = {};
  parts.tensors["encoder.weight"] = at::ones({3, 4});
  EXPECT_THAT(message(parts, ErrorCode::kInvalid),
              testing::HasSubstr("'encoder.weight' has shape [3, 4], expected [num_models, d_model, num_latents]"));
  parts = {};
  parts.tensors["code_normalization_id"] = at::scalar_tensor(int64_t{5}, at::kLong);
  EXPECT_THAT(message(parts, ErrorCode::kUnsupported), testing::HasSubstr("code_normalization_id 5"));
  parts = {};
  parts.tensors["threshold"] = at::zeros({2});
  EXPECT_THAT(message(parts, ErrorCode::kUnsupported), testing::HasSubstr("DECOUPLED"));
  parts = {};
  parts.tensors["k"] = at::scalar_tensor(0, at::kInt);
  EXPECT_THAT(message(parts, ErrorCode::kInvalid), testing::HasSubstr("k is 0"));
  parts = {};
  parts.tensors["k"] = at::ones({2});
  EXPECT_THAT(message(parts, ErrorCode::kInvalid), testing::HasSubstr("no single integer"));
  parts = {};
  parts.config = "[1, 2]";
  EXPECT_THAT(message(parts, ErrorCode::kInvalid), testing::HasSubstr("no JSON object"));
  parts.config = "{";
  EXPECT_THAT(message(parts, ErrorCode::kInvalid), testing::HasSubstr("config.json"));
  fs::remove(folder_ / "config.json");
  EXPECT_THROW(load_crosscoder(folder_), Error);
}

TEST_F(CanonicalFile, ModelsOfOtherWidthsKeepTheirs) {
  Crosscoder c = sample_crosscoder(false);
  c.scaling.widths = {4, 6};
  c.encoder = cut_to_widths(c.scaling, c.encoder.transpose(1, 2)).transpose(1, 2).contiguous();
  c.decoder = cut_to_widths(c.scaling, c.decoder);
  c.decoder_bias = cut_to_widths(c.scaling, c.decoder_bias);
  c.scaling.mean = cut_to_widths(c.scaling, c.scaling.mean);
  save_crosscoder(c, {}, folder_);
  const Crosscoder read = load_crosscoder(folder_);
  EXPECT_EQ(read.scaling.widths, c.scaling.widths);
  EXPECT_FALSE(read.scaling.has_one_width());
  const at::Tensor rows = pair_rows(sample_rows().select(1, 0).narrow(1, 0, 4), sample_rows().select(1, 1));
  EXPECT_TRUE(at::allclose(scaled_codes(c, encode(c, rows)), scaled_codes(read, encode(read, rows)), 1e-5, 1e-5));
  // The narrower model by itself, as if there were no padding.
  const Crosscoder slice = slice_of_model(c, 0);
  EXPECT_EQ(slice.d_model(), 4);
  const at::Tensor codes = scaled_codes(c, encode(c, rows));
  EXPECT_TRUE(
      at::allclose(decode(slice, codes).select(1, 0), decode(c, encode(c, rows)).select(1, 0).narrow(1, 0, 4), 1e-4, 1e-5));
}

TEST_F(CanonicalFile, AWeightBeyondAModelsWidthIsRefused) {
  Crosscoder c = sample_crosscoder(false);
  c.scaling.widths = {4, 6};
  EXPECT_THROW(check_crosscoder(c, "here"), Error);
  c.scaling.widths = {6, 6, 6};
  EXPECT_THROW(check_crosscoder(c, "here"), Error);
  c.scaling.widths = {0, 6};
  EXPECT_THROW(check_crosscoder(c, "here"), Error);
  c.scaling.widths = {6, 6};
  EXPECT_NO_THROW(check_crosscoder(c, "here"));
}

}  // namespace
}  // namespace fi
