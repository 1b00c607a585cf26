#include <gtest/gtest.h>

#include "fi/core/error.h"
#include "fi/core/json.h"
#include "fi/io/safetensors.h"
#include "fi/model/decoder_layer.h"
#include "fi/model/fidelity.h"
#include "fi/model/generate.h"
#include "fi/model/load_model.h"
#include "fi/model/shared_beginnings.h"
#include "tests/smollm2.h"

namespace fi {
namespace {

const std::filesystem::path kData = std::filesystem::path(FI_TEST_DATA) / "model";

at::Tensor tensor_of(const SafetensorsFile& file, const std::string& name) {
  const StoredTensor* stored = file.find(name);
  invariant(stored != nullptr, "golden {} is missing", name);
  at::Tensor tensor = at::empty(stored->shape, at::kFloat);
  to_float(*stored, 0, stored->num_values(), tensor.data_ptr<float>());
  return tensor;
}

std::vector<TokenIds> sequences_of(const SafetensorsFile& file) {
  return parse_json(file.metadata().at("sequences"), "test", "goldens").get<std::vector<TokenIds>>();
}

Decoder load_tiny(const std::string& name, const std::string& quantization = "fp32") {
  return load_model(resolve_model((kData / name).string(), {}), {.device = "cpu", .quantization = quantization},
                    silent_progress());
}

struct Pass {
  at::Tensor resid;  // [num_layers, rows, d_model]
  at::Tensor logits;
};

Pass run(const Decoder& model, const PackedBatch& batch) {
  std::vector<at::Tensor> resid;
  ForwardOptions options;
  options.on_resid_post = [&](int64_t, const at::Tensor& rows) {
    resid.push_back(rows.clone());
    return rows;
  };
  at::Tensor logits = model.forward(batch, options).logits;
  return {at::stack(resid), logits};
}

double largest(const at::Tensor& x) { return x.abs().max().item<double>(); }

void expect_parity(const Pass& got, const at::Tensor& resid, const at::Tensor& logits) {
  EXPECT_LT(largest(got.logits - logits), 1e-3);
  EXPECT_TRUE(at::equal(got.logits.argmax(-1), logits.argmax(-1)));
  for (int64_t layer = 0; layer < resid.size(0); ++layer) {
    EXPECT_LT((got.resid[layer] - resid[layer]).norm().item<double>(), 1e-4 * resid[layer].norm().item<double>())
        << "layer " << layer;
  }
}

class TinyModel : public testing::TestWithParam<std::string> {};

TEST_P(TinyModel, MatchesThePeerOneByOneAndPacked) {
  const Decoder model = load_tiny(GetParam());
  const SafetensorsFile goldens = SafetensorsFile::open(kData / GetParam() / "goldens.safetensors");
  const std::vector<TokenIds> sequences = sequences_of(goldens);
  const Pass packed = run(model, pack(sequences));
  int64_t row = 0;
  for (size_t i = 0; i < sequences.size(); ++i) {
    const Pass single = run(model, pack({&sequences[i], 1}));
    expect_parity(single, tensor_of(goldens, "resid." + std::to_string(i)), tensor_of(goldens, "logits." + std::to_string(i)));
    const auto length = static_cast<int64_t>(sequences[i].size());
    EXPECT_LT(largest(packed.logits.narrow(0, row, length) - single.logits), 1e-5 * std::max(1.0, largest(single.logits)));
    row += length;
  }
}

// Twelve tokens that all texts begin with; one text has no other, two are equal, the last two share five more.
const std::vector<TokenIds> kSharing = {{20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 5, 6},
                                        {20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31},
                                        {20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 5, 6},
                                        {20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 9, 8, 7, 40, 41},
                                        {20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 9, 8, 7, 40, 41, 50, 3}};

TEST_P(TinyModel, ASharedBeginningIsReadOnceAndChangesNothing) {
  const Decoder model = load_tiny(GetParam());
  const Pass packed = run(model, pack(kSharing));
  int64_t row = 0;
  for (const TokenIds& text : kSharing) {
    const auto length = static_cast<int64_t>(text.size());
    const Pass single = run(model, pack({&text, 1}));
    EXPECT_LT(largest(packed.logits.narrow(0, row, length) - single.logits), 1e-5 * std::max(1.0, largest(single.logits)));
    EXPECT_LT(largest(packed.resid.narrow(1, row, length) - single.resid), 1e-5 * std::max(1.0, largest(single.resid)));
    row += length;
  }
}

TEST_P(TinyModel, ATextWhoseBeginningSomebodyChangedIsReadAlone) {
  const Decoder model = load_tiny(GetParam());
  const auto logits_with_change = [&](const PackedBatch& batch, int64_t changed_row) {
    ForwardOptions options;
    options.on_resid_post = [=](int64_t layer, const at::Tensor& resid) {
      const at::Tensor changed = resid.clone();
      if (layer == 0) changed[changed_row].mul_(0.5);
      return changed;
    };
    return model.forward(batch, options).logits;
  };
  const PackedBatch batch = pack(kSharing);
  const auto length = static_cast<int64_t>(kSharing[2].size());
  const at::Tensor got = logits_with_change(batch, batch.starts[2] + 3).narrow(0, batch.starts[2], length);
  const at::Tensor wanted = logits_with_change(pack({&kSharing[2], 1}), 3);
  EXPECT_LT(largest(got - wanted), 1e-5 * std::max(1.0, largest(wanted)));
}

TEST(SharedBeginnings, AreComputedForTheFirstTextAlone) {
  const PackedBatch batch = pack(kSharing);
  SharedBeginnings shared(batch, at::kCPU);
  EXPECT_EQ(shared.layout().num_rows(), 14 + 0 + 0 + 5 + 2);
  EXPECT_EQ(shared.ids(batch), (TokenIds{20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 5, 6, 9, 8, 7, 40, 41, 50, 3}));
  const at::Tensor all = at::tensor(at::ArrayRef<int32_t>(batch.ids), at::kFloat).unsqueeze(1);
  EXPECT_TRUE(at::equal(shared.all_of(shared.rows_of(all)), all));
  const at::Tensor changed = all.clone();
  changed[batch.starts[3]] = 0.0f;
  EXPECT_TRUE(at::equal(shared.rows_of(changed), changed));
  EXPECT_EQ(shared.layout().num_rows(), batch.num_tokens());
  EXPECT_EQ(SharedBeginnings(batch, at::kCPU, /*shares=*/false).layout().num_rows(), batch.num_tokens());
}

TEST_P(TinyModel, GreedyAnswersEqualRepeatedForwardPasses) {
  const Decoder model = load_tiny(GetParam());
  const std::vector<TokenIds> prompts = {{1, 5, 9}, {42}, {7, 7, 7, 12, 13, 14, 15}};
  const auto answers = generate(model, prompts, {.max_new_tokens = 9, .batch_size = 2}, silent_progress());
  for (size_t i = 0; i < prompts.size(); ++i) {
    TokenIds ids = prompts[i];
    for (int step = 0; step < 9; ++step) {
      ids.push_back(static_cast<int32_t>(model.forward(pack({&ids, 1})).logits[-1].argmax().item<int64_t>()));
    }
    EXPECT_EQ(answers[i].ids, TokenIds(ids.begin() + static_cast<int64_t>(prompts[i].size()), ids.end()));
    EXPECT_FALSE(answers[i].stopped);
  }
}

TEST_P(TinyModel, StartsInTheMiddleAndStopsEarly) {
  const Decoder model = load_tiny(GetParam());
  const PackedBatch batch = pack(std::vector<TokenIds>{{1, 2, 3}, {4, 5}});
  const Pass whole = run(model, batch);
  ForwardOptions early{.last_layer = 0};
  const at::Tensor first = model.forward(batch, early).resid;
  EXPECT_TRUE(at::equal(first, whole.resid[0]));
  ForwardOptions late;
  late.first_layer = 1;
  late.resid_in = first;
  EXPECT_TRUE(at::equal(model.forward(batch, late).logits, whole.logits));
}

TEST_P(TinyModel, NarrowWeightsStayClose) {
  const Decoder exact = load_tiny(GetParam());
  const PackedBatch batch = pack(std::vector<TokenIds>{{1, 2, 3, 50, 60, 70}});
  const at::Tensor logits = exact.forward(batch).logits;
  for (const auto& [quantization, tolerance] : {std::pair("fp16", 0.01), std::pair("bf16", 0.08), std::pair("int8", 0.08)}) {
    const at::Tensor narrow = load_tiny(GetParam(), quantization).forward(batch).logits;
    const double error = ((narrow - logits).norm() / logits.norm()).item<double>();
    EXPECT_LT(error, tolerance) << quantization;
    EXPECT_GT(error, 0.0) << quantization;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, TinyModel,
                         testing::Values("llama_tied", "llama_untied", "llama3_bias", "qwen2", "qwen2_yarn", "qwen3", "mistral",
                                         "gemma", "gemma2", "gemma3", "phi3", "phi3_long", "olmo2", "gpt2", "gpt_neox",
                                         "gpt_neox_serial", "smollm3"));

TEST_P(TinyModel, LeftInTheFileIsTheSameModel) {
  const PackedBatch batch = pack(std::vector<TokenIds>{{1, 2, 3, 50, 60, 70}, {9}});
  const at::Tensor wanted = load_tiny(GetParam()).forward(batch).logits;
  EXPECT_LT(largest(load_tiny(GetParam(), "stored").forward(batch).logits - wanted), 1e-5 * std::max(1.0, largest(wanted)));
}

TEST(Fidelity, IsPerfectForTheSameModelAndWorseForFewerBits) {
  const Decoder exact = load_tiny("qwen3");
  const std::vector<TokenIds> texts = {{1, 2, 3, 50, 60, 70}, {}, {9, 8}};
  const Fidelity same = measure_fidelity(exact, exact, texts, silent_progress());
  EXPECT_EQ(same.mean_kl, 0.0);
  EXPECT_EQ(same.same_best, 1.0);
  EXPECT_EQ(same.num_tokens, 8);
  const Fidelity half = measure_fidelity(exact, load_tiny("qwen3", "fp16"), texts, silent_progress());
  const Fidelity int8 = measure_fidelity(exact, load_tiny("qwen3", "int8"), texts, silent_progress());
  EXPECT_GT(int8.mean_kl, half.mean_kl);
  EXPECT_GE(int8.largest_kl, int8.mean_kl);
  EXPECT_LT(int8.mean_kl, 0.05);
  EXPECT_THROW(measure_fidelity(exact, Decoder([&] {
                                  Decoder::Parts parts = exact.parts();
                                  parts.config.vocab_size = 5;
                                  return parts;
                                }()),
                                texts, silent_progress()),
               Error);
}

class TinyGguf : public testing::TestWithParam<std::string> {};

TEST_P(TinyGguf, HoldsTheSameModelAsTheCheckpoint) {
  const Decoder wanted = load_tiny(GetParam());
  const Decoder got = load_model(resolve_model((kData / "gguf" / (GetParam() + ".gguf")).string(), {}), {.quantization = "fp32"},
                                 silent_progress());
  const PackedBatch batch = pack(std::vector<TokenIds>{{1, 5, 9, 100, 127, 3, 3, 64, 17, 2, 8, 90}, {42}});
  EXPECT_LT(largest(got.forward(batch).logits - wanted.forward(batch).logits), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Families, TinyGguf,
                         testing::Values("gemma", "gemma2", "gpt2", "gpt_neox", "olmo2", "phi3", "qwen3", "smollm3"));

TEST(Transplant, AllBlocksOfTheTargetMakeTheTarget) {
  const Decoder base = load_tiny("llama_tied");
  Decoder::Parts parts = base.parts();
  std::swap(parts.layers[0], parts.layers[2]);
  const Decoder target(parts);
  const PackedBatch batch = pack(std::vector<TokenIds>{{1, 2, 3}});
  const at::Tensor wanted = target.forward(batch).logits;
  EXPECT_TRUE(at::equal(transplant(base, target, 0, 3).forward(batch).logits, wanted));
  EXPECT_FALSE(at::equal(transplant(base, target, 0, 1).forward(batch).logits, wanted));
  EXPECT_TRUE(at::equal(transplant(base, target, 1, 1).forward(batch).logits, base.forward(batch).logits));
}

TEST(Generate, StopsBeforeAStopTokenAndSamplesAlikeInAnyBatch) {
  const Decoder model = load_tiny("qwen2");
  const std::vector<TokenIds> prompts = {{1, 5, 9}, {42, 3}, {7, 7, 7}};
  const auto greedy = generate(model, prompts, {.max_new_tokens = 8}, silent_progress());
  const int32_t stop = greedy[0].ids[3];
  const auto stopped = generate(model, prompts, {.max_new_tokens = 8, .stop_ids = {stop}}, silent_progress());
  EXPECT_TRUE(stopped[0].stopped);
  EXPECT_LE(stopped[0].ids.size(), 3u);
  const GenerateOptions sampling{.max_new_tokens = 8, .temperature = 1.0, .top_p = 0.9, .seed = 3};
  GenerateOptions one_by_one = sampling;
  one_by_one.batch_size = 1;
  const auto together = generate(model, prompts, sampling, silent_progress());
  const auto alone = generate(model, prompts, one_by_one, silent_progress());
  for (size_t i = 0; i < prompts.size(); ++i) EXPECT_EQ(together[i].ids, alone[i].ids);
}

// Counts of 4,000 draws against the softmax: with all tokens, and with those alone that make 60% of it.
TEST(Generate, DrawsTokensAsOftenAsTheirProbabilitySays) {
  const Decoder model = load_tiny("qwen2");
  const std::vector<TokenIds> prompts(4000, TokenIds{1, 5, 9});
  const double temperature = 0.5;
  ForwardOptions last;
  last.logit_rows = at::tensor({int64_t{2}});
  const at::Tensor all = model.forward(pack({prompts.data(), 1}), last).logits[0].div(temperature).softmax(-1).to(at::kDouble);
  for (const double top_p : {1.0, 0.6}) {
    const auto [sorted, order] = all.sort(-1, /*descending=*/true);
    const at::Tensor kept = (sorted.cumsum(-1) - sorted).lt(top_p - 1e-9) * sorted;
    const at::Tensor wanted = at::zeros_like(all).scatter_(0, order, kept / kept.sum());
    at::Tensor counts = at::zeros_like(all);
    for (const Generation& drawn :
         generate(model, prompts, {.max_new_tokens = 1, .temperature = temperature, .top_p = top_p, .batch_size = 500},
                  silent_progress()))
      counts[drawn.ids.at(0)] += 1.0 / static_cast<double>(prompts.size());
    const at::Tensor tolerance = 5.0 * (wanted * (1.0 - wanted) / static_cast<double>(prompts.size())).sqrt() + 1e-3;
    EXPECT_TRUE((counts - wanted).abs().lt(tolerance).all().item<bool>()) << "top_p " << top_p;
  }
}

// Eleven prompts over one, two or eleven slots: those that end early make room for the others.
TEST(Generate, AnswersDoNotDependOnTheNumberOfSlotsOrASharedBeginning) {
  const Decoder model = load_tiny("llama_untied");
  TokenIds beginning;
  for (int32_t id = 10; id < 22; ++id) beginning.push_back(id);
  std::vector<TokenIds> prompts;
  for (int32_t i = 0; i < 11; ++i) {
    prompts.push_back(beginning);
    for (int32_t k = 0; k <= i % 4; ++k) prompts.back().push_back(30 + i + k);
  }
  GenerateOptions options{.max_new_tokens = 7, .batch_size = 11};
  options.stop_ids = {generate(model, prompts, options, silent_progress())[4].ids[2]};
  const auto together = generate(model, prompts, options, silent_progress());
  for (const int64_t slots : {1, 2, 3}) {
    options.batch_size = slots;
    const auto answers = generate(model, prompts, options, silent_progress());
    for (size_t i = 0; i < prompts.size(); ++i) EXPECT_EQ(answers[i].ids, together[i].ids);
  }
  for (size_t i = 0; i < prompts.size(); ++i) {  // alone there is no shared beginning
    EXPECT_EQ(generate(model, {&prompts[i], 1}, options, silent_progress())[0].ids, together[i].ids);
  }
}

TEST(Generate, EndsWhereThePositionsEnd) {
  const Decoder model = load_tiny("gpt2");  // 64 learned positions
  const std::vector<TokenIds> prompts = {TokenIds(60, 3), TokenIds(64, 5)};
  const auto answers = generate(model, prompts, {.max_new_tokens = 40}, silent_progress());
  EXPECT_EQ(answers[0].ids.size(), 5u);  // positions 60 to 63 are read, and the last one still predicts a token
  EXPECT_EQ(answers[1].ids.size(), 1u);
  EXPECT_THROW(generate(model, std::vector<TokenIds>{TokenIds(65, 3)}, {}, silent_progress()), Error);
}

TEST(LoadModel, BadInputIsNamed) {
  const auto code_of = [](auto&& body) {
    try {
      body();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code_of([] { resolve_model("/nonexistent/model", {}); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([] { load_model(resolve_model((kData / "qwen2").string(), {}), {.device = "cuda:7"}, silent_progress()); }),
            ErrorCode::kUnsupported);
  const Decoder model = load_tiny("llama_tied");
  EXPECT_EQ(code_of([&] { model.forward(pack(std::vector<TokenIds>{{128}})); }), ErrorCode::kIncompatible);
  EXPECT_EQ(code_of([&] { model.forward(pack(std::vector<TokenIds>{TokenIds(65, 1)})); }), ErrorCode::kUsage);
}

class SmolLm2 : public testing::TestWithParam<std::string> {};

TEST_P(SmolLm2, MatchesThePeer) {
  const auto path = smollm2_path();
  ASSERT_TRUE(path) << "SmolLM2 is not there; run make setup";
  const std::string kind = GetParam();
  const Decoder base =
      load_model(resolve_model(path->string(), {}), {.device = "cpu", .quantization = "fp32"}, silent_progress());
  const std::filesystem::path adapter = std::filesystem::path(FI_TEST_DATA) / "../../demo/stepwise";
  const Decoder model = kind == "base" ? base : apply_adapter(base, adapter);
  EXPECT_EQ(model.parts().layers[0]->attention.query.weight, base.parts().layers[0]->attention.query.weight);
  const SafetensorsFile goldens = SafetensorsFile::open(kData / "smollm2.safetensors");
  const std::vector<TokenIds> sequences = sequences_of(goldens);
  for (size_t i = 0; i < sequences.size(); ++i) {
    const Pass got = run(model, pack({&sequences[i], 1}));
    const std::string number = std::to_string(i);
    EXPECT_LT(largest(got.logits.slice(1, 0, std::nullopt, 512) - tensor_of(goldens, kind + ".logits." + number)), 1e-3);
    EXPECT_TRUE(at::equal(got.logits.argmax(-1).to(at::kFloat), tensor_of(goldens, kind + ".best." + number)));
    const at::Tensor resid = tensor_of(goldens, kind + ".resid." + number);
    for (int64_t layer = 0; layer < resid.size(0); ++layer) {
      const at::Tensor coordinates = got.resid[layer].slice(1, 0, std::nullopt, 18);
      EXPECT_LT((coordinates - resid[layer]).norm().item<double>(), 1e-4 * resid[layer].norm().item<double>())
          << "layer " << layer;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(BaseAndAdapter, SmolLm2, testing::Values("base", "stepwise"));

}  // namespace
}  // namespace fi
