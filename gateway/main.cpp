// lingate: the program. Everything is put together in this folder; each box below it knows only what it is given.
#include <string>
#include <vector>

#include "gateway/cli/cli.h"
#include "gateway/program.h"
#include "runtimes/builtin.h"
#include "runtimes/process/serve.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv, argv + argc);
  if (arguments.size() == 2 && arguments[1] == "worker")  // the role that a pool starts this program in
    return lingate::runtimes::process::serve(lingate::runtimes::builtin_rooms());
  lingate::WholeProgram program;
  lingate::cli::Console console = lingate::cli::standard_console();
  return lingate::cli::run_command_line(arguments, program, console);
}
