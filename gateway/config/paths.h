// Paths that a configuration names: whether they lead to what is needed there. Those that do not are faults with a
// cure.
//
// They look at the file system and keep nothing; any thread.
#pragma once

#include <filesystem>
#include <string_view>

#include "gateway/config/diagnostic.h"
#include "gateway/config/values.h"

namespace lingate::config {

// `text` is as written, `folder` what it is relative to.
Parsed<void> check_script_file(std::string_view text, const std::filesystem::path& folder, const Report& report);
Parsed<void> check_existing_path(std::string_view text, const std::filesystem::path& folder);
Parsed<void> check_output(std::string_view text, const std::filesystem::path& folder);
Parsed<void> check_folder(std::string_view text, const std::filesystem::path& folder);

// A file, or with wildcards (*, ?, [a-z]) in its last part all files of a folder whose name fits.
Parsed<void> check_file_pattern(std::string_view text);
bool has_wildcard(std::string_view text) noexcept;

// What to say of a file that is not there: the one beside it with the closest name, or where it was looked for.
Fault missing_file(std::string_view text, const std::filesystem::path& folder);

}  // namespace lingate::config
