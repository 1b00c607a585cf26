#include "fi/io/pt_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <functional>

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"
#include "fi/io/pickle_machine.h"

namespace fi {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const fs::path kGoldens = fs::path(FI_TEST_DATA) / "pt";

std::vector<float> floats(const PtFile& file, const std::string& name) {
  const PtTensor* tensor = file.find(name);
  EXPECT_NE(tensor, nullptr) << name;
  return tensor == nullptr ? std::vector<float>() : tensor->to_floats();
}

TEST(PtFile, ReadsAStateDictionary) {
  const PtFile file = PtFile::open(kGoldens / "state.pt");
  EXPECT_EQ(file.tensors().size(), 3U);
  EXPECT_THAT(file.find("W_enc")->shape, ElementsAre(2, 3, 4));
  EXPECT_EQ(floats(file, "W_enc")[23], 23.0F);
  EXPECT_THAT(floats(file, "b_enc"), ElementsAre(0.5F, -1.5F));
  const PtFile module = PtFile::open(kGoldens / "module.pt");
  EXPECT_THAT(module.find("weight")->shape, ElementsAre(2, 3));
}

TEST(PtFile, ReadsViewsParametersAndWhatIsNested) {
  const PtFile file = PtFile::open(kGoldens / "nested.pt");
  EXPECT_THAT(floats(file, "model.weight"), ElementsAre(1.0F, 1.0F));
  EXPECT_THAT(file.find("model.view")->shape, ElementsAre(4, 3));
  EXPECT_THAT(floats(file, "model.view"), ElementsAre(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11));
  EXPECT_THAT(floats(file, "model.part"), ElementsAre(16, 17, 18, 19, 20, 21, 22, 23));
  EXPECT_THAT(floats(file, "bf16"), ElementsAre(1.0F, 2.5F));
}

class Damaged : public testing::Test {
 protected:
  void TearDown() override { fs::remove(path_); }

  std::string message(const std::string& bytes, ErrorCode code) const {
    write_file_atomically(path_, bytes);
    try {
      PtFile::open(path_);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return error.what();
    }
    return "nothing was refused";
  }

  // Replaces bytes wherever they occur, checksums left as they are.
  static std::string replaced(std::string text, const std::string& from, const std::string& to) {
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
    return text;
  }

