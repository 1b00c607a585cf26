#include "fi/io/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>

#include "fi/core/json.h"
#include "fi/io/atomic_file.h"
#include "fi/io/jsonl.h"
#include "tests/support/failure.h"
#include "tests/support/temporary_folder.h"

namespace fi {
namespace {

const std::filesystem::path kData = std::filesystem::path(FI_TEST_DATA) / "io";

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 2 <= hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

std::string file_of(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + std::string(data_bytes, '\0');
}

std::vector<float> floats_of(const SafetensorsFile& file, std::string_view name) {
  const StoredTensor* tensor = file.find(name);
  if (tensor == nullptr) return {};
  std::vector<float> values(static_cast<size_t>(tensor->num_values()));
  to_float(*tensor, 0, tensor->num_values(), values.data());
  return values;
}

template <typename T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

// Valid for the reference reader, refused by us: the format says that a header begins with '{'.
bool we_are_stricter(const std::string& name) { return name == "space before header"; }

TEST(Safetensors, AcceptsAndRefusesWhatTheReferenceReaderDoes) {
  const TemporaryFolder folder;
  const std::vector<Json> cases = read_jsonl(kData / "safetensors_cases.jsonl", "test");
  ASSERT_EQ(cases.size(), 205u);
  for (const Json& row : cases) {
    const std::string name = row["name"];
    const auto path = folder.write("case.safetensors", from_hex(row["hex"]));
    const Failure failure = failure_of([&] { SafetensorsFile::open(path); });
    EXPECT_EQ(!failure.code.has_value(), row["accepted"].get<bool>() && !we_are_stricter(name))
        << name << ": " << failure.message;
    if (!failure.code) continue;
    EXPECT_TRUE(failure.code == ErrorCode::kInvalid || failure.code == ErrorCode::kUnsupported) << failure.message;
    EXPECT_NE(failure.message.find("case.safetensors"), std::string::npos) << name << ": " << failure.message;
  }
}

TEST(Safetensors, ReadsWhatThePeerWrote) {
  const SafetensorsFile file = SafetensorsFile::open(kData / "peer.safetensors");
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"format", "pt"}, {"made_by", "safetensors"}}));
  ASSERT_EQ(file.tensors().size(), 5u);
  EXPECT_EQ(file.find("weight")->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(floats_of(file, "weight"), (std::vector<float>{-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f}));
  EXPECT_EQ(floats_of(file, "half"), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(floats_of(file, "ids"), (std::vector<float>{-1, 1099511627776.0f}));
  EXPECT_EQ(floats_of(file, "flags"), (std::vector<float>{1, 0, 1}));
  EXPECT_EQ(file.find("nothing")->shape, (std::vector<int64_t>{0, 4}));
  EXPECT_EQ(file.find("absent"), nullptr);
}

// tools/make_safetensors_goldens.py checks that the peer reads the sample.
TEST(Safetensors, WritesTheKeptSampleByteForByte) {
  const TemporaryFolder folder;
  const std::vector<float> weight = {1.5f, -2.0f, 3.25f, 0.0f, 1e-3f, -1e30f};
  const std::vector<int64_t> ids = {-1, 7};
  write_safetensors(folder.path() / "deep/er/ours.safetensors",
                    {{"weight é", DType::kF32, {3, 2}, bytes_of(weight)},
                     {"nothing", DType::kF16, {0}, {}},
                     {"ids", DType::kI64, {2}, bytes_of(ids)}},
                    {{"format", "pt"}});
  EXPECT_EQ(folder.files(), std::set<std::string>{"deep/er/ours.safetensors"});
  EXPECT_EQ(read_file(folder.path() / "deep/er/ours.safetensors", "test"), read_file(kData / "ours.safetensors", "test"));
  EXPECT_EQ(floats_of(SafetensorsFile::open(kData / "ours.safetensors"), "weight é"), weight);
}

TEST(Safetensors, DoesNotWriteWhatItCouldNotRead) {
  const TemporaryFolder folder;
  const std::vector<float> two = {1, 2};
  const auto path = folder.path() / "x.safetensors";
  EXPECT_THROW(write_safetensors(path, {{"a", DType::kF32, {3}, bytes_of(two)}}, {}), Error);
  EXPECT_THROW(write_safetensors(path, {{"a", DType::kF32, {2}, bytes_of(two)}, {"a", DType::kF32, {2}, bytes_of(two)}}, {}),
               Error);
  EXPECT_TRUE(folder.files().empty());
}

TEST(Safetensors, EveryTruncationIsNoticed) {
  const TemporaryFolder folder;
  const std::string whole = read_file(kData / "peer.safetensors", "test");
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto path = folder.write("cut.safetensors", std::string_view(whole).substr(0, size));
    expect_failure([&] { SafetensorsFile::open(path); }, ErrorCode::kInvalid, {"cut.safetensors"});
  }
}

