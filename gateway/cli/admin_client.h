// The admin listener of a running gateway, as the verbs that talk to it see it.
//
// Thread: the caller's; waits up to a few seconds. Lifetime: a call.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace lingate::cli {

struct AdminAnswer {
  unsigned status = 0;
  std::string body;
};

// `address`: HOST:PORT. The error is for the console.
Result<AdminAnswer, std::string> get_from_admin(const std::string& address, std::string_view path);

}  // namespace lingate::cli
