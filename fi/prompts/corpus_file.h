#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "fi/prompts/text_corpus.h"

namespace fi {

// The kinds of file that `for_each_text` reads, with its rules and errors.

void read_json_texts(const std::filesystem::path& path, const std::string& column, const std::function<void(CorpusText)>& take);
void read_parquet_texts(const std::filesystem::path& path, const std::string& column,
                        const std::function<void(CorpusText)>& take);
void read_plain_texts(const std::filesystem::path& path, const std::function<void(CorpusText)>& take);

}  // namespace fi
