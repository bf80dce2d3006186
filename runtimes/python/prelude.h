// The prelude of the room, prelude.py, as CMakeLists.txt embeds it.
//
// Thread: any; constant. Lifetime: static.
#pragma once

namespace lingate::runtimes::python {

extern const char* const kPrelude;  // prelude.py, embedded by CMakeLists.txt

}  // namespace lingate::runtimes::python
