// Plan: what one process of a benchmark measures, and what it answers: JSON on its command line and on its standard
// output, so that the processes of another build can be asked as well (`bench compare OLD NEW`).
//
// Output, one object a line: {"done": 0.25} now and then, and last either {"arms": […], "curves": […]} or {"error":
// "…"}. A process that measures in turns with another says {"turn": true} before each of its slices and waits for a
// line of input.
//
// Thread: plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/bench/record.h"
#include "gateway/bench/rooms/measure.h"
#include "gateway/bench/rooms/parts.h"

namespace lingate::bench {

// A person's own script and what to ask it with. Whoever measures reads the files.
struct OwnScript {
  std::string path;
  std::string runtime;
  std::string config;             // JSON; empty: null
  Traffic traffic;                // without bodies
  std::string request_body_file;  // empty: none, and bodies are not buffered
  std::string response_body_file;
};

struct Plan {
  std::vector<ArmName> arms;  // job "script" is `own`
  std::optional<OwnScript> own;
  MeasureOptions measuring;  // `until` is the process's own: after `length`
  std::chrono::milliseconds length{0};
  bool in_turns = false;
  bool parts = false;
  bool curves = false;
};

struct ArmAnswer {
  std::string arm;
  std::uint64_t calls = 0;
  double cpu = 0;
  std::vector<Bucket> histogram;
  Parts parts;
};

struct Answer {
  std::vector<ArmAnswer> arms;
  std::vector<Curve> curves;
};

std::string plan_text(const Plan& plan);
Result<Plan> plan_from(std::string_view text);

std::string answer_text(const Answer& answer);  // one line
// What a process has said: that it waits for its turn, progress, its answer, or why it could not.
struct Said {
  bool turn = false;
  std::optional<double> done;
  std::optional<Answer> answer;
  std::optional<std::string> error;
};
Said said_from(std::string_view line);

}  // namespace lingate::bench
