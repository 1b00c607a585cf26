#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace fi {

/// A value of a curve at a step.
struct Scalar {
  std::string name;
  double value = 0.0;
};

/// Curves as TensorBoard reads them: TFRecords (length and content, each with a masked CRC-32C) of Event protocol buffers with
/// scalar summaries. A step counts as a second of wall time, so that the same run writes the same bytes. An earlier file is
/// replaced.
class EventFile {
 public:
  explicit EventFile(const std::filesystem::path& path);
  void append(int64_t step, const std::vector<Scalar>& scalars);
  /// Hands what was appended to the system. kDisk on failure.
  void flush();

 private:
  void write_record(const std::string& event);

  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace fi
