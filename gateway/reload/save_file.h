// Writes a file whole or not at all: beside it first, then renamed into its place, with its mode.
//
// Thread: any. The error is for people.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace lingate {

Result<void, std::string> save_file(const std::string& path, std::string_view text);

}  // namespace lingate
