#include "fi/hub/cache.h"

#include <gtest/gtest.h>

#include "fi/hub/hub_settings.h"
#include "fi/io/atomic_file.h"
#include "tests/support/environment.h"
#include "tests/support/failure.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";

TEST(HubName, IsWhatTheHubAcceptsAndNoPath) {
  for (const char* name : {"Qwen/Qwen2-1.5B", "gpt2", "a/b", "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", "o_o/x.y"}) {
    EXPECT_TRUE(is_hub_name(name)) << name;
  }
  for (const char* name :
       {"", "/", "a/", "/a", "a/b/c", "../x", "a/..", ".", "a/.hidden", "a b/c", "a/b:c", "C:\\x", "a/b\n", "é/b"}) {
    EXPECT_FALSE(is_hub_name(name)) << name;
  }
}

TEST(StaysInside, RefusesWhatLeavesTheFolder) {
  for (const char* path : {"a", "a/b.c", "refs/pr/1", "a..b", "...", ".hidden/x"}) EXPECT_TRUE(stays_inside(path)) << path;
  for (const char* path : {"", "/", "/etc/passwd", "..", "../x", "a/../b", "a/..", ".", "a/./b", "a/", "a\\b", "a\nb"}) {
    EXPECT_FALSE(stays_inside(path)) << path;
  }
}

TEST(BlobName, IsAHash) {
  EXPECT_TRUE(is_blob_name(kCommit));
  EXPECT_TRUE(is_blob_name(std::string(64, 'a')));
  for (const std::string& name :
       {std::string(), std::string(41, 'a'), std::string(40, 'A'), std::string(40, 'g'), std::string("..")}) {
    EXPECT_FALSE(is_blob_name(name)) << name;
  }
}

TEST(DefaultHubCache, FollowsTheVariablesInTheirOrder) {
  const Environment environment{{"HOME", "/home/u"},
                                {"HF_HUB_CACHE", std::nullopt},
                                {"HUGGINGFACE_HUB_CACHE", std::nullopt},
                                {"HF_HOME", std::nullopt},
                                {"XDG_CACHE_HOME", std::nullopt}};
  EXPECT_EQ(default_hub_cache(), "/home/u/.cache/huggingface/hub");
  const Environment xdg{{"XDG_CACHE_HOME", "/xdg"}};
  EXPECT_EQ(default_hub_cache(), "/xdg/huggingface/hub");
  const Environment home{{"HF_HOME", "/hf"}};
  EXPECT_EQ(default_hub_cache(), "/hf/hub");
  const Environment old{{"HUGGINGFACE_HUB_CACHE", "/old"}};
  EXPECT_EQ(default_hub_cache(), "/old");
  const Environment cache{{"HF_HUB_CACHE", "/cache"}};
  EXPECT_EQ(default_hub_cache(), "/cache");
}

TEST(HubSettings, ReadsTheEnvironmentAndRefusesNonsense) {
  const TemporaryFolder folder;
  const Environment environment{
      {"HF_HOME", folder.path().string()}, {"HF_ENDPOINT", "https://hub.example///"},       {"HF_TOKEN", std::nullopt},
      {"HF_TOKEN_PATH", std::nullopt},     {"HF_HUB_DISABLE_IMPLICIT_TOKEN", std::nullopt}, {"HF_HUB_OFFLINE", "on"},
      {"HF_HUB_ETAG_TIMEOUT", "2.5"}};
  folder.write("token", " hf_file \n");
  const HubSettings settings = hub_settings_from_environment();
  EXPECT_EQ(settings.endpoint, "https://hub.example");
  EXPECT_EQ(settings.token, "hf_file");
  EXPECT_TRUE(settings.offline);
  EXPECT_EQ(settings.etag_timeout_s, 2.5);
  const Environment token{{"HF_TOKEN", "hf_variable"}};
  EXPECT_EQ(hub_settings_from_environment().token, "hf_variable");
  const Environment smuggled{{"HF_TOKEN", "secret\r\nX-Header: 1"}};
  const Failure failure = failure_of([] { hub_settings_from_environment(); });
  EXPECT_EQ(failure.code, ErrorCode::kUsage);
  EXPECT_EQ(failure.message.find("secret"), std::string::npos);
  const Environment plain{{"HF_TOKEN", "x"}, {"HF_HUB_DOWNLOAD_TIMEOUT", "soon"}};
  expect_failure([] { hub_settings_from_environment(); }, ErrorCode::kUsage, {"HF_HUB_DOWNLOAD_TIMEOUT", "'soon'"});
}

