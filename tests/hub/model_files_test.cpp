#include "fi/hub/model_files.h"

#include <gtest/gtest.h>

#include "fi/core/json.h"
#include "fi/hub/cache.h"
#include "fi/io/atomic_file.h"
#include "tests/support/failure.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";

std::string index_of(const std::string& first, const std::string& second) {
  return Json({{"metadata", {{"total_size", 8}}}, {"weight_map", {{"a", first}, {"b", second}}}}).dump();
}

// A cache that holds "org/name" at "main" and at refs/pr/1, as huggingface_hub writes it.
void fill_cache(const std::filesystem::path& cache, const std::vector<std::string>& files) {
  const CachedModel model(cache, "org/name");
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string etag = fmt::format("{:040x}", i);
    write_file_atomically(model.blob(etag),
                          files[i] == "model.safetensors.index.json" ? index_of("1.safetensors", "2.safetensors") : "{}");
    model.link(kCommit, files[i], etag);
  }
  model.set_reference("main", kCommit);
  model.set_reference("refs/pr/1", kCommit);
}

HubOptions offline(const TemporaryFolder& folder) {
  HubOptions options{.cache_dir = folder.path(), .offline = true};
  options.settings.emplace();
  options.http = []() -> std::unique_ptr<HttpClient> { throw std::logic_error("a socket would have been opened"); };
  return options;
}

TEST(ResolveModel, FindsAFolderWithOneFileOrShards) {
  const TemporaryFolder folder;
  folder.write("m/config.json", "{}");
  folder.write("m/tokenizer.json", "{}");
  folder.write("m/model.safetensors", "");
  const ModelFiles single = resolve_model((folder.path() / "m").string(), {});
  EXPECT_EQ(single.weights, std::vector{folder.path() / "m/model.safetensors"});
  EXPECT_EQ(single.tokenizer, folder.path() / "m/tokenizer.json");
  EXPECT_FALSE(single.chat_template.has_value());
  folder.write("m/model.safetensors.index.json", index_of("2.safetensors", "sub/1.safetensors"));
  folder.write("m/2.safetensors", "");
  folder.write("m/sub/1.safetensors", "");
  EXPECT_EQ(resolve_model((folder.path() / "m").string(), {}).weights,
            (std::vector{folder.path() / "m/2.safetensors", folder.path() / "m/sub/1.safetensors"}));
}

// Row 11.
TEST(ResolveModel, MissingShardsAreAllListed) {
  const TemporaryFolder folder;
  folder.write("config.json", "{}");
  folder.write("model.safetensors.index.json", index_of("1.safetensors", "2.safetensors"));
  expect_failure([&] { resolve_model(folder.path().string(), {}); }, ErrorCode::kInvalid,
                 {"model.safetensors.index.json", "missing: 1.safetensors, 2.safetensors"});
}

// Row 12: the files exist, but must not be opened.
TEST(ResolveModel, ShardsOutsideTheFolderAreRefused) {
  const TemporaryFolder folder;
  folder.write("outside.safetensors", "");
  folder.write("m/config.json", "{}");
  const std::string absolute = (folder.path() / "outside.safetensors").string();
  for (const std::string& shard :
       {std::string("../outside.safetensors"), absolute, std::string("sub/../../outside.safetensors")}) {
    folder.write("m/model.safetensors.index.json", index_of(shard, "x"));
    expect_failure([&] { resolve_model((folder.path() / "m").string(), {}); }, ErrorCode::kInvalid,
                   {"model.safetensors.index.json", shard, "for 'a'"});
  }
}

TEST(ResolveModel, DamagedIndexesAreNamed) {
  const TemporaryFolder folder;
  folder.write("config.json", "{}");
  for (const char* index : {"", "[]", "{}", R"({"weight_map":[]})", R"({"weight_map":{"a":1}})", R"({"weight_map":{}})",
                            R"({"weight_map":{"a":"x","a":"y"}})", "version https://git-lfs.github.com/spec/v1"}) {
    folder.write("model.safetensors.index.json", index);
    expect_failure([&] { resolve_model(folder.path().string(), {}); }, ErrorCode::kInvalid, {"model.safetensors.index.json"});
  }
}

