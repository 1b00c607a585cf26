#include "fi/dictionary/saelens_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "fi/core/error.h"
#include "fi/dictionary/import_dictionary.h"
#include "fi/dictionary/linear_baselines.h"
#include "fi/io/atomic_file.h"
#include "sample_crosscoder.h"
#include "write_parts.h"

namespace fi {
namespace {

namespace fs = std::filesystem;

class SaeLensFile : public testing::TestWithParam<const char*> {
 protected:
  void TearDown() override { fs::remove_all(folder_); }

  const fs::path folder_ = fs::temp_directory_path() / ("fi_saelens_" + std::to_string(::getpid()));
};

// What SAELens' own loader was shown to read is what is written today, and its codes are ours (tools/make_import_goldens.py).
TEST_P(SaeLensFile, SaeLensComputesTheCodesOfTheSlice) {
  const fs::path golden = fs::path(FI_TEST_DATA) / "export" / GetParam();
  const Crosscoder c = sample_of_kind(GetParam());
  save_saelens_slice(c, 1, {.model_name = "org/target", .hook_point = "resid_post.3"}, folder_);
  EXPECT_EQ(read_file(folder_ / "cfg.json", "test"), read_file(golden / "cfg.json", "test"));
  const auto written = SafetensorsFile::open(folder_ / "sae_weights.safetensors");
  const auto kept = SafetensorsFile::open(golden / "sae_weights.safetensors");
  ASSERT_EQ(written.tensors().size(), kept.tensors().size());
  for (const StoredTensor& tensor : kept.tensors()) {
    const at::Tensor a = stored_tensor(written, tensor.name.c_str()), b = stored_tensor(kept, tensor.name.c_str());
    EXPECT_TRUE(at::allclose(a, b, 1e-5, 1e-6)) << tensor.name;
  }
  const auto expected = SafetensorsFile::open(golden / "expected.safetensors");
  const Crosscoder slice = slice_of_model(c, 1);
  const at::Tensor codes = encode(slice, stored_tensor(expected, "rows").unsqueeze(1));
  EXPECT_TRUE(at::allclose(codes, stored_tensor(expected, "scaled_codes"), 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(decode(slice, codes).squeeze(1), stored_tensor(expected, "reconstructions"), 1e-5, 1e-5));
  EXPECT_GT(codes.gt(0).sum().item<int64_t>(), 5);
}

TEST_P(SaeLensFile, ASliceIsTheDictionaryWithTheOtherModelAtItsMean) {
  const Crosscoder c = sample_of_kind(GetParam());
  for (const int64_t model : {0, 1}) {
    at::Tensor rows = sample_rows(40);
    rows.select(1, 1 - model).copy_(c.scaling.mean[1 - model].expand({40, 6}));
    const at::Tensor codes = encode(c, rows);
    const Crosscoder slice = slice_of_model(c, model);
    const at::Tensor own = encode(slice, rows.narrow(1, model, 1));
    EXPECT_TRUE(at::allclose(own, scaled_codes(c, codes), 1e-4, 1e-5));
    EXPECT_TRUE(at::allclose(decode(slice, own).squeeze(1), decode(c, codes).select(1, model), 1e-4, 1e-5));
  }
}

TEST_P(SaeLensFile, ComesBackThroughTheImport) {
  const Crosscoder c = sample_of_kind(GetParam());
  save_saelens_slice(c, 0, {.model_name = "m", .hook_point = "resid_post.3"}, folder_);
  const ImportedDictionary back = import_dictionary(folder_);
  EXPECT_EQ(back.origin.hook_point, "resid_post.3");
  const at::Tensor rows = sample_rows().narrow(1, 0, 1);
  EXPECT_TRUE(at::allclose(encode(back.crosscoder, rows), encode(slice_of_model(c, 0), rows), 1e-6, 1e-6));
}

INSTANTIATE_TEST_SUITE_P(Kinds, SaeLensFile, testing::Values("batch_topk", "relu", "jump_relu", "topk"));

TEST(SaeLensSlice, ALatentThatWritesNothingStaysSilent) {
  Crosscoder c = sample_of_kind("relu");
  c.decoder.select(1, 4).zero_();
  c.encoder_bias[4] = 5.0;
  EXPECT_EQ(encode(slice_of_model(c, 1), sample_rows().narrow(1, 1, 1)).select(1, 4).abs().max().item<float>(), 0.0F);
}

TEST(SaeLensSlice, LinearDictionariesHaveNone) {
  EXPECT_THROW(slice_of_model(fit_pca(moments_of(sample_rows(40)), identity_scaling(2, 6), RowView::kModels, 3), 0), Error);
}

}  // namespace
}  // namespace fi
