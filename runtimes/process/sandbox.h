// Sandbox: what a worker process may do, which is little more than compute: no network, no new processes, no file
// opened for writing, no signal to others, no new privileges and no capabilities. What is denied fails with EPERM, so
// that a script gets an error and not the end of its process. Files can be read: modules stand beside scripts.
//
// Thread: the worker's main thread, before it makes others. Lifetime: of the process; nothing here can be taken back.
#pragma once

#include <cstdint>

namespace lingate::runtimes::process {

// Closes what descriptors there are beside standard output and the link's, and shuts the process in. `memory` is the
// backstop behind the engine's own limit: how many bytes the process may hold beyond what it holds now.
void confine(std::uint64_t memory) noexcept;

}  // namespace lingate::runtimes::process