struct Fault {
  std::string name;
  std::string bytes;
  std::vector<std::string> parts;  // of the message
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class SafetensorsFault : public testing::TestWithParam<Fault> {};

TEST_P(SafetensorsFault, NamesFileAndPlace) {
  const TemporaryFolder folder;
  const auto path = folder.write("model.safetensors", GetParam().bytes);
  const Failure failure = failure_of([&] { SafetensorsFile::open(path); });
  ASSERT_EQ(failure.code, ErrorCode::kInvalid);
  EXPECT_NE(failure.message.find(path.string()), std::string::npos) << failure.message;
  for (const std::string& part : GetParam().parts) {
    EXPECT_NE(failure.message.find(part), std::string::npos) << "'" << part << "' is not in: " << failure.message;
  }
}

std::string tensor(const std::string& name, int begin, int end, const std::string& shape) {
  return fmt::format(R"("{}":{{"dtype":"F32","shape":{},"data_offsets":[{},{}]}})", name, shape, begin, end);
}

INSTANTIATE_TEST_SUITE_P(
    Matrix, SafetensorsFault,
    testing::Values(
        Fault{"row 1", "1234567", {"header too small", "7 bytes"}},
        Fault{"row 2, longer than the file", std::string("\x40\0\0\0\0\0\0\0{}", 10), {"offset 0 is 64", "only 2 bytes"}},
        Fault{
            "row 2, too long", std::string("\xff\xff\xff\xff\0\0\0\0{}", 10), {"offset 0 is 4294967295", "more than 100000000"}},
        Fault{"row 3",
              "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4294967296\n",
              {"git-lfs pointer", "4294967296 bytes", "git lfs pull"}},
        Fault{"row 4",
              file_of("{" + tensor("a", 0, 4, "[1]") + "," + tensor("b", 4, 8, "[1]") + "}", 7),
              {"tensor 'b' ends at data offset 8", "holds 7 data bytes"}},
        Fault{"row 5, trailing", file_of("{" + tensor("a", 0, 4, "[1]") + "}", 5), {"1 bytes follow", "offset 4"}},
        Fault{"row 5, hole", file_of("{" + tensor("a", 4, 8, "[1]") + "}", 8), {"'a' begins at data offset 4", "expected 0"}},
        Fault{"row 5, overlap",
              file_of("{" + tensor("a", 0, 8, "[2]") + "," + tensor("b", 4, 8, "[1]") + "}", 8),
              {"'b' begins at data offset 4", "expected 8"}},
        Fault{"row 6, overflow", file_of("{" + tensor("a", 0, 4, "[4294967296,4294967296]") + "}", 4), {"'a'", "overflows"}},
        Fault{"row 6, negative", file_of("{" + tensor("a", 0, 4, "[-1]") + "}", 4), {"'a' has the size -1"}},
        Fault{"row 6, fractional", file_of("{" + tensor("a", 0, 4, "[1.5]") + "}", 4), {"'a' has the size 1.5"}},
        Fault{"row 6, rank", file_of("{" + tensor("a", 0, 4, "[1,1,1,1,1,1,1,1,1]") + "}", 4), {"'a'", "at most 8 sizes"}},
        Fault{"row 7",
              file_of("{" + tensor("a", 0, 4, "[1]") + "," + tensor("a", 0, 4, "[1]") + "}", 4),
              {"key 'a' twice", "column 2", "column 55"}},
        Fault{"row 8, UTF-8", file_of("{\"\xff\xfe\":1}", 0), {"not valid JSON at line 1, column 3"}},
        Fault{"row 8, nesting", file_of("{\"a\":" + std::string(100'000, '['), 0), {"nested deeper than 4 levels"}}));

TEST(SafetensorsFault, AMillionEntriesAreRefusedEarly) {
  const TemporaryFolder folder;
  std::string header = "{";
  for (int i = 0; i < 1'000'000; ++i) {
    header += (i > 0 ? "," : "") + tensor(std::to_string(i), 0, 0, "[0]");
  }
  const auto path = folder.write("many.safetensors", file_of(header + "}", 0));
  expect_failure([&] { SafetensorsFile::open(path); }, ErrorCode::kInvalid,
                 {"many.safetensors", "opens 1000001 objects", "more than 100000 tensors"});
}

}  // namespace
}  // namespace fi