TEST(Loopback, IsThisMachineOnly) {
  for (const char* url :
       {"http://127.0.0.1", "http://127.0.0.1:80/x", "http://localhost:8080", "http://[::1]:1/", "http://127.1.2.3"}) {
    EXPECT_TRUE(is_loopback(url)) << url;
  }
  for (const char* url : {"http://example.com", "http://127.0.0.1.example.com", "http://localhost.example.com",
                          "http://127.0.0.1@x.y", "http://[::2]", "127.0.0.1", "http://128.0.0.1"}) {
    EXPECT_FALSE(is_loopback(url)) << url;
  }
  EXPECT_EQ(origin_of("https://a.b:1/c?d#e"), "https://a.b:1");
}

TEST(CachedModel, WritesAndFindsTheStandardLayout) {
  const TemporaryFolder folder;
  const CachedModel model(folder.path(), "org/name");
  EXPECT_FALSE(model.find("main").has_value());
  const std::string etag(40, 'e');
  write_file_atomically(model.blob(etag), "blob");
  model.link(kCommit, "sub/file.txt", etag);
  model.link(kCommit, "sub/file.txt", etag);  // again is no matter
  model.mark_absent(kCommit, "absent.txt");
  model.set_reference("refs/pr/1", kCommit);
  EXPECT_EQ(folder.files(), (std::set<std::string>{"models--org--name/.no_exist/" + kCommit + "/absent.txt",
                                                   "models--org--name/blobs/" + etag, "models--org--name/refs/refs/pr/1",
                                                   "models--org--name/snapshots/" + kCommit + "/sub/file.txt"}));
  const auto pointer = model.snapshot(kCommit) / "sub/file.txt";
  EXPECT_EQ(std::filesystem::read_symlink(pointer), "../../../blobs/" + etag);
  EXPECT_EQ(read_file(pointer, "test"), "blob");
  EXPECT_EQ(read_file(model.folder() / "refs/refs/pr/1", "test"), kCommit);
  EXPECT_EQ(model.find("refs/pr/1")->commit, kCommit);
  EXPECT_EQ(model.find(kCommit)->folder, model.snapshot(kCommit));
  EXPECT_FALSE(model.find("main").has_value());
  EXPECT_TRUE(model.is_known_absent(kCommit, "absent.txt"));
  EXPECT_FALSE(model.is_known_absent(kCommit, "sub/file.txt"));
}

// Row 9, for a blob whose bits change after it was downloaded.
TEST(VerifiedSha256, ABlobMustBeWhatItIsNamedAfter) {
  const TemporaryFolder folder;
  const std::string sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";  // of "abc"
  EXPECT_EQ(verified_sha256(folder.write("model.safetensors", "abc")), sha256);
  const auto blob = folder.write("blobs/" + sha256, "abc");
  const auto link = folder.path() / "link.safetensors";
  std::filesystem::create_symlink(blob, link);
  EXPECT_EQ(verified_sha256(link), sha256);
  folder.write("blobs/" + sha256, "abb");
  expect_failure([&] { verified_sha256(link); }, ErrorCode::kInvalid, {blob.string(), "damaged", sha256});
  EXPECT_NE(verified_sha256(folder.write("blobs/" + std::string(40, '0'), "x")), "");  // a git hash is of something else
}

TEST(CachedModel, ReferencesAreNoPaths) {
  const TemporaryFolder folder;
  const CachedModel model(folder.path(), "org/name");
  for (const char* revision : {"/etc/passwd", "../../../etc/passwd", "", "a/../b"}) {
    expect_failure([&] { model.find(revision); }, ErrorCode::kUsage, {revision});
  }
  folder.write("models--org--name/refs/main", "../../../../etc");
  expect_failure([&] { model.find("main"); }, ErrorCode::kInvalid, {"refs/main", "no commit hash"});
}

}  // namespace
}  // namespace fi
