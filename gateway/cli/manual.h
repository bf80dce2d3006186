// The manual page lingate(1), from the verbs and options as the command line describes them.
//
// Pure function. Thread: the main thread's.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace lingate::cli {

std::string manual(const CLI::App& app);

}  // namespace lingate::cli
