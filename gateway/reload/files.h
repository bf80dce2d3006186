// The files of a configuration that came by the admin API: whether they may be written, so that nobody's edit is lost,
// and writing those that differ, each whole or not at all.
//
// Thread: the housekeeper's. They look at the file system and keep nothing.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "gateway/admin/configurations.h"
#include "gateway/config/model.h"

namespace lingate {

// Why `next` cannot be saved over what the files held when they were last loaded or saved.
std::optional<admin::NotReplaced> check_files(const config::Written& on_disk, const config::Written& next);

// The included files first, the one that includes them last. The error is for people.
Result<void, std::string> save_files(const config::Written& on_disk, const config::Written& next);

}  // namespace lingate
