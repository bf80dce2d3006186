// The token of the admin API as `admin.token` says it: a text, or a file that the first start makes, with mode 0600 and
// 256 random bits. A file that others can read is refused: it may be known already.
//
// Thread: the main thread's, at the start; clients of the API read it too. Nothing is kept.
#pragma once

#include <string>

#include "base/result.h"
#include "gateway/config/model.h"

namespace lingate::admin {

// Fails with code::kBadAdminToken; the message says place, cause and cure.
Result<std::string> find_or_make_token(const config::AdminToken& token);
Result<std::string> find_token(const config::AdminToken& token);  // a file must be there
Result<std::string> read_token_file(const std::string& path);

}  // namespace lingate::admin
