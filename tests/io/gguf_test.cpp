#include "fi/io/gguf.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <random>

#include "fi/io/atomic_file.h"
#include "tests/support/failure.h"
#include "tests/support/gguf_bytes.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

// A value of every kind, two tensors; `change` may damage it before the bytes are made.
GgufBytes good_file() {
  GgufBytes file;
  file.add_string("general.architecture", "llama");
  file.add_value("a.count", 4, uint32_t{7});
  file.add_array("a.scores", 6, std::vector<float>{1.5f, 2.5f});
  file.add_tensor("w", {8, 2}, 0, 0, 64);
  file.add_tensor("q", {32}, 2, 64, 18);
  return file;
}

Failure open_bytes(const std::string& bytes) {
  static const TemporaryFolder folder;
  const auto path = folder.write("model.gguf", bytes);
  return failure_of([&] { GgufFile::open(path); });
}

TEST(Gguf, ReadsAGoodFile) {
  const TemporaryFolder folder;
  const GgufFile file = GgufFile::open(folder.write("model.gguf", good_file().bytes()));
  EXPECT_EQ(file.get_int("a.count"), 7);
  ASSERT_EQ(file.tensors().size(), 2u);
  EXPECT_EQ(file.tensors()[0].shape, (std::vector<int64_t>{2, 8}));  // outermost first
  EXPECT_EQ(file.tensors()[1].bytes.size(), 18u);
}

TEST(Gguf, TypedAccessNamesKeyAndType) {
  const TemporaryFolder folder;
  const GgufFile file = GgufFile::open(folder.write("model.gguf", good_file().bytes()));
  expect_failure([&] { file.get_string("absent"); }, ErrorCode::kInvalid, {"model.gguf", "lacks", "'absent'"});
  expect_failure([&] { file.get_string("a.count"); }, ErrorCode::kInvalid, {"'a.count'", "not a string"});
  expect_failure([&] { file.get_ints("a.scores"); }, ErrorCode::kInvalid, {"'a.scores'", "array of integers"});
  expect_failure([&] { file.get_double("general.architecture"); }, ErrorCode::kInvalid, {"not a floating point number"});
}

TEST(Gguf, EveryTruncationIsNoticed) {
  const std::string whole = good_file().bytes();
  const size_t end_of_data = whole.size();
  for (size_t size = 0; size < end_of_data; ++size) {
    const Failure failure = open_bytes(whole.substr(0, size));
    EXPECT_EQ(failure.code, ErrorCode::kInvalid) << size;
    EXPECT_NE(failure.message.find("model.gguf at byte"), std::string::npos) << failure.message;
  }
}

TEST(Gguf, RandomDamageIsAnErrorOrAnotherFileButNeverACrash) {
  const std::string whole = good_file().bytes();
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = whole;
    for (int k = 0; k < 1 + i % 4; ++k) {
      constexpr unsigned char kEdges[] = {0, 1, 0x7f, 0x80, 0xff};
      bytes[random() % bytes.size()] = static_cast<char>(random() % 2 ? kEdges[random() % 5] : random() % 256);
    }
    const Failure failure = open_bytes(bytes);
    if (failure.code) {
      EXPECT_TRUE(failure.code == ErrorCode::kInvalid || failure.code == ErrorCode::kUnsupported) << failure.message;
    }
  }
}