TEST(ResolveModel, SaysWhatAFolderLacks) {
  const TemporaryFolder folder;
  const auto resolve = [&] { resolve_model(folder.path().string(), {}); };
  expect_failure(resolve, ErrorCode::kNotFound, {folder.path().string(), "neither model.safetensors nor a GGUF file"});
  folder.write("pytorch_model.bin", "");
  expect_failure(resolve, ErrorCode::kUnsupported, {"pytorch_model.bin", "convert"});
  folder.write("model.safetensors", "");
  expect_failure(resolve, ErrorCode::kNotFound, {folder.path().string(), "no config.json"});
}

TEST(ResolveModel, OneGgufIsFoundAndTwoAreAsked) {
  const TemporaryFolder folder;
  folder.write("a.gguf", "");
  EXPECT_EQ(resolve_model(folder.path().string(), {}).weights, std::vector{folder.path() / "a.gguf"});
  EXPECT_EQ(resolve_model((folder.path() / "a.gguf").string(), {}).format, WeightFormat::kGguf);
  folder.write("b.gguf", "");
  expect_failure([&] { resolve_model(folder.path().string(), {}); }, ErrorCode::kUsage, {"2 GGUF files"});
  expect_failure([&] { resolve_model(folder.write("x.bin", "").string(), {}); }, ErrorCode::kUnsupported, {"x.bin"});
}

TEST(ResolveModel, AdaptersAreNoModels) {
  const TemporaryFolder folder;
  folder.write("adapter_config.json", "{}");
  expect_failure([&] { resolve_model(folder.path().string(), {}); }, ErrorCode::kUsage, {"is an adapter", "--target-adapter"});
  expect_failure([&] { with_adapter({}, folder.path()); }, ErrorCode::kNotFound, {"adapter_model.safetensors"});
  expect_failure([&] { with_adapter({}, folder.path() / "none"); }, ErrorCode::kNotFound, {"adapter_config.json"});
}

TEST(ResolveModel, MisspeltPathsGetTheNearestName) {
  const TemporaryFolder folder;
  folder.write("my-model/config.json", "{}");
  expect_failure([&] { resolve_model((folder.path() / "my-modle").string(), {}); }, ErrorCode::kNotFound,
                 {"my-modle", "did you mean", "my-model"});
  expect_failure([] { resolve_model("", {}); }, ErrorCode::kUsage, {"empty"});
  expect_failure([&] { resolve_model("gtp2", offline(folder)); }, ErrorCode::kNotFound, {"'gtp2'", folder.path().string()});
}

TEST(ResolveModel, FindsHubNamesInTheCacheWithoutASocket) {
  const TemporaryFolder folder;
  fill_cache(folder.path(), {"config.json", "tokenizer.json", "model.safetensors"});
  for (const std::string& revision : {std::string("main"), std::string("refs/pr/1"), kCommit}) {
    HubOptions options = offline(folder);
    options.offline = false;  // complete: nobody asks the hub
    options.revision = revision;
    const ModelFiles files = resolve_model("org/name", options);
    EXPECT_EQ(files.revision, kCommit);
    EXPECT_EQ(files.weights, std::vector{folder.path() / "models--org--name/snapshots" / kCommit / "model.safetensors"});
  }
}

// Row 31.
TEST(ResolveModel, OfflineListsWhatThePartlyFilledCacheLacks) {
  const TemporaryFolder folder;
  expect_failure([&] { resolve_model("org/name", offline(folder)); }, ErrorCode::kNotFound,
                 {"'org/name'", "every file is missing"});
  fill_cache(folder.path(), {"config.json", "model.safetensors.index.json", "1.safetensors"});
  expect_failure([&] { resolve_model("org/name", offline(folder)); }, ErrorCode::kNotFound,
                 {"tokenizer.json, 2.safetensors missing", "models--org--name"});
}

TEST(ResolveModel, AKnownAbsenceIsNotAsked) {
  const TemporaryFolder folder;
  fill_cache(folder.path(), {"config.json", "model.safetensors"});
  CachedModel(folder.path(), "org/name").mark_absent(kCommit, "tokenizer.json");
  EXPECT_FALSE(resolve_model("org/name", offline(folder)).tokenizer.has_value());
}

}  // namespace
}  // namespace fi
