// Files: which of them a worker process may open, kept by Landlock (linux/Documentation/userspace-api/landlock.rst): to
// read, the system's libraries, the script's folder and what its grants name; to write, what its grants name. All else,
// `/proc` of other processes with it, is refused with EACCES.
//
// Thread: the worker's main thread, before it makes others. Lifetime: of the process; nothing here can be taken back.
#pragma once

#include "runtimes/runtime.h"

namespace lingate::runtimes::process {

// 0: this system has none.
int landlock_version() noexcept;
inline constexpr int kLandlockMindsTruncation = 3;  // the first version that does

// False: this system has no Landlock, and nothing is confined. Wants no_new_privs.
bool confine_files(const Script& script) noexcept;

}  // namespace lingate::runtimes::process