struct Fault {
  std::string name;
  std::function<std::string()> bytes;
  ErrorCode code;
  std::vector<std::string> parts;  // of the message
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class GgufFault : public testing::TestWithParam<Fault> {};

TEST_P(GgufFault, NamesFileAndPlace) {
  const Failure failure = open_bytes(GetParam().bytes());
  EXPECT_EQ(failure.code, GetParam().code) << failure.message;
  EXPECT_NE(failure.message.find("model.gguf"), std::string::npos) << failure.message;
  for (const std::string& part : GetParam().parts) {
    EXPECT_NE(failure.message.find(part), std::string::npos) << "'" << part << "' is not in: " << failure.message;
  }
}

template <typename T>
std::function<std::string()> overwritten(size_t offset, T value) {
  return [=] {
    std::string bytes = good_file().bytes();
    std::memcpy(bytes.data() + offset, &value, sizeof value);
    return bytes;
  };
}

template <typename Change>
std::function<std::string()> changed(Change change) {
  return [=] {
    GgufBytes file = good_file();
    change(file);
    return file.bytes();
  };
}

const ErrorCode kInvalid = ErrorCode::kInvalid;
const ErrorCode kUnsupported = ErrorCode::kUnsupported;
constexpr uint64_t kHuge = ~uint64_t{0};

// The header: 4 bytes of magic, version u32, number of tensors u64, number of values u64.
INSTANTIATE_TEST_SUITE_P(
    Header, GgufFault,
    testing::Values(Fault{"empty", [] { return std::string(); }, kInvalid, {"byte 0", "truncated"}},
                    Fault{"magic", overwritten(0, uint32_t{0x46554746}), kInvalid, {"does not begin with 'GGUF'"}},
                    Fault{"version 1", overwritten(4, uint32_t{1}), kUnsupported, {"version 1", "2 and 3"}},
                    Fault{"version 4", overwritten(4, uint32_t{4}), kUnsupported, {"version 4"}},
                    Fault{"big endian", overwritten(4, uint32_t{3u << 24}), kUnsupported, {"version 50331648"}},
                    Fault{"n_tensors", overwritten(8, kHuge), kInvalid, {"18446744073709551615 tensors"}},
                    Fault{"n_tensors one more", overwritten(8, uint64_t{3}), kInvalid, {"byte"}},
                    Fault{"n_kv -1", overwritten(16, kHuge), kInvalid, {"18446744073709551615 metadata values"}},
                    Fault{"n_kv one more", overwritten(16, uint64_t{4}), kInvalid, {"byte"}},
                    Fault{"git-lfs pointer",
                          [] { return std::string("version https://git-lfs.github.com/spec/v1\nsize 9\n"); },
                          kInvalid,
                          {"git-lfs pointer", "git lfs pull"}}));

INSTANTIATE_TEST_SUITE_P(
    Values, GgufFault,
    testing::Values(
        Fault{"key length", overwritten(24, kHuge), kInvalid, {"byte 32", "string of 18446744073709551615 bytes"}},
        Fault{"key length beyond the file", overwritten(24, uint64_t{60000}), kInvalid, {"60000 more bytes expected"}},
        Fault{"type", changed([](GgufBytes& file) { file.add_value("b", 13, uint8_t{0}); }), kInvalid, {"unknown type 13"}},
        Fault{"string length", overwritten(24 + 8 + 20 + 4, kHuge), kInvalid, {"string of"}},
        Fault{
            "boolean 2", changed([](GgufBytes& file) { file.add_value("b", 7, uint8_t{2}); }), kInvalid, {"boolean of value 2"}},
        Fault{"duplicate key",
              changed([](GgufBytes& file) { file.add_value("a.count", 4, uint32_t{8}); }),
              kInvalid,
              {"'a.count' occurs twice"}},
        Fault{"array count",
              changed([](GgufBytes& file) { file.add_array("b", 4, std::vector<uint32_t>{}, kHuge); }),
              kInvalid,
              {"array of 18446744073709551615 values"}},
        Fault{"array of strings",
              changed([](GgufBytes& file) { file.add_array("b", 8, std::vector<uint32_t>{}, uint64_t{1} << 60); }),
              kInvalid,
              {"array of 1152921504606846976 values"}},
        Fault{"array of arrays",
              changed([](GgufBytes& file) { file.add_array("b", 9, std::vector<uint32_t>{1}); }),
              kInvalid,
              {"array of unknown type 9"}},
        Fault{"array of unknown type",
              changed([](GgufBytes& file) { file.add_array("b", 77, std::vector<uint32_t>{1}); }),
              kInvalid,
              {"array of unknown type 77"}},
        Fault{"align 0",
              changed([](GgufBytes& file) { file.add_value("general.alignment", 4, uint32_t{0}); }),
              kInvalid,
              {"general.alignment is no power of two"}},
        Fault{"align 13",
              changed([](GgufBytes& file) { file.add_value("general.alignment", 4, uint32_t{13}); }),
              kInvalid,
              {"general.alignment is no power of two"}},
        Fault{"align 2^31",
              changed([](GgufBytes& file) { file.add_value("general.alignment", 4, uint32_t{1u << 31}); }),
              kInvalid,
              {"general.alignment"}},
        Fault{"align of another type",
              changed([](GgufBytes& file) { file.add_value("general.alignment", 5, int32_t{-32}); }),
              kInvalid,
              {"general.alignment"}},
        Fault{"align that the offsets do not have",
              changed([](GgufBytes& file) { file.add_value("general.alignment", 4, uint32_t{128}); }),
              kInvalid,
              {"'q' begins at data offset 64", "expected 128"}}));

INSTANTIATE_TEST_SUITE_P(
    Tensors, GgufFault,
    testing::Values(
        Fault{"name length",
              changed([](GgufBytes& file) { file.tensors[0].name = std::string(65, 'n'); }),
              kInvalid,
              {"string of 65 bytes"}},
        Fault{"duplicate name", changed([](GgufBytes& file) { file.tensors[1].name = "w"; }), kInvalid, {"'w' occurs twice"}},
        Fault{"five dimensions",
              changed([](GgufBytes& file) { file.tensors[0].shape = {1, 1, 1, 1, 1}; }),
              kInvalid,
              {"'w' has 5 dimensions"}},
        Fault{"n_dims lies",
              changed([](GgufBytes& file) { file.tensors[0].rank = 0xffffffff; }),
              kInvalid,
              {"'w' has 4294967295 dimensions"}},
        Fault{"ne -1", changed([](GgufBytes& file) { file.tensors[0].shape = {kHuge}; }), kInvalid, {"'w' is too large"}},
        Fault{"ne overflow",
              changed([](GgufBytes& file) { file.tensors[0].shape = {1u << 31, 1u << 31, 1u << 31}; }),
              kInvalid,
              {"'w' is too large"}},
        Fault{"ne that pads to zero",
              changed([](GgufBytes& file) { file.tensors[0].shape = {(uint64_t{1} << 63) - 3}; }),
              kInvalid,
              {"'w' is too large"}},
        Fault{"nbytes overflow",
              changed([](GgufBytes& file) { file.tensors[0].shape = {uint64_t{1} << 62}; }),
              kInvalid,
              {"'w' is too large"}},
        Fault{"more than the file",
              changed([](GgufBytes& file) { file.tensors[0].shape = {1u << 20, 1u << 20}; }),
              kInvalid,
              {"'w' needs 4398046511104 bytes at data offset 0"}},
        Fault{"row of part blocks",
              changed([](GgufBytes& file) { file.tensors[1].shape = {16, 2}; }),
              kInvalid,
              {"'q' has rows of 16 values", "multiple of 32"}},
        Fault{"type damaged",
              changed([](GgufBytes& file) { file.tensors[0].type = 0xffffffff; }),
              kInvalid,
              {"'w' has the type number 4294967295"}},
        Fault{"type unknown to us",
              changed([](GgufBytes& file) { file.tensors[0].type = 19; }),
              kUnsupported,
              {"'w' has block type 19", "Q6_K"}},
        Fault{"removed type", changed([](GgufBytes& file) { file.tensors[0].type = 4; }), kUnsupported, {"block type 4"}},
        Fault{"offset unaligned",
              changed([](GgufBytes& file) { file.tensors[1].offset = 65; }),
              kInvalid,
              {"'q' begins at data offset 65"}},
        Fault{"offset -1",
              changed([](GgufBytes& file) { file.tensors[1].offset = kHuge; }),
              kInvalid,
              {"'q' begins at data offset 18446744073709551615"}},
        Fault{"overlap",
              changed([](GgufBytes& file) { file.tensors[1].offset = 0; }),
              kInvalid,
              {"'q' begins at data offset 0", "64"}},
        Fault{"hole", changed([](GgufBytes& file) { file.tensors[1].offset = 96; }), kInvalid, {"'q' begins at data offset 96"}},
        Fault{"not enough data",
              changed([](GgufBytes& file) { file.tensors[1].data_bytes = 17; }),
              kInvalid,
              {"'q' needs 18 bytes at data offset 64", "holds 81"}},
        Fault{"no data",
              changed([](GgufBytes& file) { file.tensors[0].data_bytes = file.tensors[1].data_bytes = 0; }),
              kInvalid,
              {"'w' needs 64 bytes"}}));

TEST(Gguf, CustomAlignmentAndScalarsAreFine) {
  GgufBytes file;
  file.alignment = 8;
  file.add_value("general.alignment", 4, uint32_t{8});
  file.add_tensor("scalar", {}, 0, 0, 4);
  file.add_tensor("empty", {0, 3}, 0, 8, 0);
  EXPECT_EQ(open_bytes(file.bytes()).message, "");
  EXPECT_EQ(open_bytes(file.bytes() + "trailing bytes are allowed").message, "");
}

}  // namespace
}  // namespace fi
