// A file's bytes, up to a limit: devices that never end, files that cannot be read and folders are errors, not
// surprises.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace lingate {

// Or why not, as text: "Permission denied", "more than 64 MiB". A file of more than `most` bytes is one of those.
Result<std::string, std::string> read_file(const std::string& path, std::size_t most);

}  // namespace lingate
