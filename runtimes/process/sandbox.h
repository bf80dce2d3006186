// Sandbox: what a worker process may do, which is little more than compute: no network, no new processes, no signal to
// others, no new privileges and no capabilities; files as files.h says, and none for writing without a grant. What is
// denied fails with EPERM or EACCES, so that a script gets an error and not the end of its process.
//
// Thread: the worker's main thread, before it makes others. Lifetime: of the process; nothing here can be taken back.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtimes/runtime.h"

namespace lingate::runtimes::process {

// What of it this system has.
struct Means {
  bool seccomp = false;
  int landlock = 0;  // its version; 0: none
};
Means sandbox_means() noexcept;

// The backstop behind the engine's own limit: how many bytes the process may hold beyond what it holds when it is
// confined. Sanitizers want no ceiling.
std::uint64_t ceiling_for(const Script& script) noexcept;

// Closes what descriptors there are beside the link's, and shuts the process in. The result is what this system does
// not have, in words for the log; what would be open without it stays closed.
std::vector<std::string_view> confine(const Script& script);

}  // namespace lingate::runtimes::process
