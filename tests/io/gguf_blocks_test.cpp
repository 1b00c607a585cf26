#include <gtest/gtest.h>

#include <cmath>

#include "fi/io/gguf.h"
#include "fi/io/safetensors.h"

namespace fi {
namespace {

const std::filesystem::path kData = std::filesystem::path(FI_TEST_DATA) / "io";

const StoredTensor& tensor_of(const GgufFile& file, const std::string& name) {
  for (const StoredTensor& tensor : file.tensors()) {
    if (tensor.name == name) return tensor;
  }
  throw std::runtime_error("no tensor " + name);
}

std::vector<float> floats_of(const StoredTensor& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.num_values()));
  to_float(tensor, 0, tensor.num_values(), values.data());
  return values;
}

class BlockFormat : public testing::TestWithParam<std::string> {};

// Goldens: tools/make_gguf_goldens.py, from the package `gguf`. Every product of scales and quants is exact in a float and each
// value is rounded once, so the two agree to the bit.
TEST_P(BlockFormat, EqualsThePeerBlockByBlock) {
  const GgufFile file = GgufFile::open(kData / "blocks.gguf");
  const SafetensorsFile goldens = SafetensorsFile::open(kData / "blocks.safetensors");
  const StoredTensor& tensor = tensor_of(file, GetParam());
  EXPECT_EQ(dtype_name(tensor.dtype), GetParam());
  const StoredTensor* golden = goldens.find(GetParam());
  ASSERT_NE(golden, nullptr);
  EXPECT_EQ(tensor.shape, golden->shape);
  const std::vector<float> expected = floats_of(*golden);
  EXPECT_EQ(floats_of(tensor), expected);

  const int64_t block = dtype_block_size(tensor.dtype);
  std::vector<float> values(static_cast<size_t>(block));
  for (int64_t first = 0; first < tensor.num_values(); first += block) {
    to_float(tensor, first, block, values.data());
    EXPECT_TRUE(std::equal(values.begin(), values.end(), expected.begin() + first)) << "block at value " << first;
  }
}

INSTANTIATE_TEST_SUITE_P(Types, BlockFormat,
                         testing::Values("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K", "F16", "BF16", "F32"),
                         [](const auto& info) { return info.param; });

TEST(BlockFormat, PartsOfBlocksCannotBeRead) {
  const GgufFile file = GgufFile::open(kData / "blocks.gguf");
  const StoredTensor& tensor = tensor_of(file, "Q4_K");
  std::vector<float> values(512);
  EXPECT_THROW(to_float(tensor, 32, 32, values.data()), std::exception);
  EXPECT_THROW(to_float(tensor, tensor.num_values(), 256, values.data()), std::exception);
}

TEST(Gguf, ReadsTheMetadataThatThePeerWrote) {
  const GgufFile file = GgufFile::open(kData / "blocks.gguf");
  EXPECT_EQ(file.get_string("general.architecture"), "llama");
  EXPECT_EQ(file.get_int("general.alignment"), 64);
  EXPECT_EQ(file.get_int("test.count"), 7);
  EXPECT_EQ(file.get_int("test.negative"), -(int64_t{1} << 40));
  EXPECT_EQ(file.get_double("test.half"), 0.5);
  EXPECT_TRUE(file.get_bool("test.yes", false));
  EXPECT_EQ(file.get_string("test.text"), "grüß");
  EXPECT_EQ(file.get_strings("test.strings"), (std::vector<std::string>{"a", "", "ü"}));
  EXPECT_EQ(file.get_doubles("test.scores"), (std::vector<double>{-1.5, 2.25}));
  EXPECT_EQ(file.get_ints("test.types"), (std::vector<int64_t>{1, 6, -3}));
}

TEST(HalfToFloat, EveryHalfIsExact) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const StoredTensor tensor{.dtype = DType::kF16, .shape = {1}, .bytes = std::as_bytes(std::span(&half, 1))};
    float value = 0;
    to_float(tensor, 0, 1, &value);
    const int exponent = static_cast<int>(bits >> 10 & 31);
    const double mantissa = bits & 1023;
    const double magnitude = exponent == 0    ? std::ldexp(mantissa, -24)
                             : exponent == 31 ? (mantissa == 0 ? INFINITY : NAN)
                                              : std::ldexp(1024 + mantissa, exponent - 25);
    if (std::isnan(magnitude)) {
      EXPECT_TRUE(std::isnan(value)) << bits;
    } else {
      EXPECT_EQ(value, static_cast<float>(bits & 0x8000 ? -magnitude : magnitude)) << bits;
    }
  }
}

}  // namespace
}  // namespace fi
