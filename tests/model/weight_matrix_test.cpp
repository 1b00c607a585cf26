#include "fi/model/weight_matrix.h"

#include <gtest/gtest.h>

#include "fi/model/stored_matrix.h"

namespace fi {
namespace {

at::Tensor random(at::IntArrayRef shape, uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return at::randn(shape, generator);
}

double relative(const at::Tensor& got, const at::Tensor& wanted) {
  return ((got - wanted).norm() / wanted.norm()).item<double>();
}

struct Kind {
  const char* name;
  WeightMatrixPtr (*hold)(const at::Tensor&);
  double tolerance;  // relative, against fp32
};

class Held : public testing::TestWithParam<Kind> {};

TEST_P(Held, MultipliesAndLooksUpAsItsFloatsWould) {
  for (const auto& [d_out, d_in] : {std::pair(1, 2), std::pair(37, 24), std::pair(700, 66)}) {
    const at::Tensor weight = random({d_out, d_in}, 1);
    const WeightMatrixPtr held = GetParam().hold(weight);
    EXPECT_LE(relative(held->to_float(), weight), GetParam().tolerance);
    for (const int64_t rows : {1, 3, 32, 65}) {
      const at::Tensor x = random({rows, d_in}, 2);
      EXPECT_LT(relative(held->multiply(x), at::matmul(x, held->to_float().t())), 1e-5) << d_out << "x" << d_in << " " << rows;
    }
    const at::Tensor ids = at::tensor({int64_t{d_out} - 1, int64_t{0}, int64_t{d_out} - 1}, at::kLong);
    EXPECT_TRUE(at::equal(held->look_up(ids), held->to_float().index_select(0, ids)));
    EXPECT_TRUE(at::equal(held->rows(d_out / 2, 1), held->to_float().narrow(0, d_out / 2, 1)));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Held,
                         testing::Values(Kind{"dense", [](const at::Tensor& w) { return hold_dense(w); }, 0.0},
                                         Kind{"fp16", [](const at::Tensor& w) { return hold_dense(w.to(at::kHalf)); }, 1e-3},
                                         Kind{"bf16", [](const at::Tensor& w) { return hold_dense(w.to(at::kBFloat16)); }, 1e-2},
                                         Kind{"products", [](const at::Tensor& w) { return hold_for_products(w); }, 0.0},
                                         Kind{"int8", [](const at::Tensor& w) { return hold_int8(w); }, 1e-2}),
                         [](const auto& info) { return info.param.name; });

// Rows of a mapped file in 4-bit blocks, in an order of their own, against the whole tensor widened at once.
TEST(Held, RowsLeftInTheFileEqualTheWholeWidened) {
  constexpr int64_t kRows = 600, kWidth = 256;
  std::vector<std::byte> blocks(static_cast<size_t>(kRows * kWidth / 256 * dtype_block_bytes(DType::kQ4_K)));
  uint32_t state = 1;
  for (std::byte& byte : blocks)
    byte = static_cast<std::byte>((state = state * 1664525u + 1013904223u) >> 26);  // small: finite scales
  TensorView view{.name = "w", .stored = {.name = "w", .dtype = DType::kQ4_K, .shape = {kRows, kWidth}, .bytes = blocks}};
  const TensorView reversed = reorder_rows(view, [](int64_t row) { return kRows - 1 - row; });
  for (const TensorView& seen : {view, slice_rows(view, "part", 7, 550), reversed}) {
    ASSERT_TRUE(has_whole_rows(seen));
    const WeightMatrixPtr held = hold_stored(seen);
    EXPECT_TRUE(at::equal(held->to_float(), seen.to_float()));
    EXPECT_TRUE(
        at::equal(hold_stored(seen, /*is_rounded=*/true)->to_float(), hold_dense(seen.to_float().to(at::kBFloat16))->to_float()));
    const at::Tensor x = random({3, kWidth}, 4);
    EXPECT_LT(relative(held->multiply(x), at::matmul(x, seen.to_float().t())), 1e-5);
    EXPECT_TRUE(
        at::equal(held->look_up(at::tensor({5, 1}, at::kLong)), seen.to_float().index_select(0, at::tensor({5, 1}, at::kLong))));
  }
  view.is_transposed = true;
  EXPECT_FALSE(has_whole_rows(view));
}

TEST(Held, ProductsHaveAGradient) {
  const at::Tensor weight = random({5, 4}, 1);
  const at::Tensor x = random({2, 4}, 2).requires_grad_(true);
  hold_for_products(weight)->multiply(x).sum().backward();
  EXPECT_LT(relative(x.grad(), weight.sum(0).expand({2, 4})), 1e-6);
}

}  // namespace
}  // namespace fi
