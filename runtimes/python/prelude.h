#pragma once

namespace lingate::runtimes::python {

extern const char* const kPrelude;  // prelude.py, embedded by CMakeLists.txt

}  // namespace lingate::runtimes::python
