// lingate: the program. Everything is put together in this folder; each box below it knows only what it is given.
#include <malloc.h>

#include <string>
#include <vector>

#include "gateway/cli/cli.h"
#include "gateway/program.h"
#include "runtimes/builtin.h"
#include "runtimes/process/serve.h"

namespace {

// What a script gave back must leave the process: the C library's own thresholds grow with what it has seen, and then
// it keeps up to 64 MiB in the arena of each thread, where malloc_trim() does not reach.
void give_back_large_blocks() {
  constexpr int kLarge = 1024 * 1024;
  ::mallopt(M_MMAP_THRESHOLD, kLarge);
  ::mallopt(M_TRIM_THRESHOLD, kLarge);
}

}  // namespace

int main(int argc, char** argv) {
  give_back_large_blocks();
  const std::vector<std::string> arguments(argv, argv + argc);
  if (arguments.size() == 2 && arguments[1] == "worker")  // the role that a pool starts this program in
    return lingate::runtimes::process::serve(lingate::runtimes::builtin_rooms());
  lingate::WholeProgram program(lingate::Launch::of(arguments));
  lingate::cli::Console console = lingate::cli::standard_console();
  return lingate::cli::run_command_line(arguments, program, console);
}
