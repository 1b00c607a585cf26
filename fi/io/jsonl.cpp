#include "fi/io/jsonl.h"

#include "fi/core/error.h"
#include "fi/io/atomic_file.h"

namespace fi {

std::vector<Json> read_jsonl(const std::filesystem::path& path, std::string_view operation) {
  std::vector<Json> rows;
  if (!std::filesystem::exists(path)) return rows;
  const std::string text = read_file(path, operation);
  size_t begin = 0;
  for (size_t number = 1; begin < text.size(); ++number) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    if (!line.empty()) rows.push_back(parse_json(line, operation, fmt::format("line {} of {}", number, path.string())));
    begin = end + 1;
  }
  return rows;
}

JsonlAppender::JsonlAppender(const std::filesystem::path& path) : path_(path) {
  make_folder(path.parent_path());
  if (std::filesystem::exists(path)) {
    const std::string text = read_file(path, "jsonl");
    const size_t last_newline = text.rfind('\n');
    std::filesystem::resize_file(path, last_newline == std::string::npos ? 0 : last_newline + 1);
  }
  file_.open(path, std::ios::app | std::ios::binary);
  flush();
}

void JsonlAppender::append(const Json& row) { file_ << row.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n'; }

void JsonlAppender::flush() {
  file_.flush();
  check(file_.good(), ErrorCode::kDisk, "[write] cannot append to {}; free disk space or choose a folder that you may write to.",
        path_.string());
}

}  // namespace fi
