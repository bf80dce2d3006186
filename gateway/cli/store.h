// The verb `store` (export, import): what a store keeps as JSON lines, out of one and into another, of whatever kind.
// It opens the store that a configuration names by itself; of the embedded kind no gateway may have it meanwhile.
//
// Thread: the main thread. Lifetime: a call.
#pragma once

#include <string>

#include "gateway/cli/cli.h"

namespace CLI {
class App;
}

namespace lingate::cli {

struct StoreWords {
  std::string config;
  std::string file;  // empty or "-": standard output, standard input
};

void describe_store(CLI::App& store, StoreWords& words);
int store(const CLI::App& store, const StoreWords& words, Program& program, Console& console);

}  // namespace lingate::cli