  const std::string whole_ = read_file(kGoldens / "state.pt", "test");
  const fs::path path_ = fs::temp_directory_path() / ("fi_pt_" + std::to_string(::getpid()) + ".pt");
};

TEST_F(Damaged, ZipRulesHold) {
  EXPECT_THAT(message("", ErrorCode::kInvalid), HasSubstr("pt"));
  EXPECT_THAT(message("PK", ErrorCode::kInvalid), HasSubstr("too small"));
  EXPECT_THAT(message(std::string(500, 'x'), ErrorCode::kInvalid), HasSubstr("no directory"));
  EXPECT_THAT(message("7z\xBC\xAF\x27\x1C" + std::string(100, '\0'), ErrorCode::kInvalid), HasSubstr("no directory"));
  EXPECT_THAT(message(read_file(kGoldens / "legacy.pt", "test"), ErrorCode::kUnsupported), HasSubstr("old torch file"));
  // A number of the data, the pickle, and names.
  std::string bent = whole_;
  const float number = 23.0F;
  bent[bent.find(std::string(reinterpret_cast<const char*>(&number), 4))] ^= 1;
  EXPECT_THAT(message(bent, ErrorCode::kInvalid), HasSubstr("does not have its checksum"));
  EXPECT_THAT(message(replaced(whole_, "state/data/1", "state/data/0"), ErrorCode::kInvalid), HasSubstr("there twice"));
  EXPECT_THAT(message(replaced(whole_, "state/version", "../../version"), ErrorCode::kInvalid),
              HasSubstr("no plain relative path"));
  bent = whole_;
  bent[bent.find("state/data/0")] = 'X';
  EXPECT_THAT(message(bent, ErrorCode::kInvalid), HasSubstr("differs from the directory"));
  EXPECT_THAT(message(replaced(whole_, "state/data/1", "state/data/7"), ErrorCode::kInvalid), HasSubstr("lacks record"));
  EXPECT_THAT(message(replaced(whole_, "state/data.pkl", "state/dato.pkl"), ErrorCode::kInvalid), HasSubstr("0 records"));
}

TEST_F(Damaged, CompressionAndEncryptionAreRefused) {
  const auto with_directory_field = [&](size_t field, uint16_t value) {
    std::string bent = whole_;
    std::memcpy(bent.data() + bent.find("PK\x01\x02") + field, &value, 2);
    return bent;
  };
  EXPECT_THAT(message(with_directory_field(10, 8), ErrorCode::kUnsupported), HasSubstr("is compressed"));
  EXPECT_THAT(message(with_directory_field(8, 0x809), ErrorCode::kUnsupported), HasSubstr("is encrypted"));
}

TEST_F(Damaged, NoCutAndNoFlippedByteDoesHarm) {
  for (size_t size = 0; size < whole_.size(); size += 13) {
    EXPECT_THAT(message(whole_.substr(0, size), ErrorCode::kInvalid), HasSubstr("[")) << size;
  }
  for (size_t at = 0; at < whole_.size(); at += 7) {
    std::string bent = whole_;
    bent[at] = static_cast<char>(bent[at] ^ 0x55);
    write_file_atomically(path_, bent);
    try {
      const PtFile file = PtFile::open(path_);
      for (const PtTensor& tensor : file.tensors()) tensor.to_floats();
    } catch (const Error&) {
      // a message, never a crash
    }
  }
}

std::string run(const std::string& pickle, ErrorCode code) {
  PickleHeap heap;
  try {
    run_pickle(std::as_bytes(std::span(pickle)), "test.pt", heap);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "nothing was refused";
}

TEST(Pickle, RunsNothing) {
  EXPECT_THAT(run("cos\nsystem\n(X\x02\0\0\0ls", ErrorCode::kUnsupported), HasSubstr("the name 'os system' is not allowed"));
  EXPECT_THAT(run("cbuiltins\neval\n.", ErrorCode::kUnsupported), HasSubstr("builtins eval"));
  EXPECT_THAT(run("ctorch\nload\n.", ErrorCode::kUnsupported), HasSubstr("torch load"));
  EXPECT_THAT(run("ctorch._utils\n_rebuild_sparse_tensor\n.", ErrorCode::kUnsupported), HasSubstr("not allowed"));
  for (const char op : {'i', 'o', '\x81', '\x92', '\x93', '\x82', 'P', 'I', 'F', 'S', 'V', 'l', 'd', '0', '2'}) {
    EXPECT_THAT(run(std::string("(") + op, ErrorCode::kUnsupported), HasSubstr("is not allowed"));
  }
}

TEST(Pickle, BrokenProgramsAreRefused) {
  EXPECT_THAT(run("", ErrorCode::kInvalid), HasSubstr("cut off"));
  EXPECT_THAT(run(".", ErrorCode::kInvalid), HasSubstr("left over"));
  EXPECT_THAT(run("t", ErrorCode::kInvalid), HasSubstr("mark that is not there"));
  EXPECT_THAT(run("(u.", ErrorCode::kInvalid), HasSubstr("not there"));
  EXPECT_THAT(run("h\x05.", ErrorCode::kInvalid), HasSubstr("never kept"));
  EXPECT_THAT(run("}K\x01s", ErrorCode::kInvalid), HasSubstr("not there"));
  EXPECT_THAT(run(")K\x01"
                  "a.",
                  ErrorCode::kInvalid),
              HasSubstr("appends to a tuple"));
  EXPECT_THAT(run("NNR.", ErrorCode::kInvalid), HasSubstr("known name"));
  EXPECT_THAT(run(std::string("X\xff\xff\xff\xff", 5) + "abc", ErrorCode::kInvalid), HasSubstr("cut off"));
  EXPECT_THAT(run(std::string(1'100'000, '}'), ErrorCode::kInvalid), HasSubstr("too many values"));
}

TEST(PtTensor, ViewsBeyondTheirStorageAreRefused) {
  // A dictionary that holds itself must not be walked for ever.
  PickleHeap heap;
  const std::string circle = std::string("}q\0X\x01\0\0\0ah\0s.", 13);
  const PickleValue value = run_pickle(std::as_bytes(std::span(circle)), "test.pt", heap);
  EXPECT_EQ(std::get<PickleDict*>(value.value)->size(), 1U);
  PtTensor tensor{.name = "t", .shape = {1'000'000'000}, .strides = {0}};
  tensor.storage.shape = {1};
  EXPECT_THROW(tensor.to_floats(), Error);
}

}  // namespace
}  // namespace fi
