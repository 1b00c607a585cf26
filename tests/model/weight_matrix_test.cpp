#include "fi/model/weight_matrix.h"

#include <gtest/gtest.h>

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

TEST(Held, ProductsHaveAGradient) {
  const at::Tensor weight = random({5, 4}, 1);
  const at::Tensor x = random({2, 4}, 2).requires_grad_(true);
  hold_for_products(weight)->multiply(x).sum().backward();
  EXPECT_LT(relative(x.grad(), weight.sum(0).expand({2, 4})), 1e-6);
}

}  // namespace
}  // namespace fi
