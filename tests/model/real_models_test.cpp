// Real models against an independent numpy forward pass over fully dequantised weights. Run by `make test-models`.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "fi/model/fidelity.h"
#include "fi/model/generate.h"
#include "fi/model/load_model.h"

namespace fi {
namespace {

struct Reference {
  const char* file;
  TokenIds ids;            // of "The capital of France is"
  double nll;              // nats a token, mean over the text
  const char* best;        // most likely next token
  double log_probability;  // of it
};

const Reference kReferences[] = {
    {"SmolLM2-135M-Instruct.Q4_1.gguf", {504, 3575, 282, 4649, 314}, 3.692, " Paris", -0.26},
    {"gemma-3-270m-q4_k_m.gguf", {2, 818, 5279, 529, 7001, 563}, 3.986, " the", -1.65},
    {"qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", {785, 6722, 315, 9625, 374}, 2.866, " Paris", -0.10},
    {"qwen2.5-coder-1.5b-instruct-q4_k_m.gguf", {785, 6722, 315, 9625, 374}, 3.867, " Paris", -0.70}};

class RealModel : public testing::TestWithParam<Reference> {};

std::filesystem::path path_of(const char* file) { return std::filesystem::path(FI_TEST_DATA) / "../../.cache/models" / file; }

double peak_gigabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / (1 << 20);
}

void expect_reference(const Decoder& model, const Tokenizer& tokenizer) {
  const Reference& wanted = RealModel::GetParam();
  ASSERT_EQ(tokenizer.encode("The capital of France is", true).ids, wanted.ids);
  const at::Tensor log_probabilities = model.forward(pack({&wanted.ids, 1})).logits.log_softmax(-1);
  double nll = 0.0;
  for (size_t i = 1; i < wanted.ids.size(); ++i)
    nll -= log_probabilities[static_cast<int64_t>(i) - 1][wanted.ids[i]].item<double>();
  EXPECT_NEAR(nll / static_cast<double>(wanted.ids.size() - 1), wanted.nll, 2e-3);
  const auto best = static_cast<int32_t>(log_probabilities[-1].argmax().item<int64_t>());
  EXPECT_EQ(tokenizer.decode({best}, false), wanted.best);
  EXPECT_NEAR(log_probabilities[-1][best].item<double>(), wanted.log_probability, 6e-3);
}

// Weights stay in the blocks of the mapped file; the peak counts the pages of the file that were read.
TEST_P(RealModel, MatchesTheReferenceHeldAsStored) {
  const auto path = path_of(GetParam().file);
  if (!std::filesystem::is_regular_file(path)) GTEST_SKIP() << path << " is not there";
  const ModelFiles files = resolve_model(path.string(), {});
  const Decoder model = load_model(files, {.quantization = "stored"}, silent_progress());
  expect_reference(model, Tokenizer::load(files));
  const double file_size = static_cast<double>(std::filesystem::file_size(path)) / (1 << 30);
  EXPECT_LT(peak_gigabytes(), file_size + 0.9);
}

TEST_P(RealModel, MatchesTheReferenceInFp32AndLosesLittleInInt8) {
  const auto path = path_of(GetParam().file);
  if (!std::filesystem::is_regular_file(path)) GTEST_SKIP() << path << " is not there";
  const ModelFiles files = resolve_model(path.string(), {});
  const Tokenizer tokenizer = Tokenizer::load(files);
  const Decoder exact = load_model(files, {.quantization = "fp32"}, silent_progress());
  expect_reference(exact, tokenizer);
  const std::vector<TokenIds> texts = {tokenizer.encode("Water boils at 100 degrees Celsius, and freezes at 0.", true).ids,
                                       tokenizer.encode("def add(a, b):\n    return a + b\n", true).ids};
  const Decoder narrow = load_model(files, {.quantization = "int8"}, silent_progress());
  const Fidelity fidelity = measure_fidelity(exact, narrow, texts, silent_progress());
  RecordProperty("mean_kl", std::to_string(fidelity.mean_kl));
  EXPECT_LT(fidelity.mean_kl, 0.05);
  EXPECT_GT(fidelity.same_best, 0.8);
}

INSTANTIATE_TEST_SUITE_P(Models, RealModel, testing::ValuesIn(kReferences),
                         [](const auto& info) { return "number" + std::to_string(info.index); });

}  // namespace
}  // namespace fi
