#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace fi {

/// Writes the whole file or nothing: a temporary sibling, fsync, rename, fsync of the folder. Makes missing parent folders.
/// kDisk names the path and what the system said.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);
/// The same from pieces that follow each other, so that large data needs not be copied together.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::string_view> pieces);

/// The whole file. kNotFound or kInvalid; `operation` opens the message.
std::string read_file(const std::filesystem::path& path, std::string_view operation);

/// Makes a folder and its parents; kDisk if that is not possible.
void make_folder(const std::filesystem::path& path);

}  // namespace fi
