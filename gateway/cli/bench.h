// The verb `bench` and its own verbs: runtimes, script, http, compare, report. What they measure is gateway/bench's;
// here are their words, and what is printed and written.
#pragma once

#include <string>
#include <vector>

#include "gateway/cli/cli.h"

namespace CLI {
class App;
}

namespace lingate::cli {

// Where a record goes beside the terminal's table.
struct BenchOutput {
  bool json = false;   // the record on standard output instead of the table
  std::string record;  // a file for the record
  std::string page;    // a file for the HTML page
};

struct BenchWords {
  BenchOutput output;
  unsigned seconds = 0;  // 0: the verb's own default
  std::vector<std::string> only;
  bool no_curves = false;

  // script
  std::string script;
  std::string runtime;
  std::string config;
  std::string method = "GET";
  std::string url = "/users/42?verbose=1";
  std::vector<std::string> headers;
  std::string body;           // a file
  std::string response_body;  // a file
  std::vector<std::string> response_headers;
  unsigned status = 200;
  std::string placement = "all";

  // http
  double rate = 0;
  unsigned connections = 64;

  // compare, report
  std::vector<std::string> files;
  std::vector<std::string> fail_on;

  // round
  std::string plan;
};

void describe_bench(CLI::App& bench, BenchWords& words);

// `command` is the command line as typed.
int bench(const CLI::App& bench, const BenchWords& words, const std::string& command, Console& console);

}  // namespace lingate::cli
