// Runtimes: `lingate bench runtimes` and `lingate bench script`: which arms, how many processes, and the record.
//
// Thread: the main thread.
#pragma once

#include <string>
#include <vector>

#include "gateway/bench/progress.h"
#include "gateway/bench/rooms/plan.h"

namespace lingate::bench {

struct RuntimesOptions {
  std::string program;            // empty: this one
  std::vector<std::string> only;  // texts that an arm's name must hold one of; empty: all
  std::chrono::seconds duration{130};
  bool curves = true;
};

struct OwnScriptOptions {
  OwnScript script;
  std::vector<std::string> placements{"inline", "thread", "process"};
  std::chrono::seconds duration{20};
};

// Kind "runtimes". The caller adds machine, created and command.
Result<Record> measure_runtimes(const RuntimesOptions& options, Progress& progress);

// Kind "script": the script beside the empty script of its language and the echo room.
Result<Record> measure_script(const OwnScriptOptions& options, Progress& progress);

// Two programs in turns, slice by slice, in pairs of processes: what `bench compare OLD NEW` measures when it is given
// programs.
struct Pair {
  Record before;
  Record after;
};
Result<Pair> measure_pair(const std::string& before, const std::string& after, const RuntimesOptions& options,
                          Progress& progress);

}  // namespace lingate::bench
