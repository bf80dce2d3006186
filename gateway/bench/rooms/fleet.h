// Fleet: the measuring processes of a run, one after the other, and what they say put together into rows.
//
// Thread: the main thread. Lifetime: no process is left when a call returns.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "gateway/bench/progress.h"
#include "gateway/bench/rooms/plan.h"

namespace lingate::bench {

inline constexpr const char* kThisProgram = "/proc/self/exe";

// Runs one process of `program` by `plan`; `told` hears how far it is.
Result<Answer> run_process(const std::string& program, const Plan& plan, const std::function<void(double)>& told);

// The same of two programs at once, which take turns slice by slice: what the machine does meanwhile is done to both.
Result<std::array<Answer, 2>> run_pair(const std::array<std::string, 2>& programs, const Plan& plan,
                                       const std::function<void(double)>& told);

// Rows of a record from the answers of several processes with the same plan: one sample a process.
class Gathered {
 public:
  void add(const Answer& answer);
  std::vector<Row> rows(const std::vector<ArmName>& arms) const;
  std::vector<Curve> curves;

 private:
  struct Seen {
    std::uint64_t calls = 0;
    std::vector<double> cpu, p50, p99, p999, max;
    Histogram latency;
    std::map<std::string, std::vector<double>, std::less<>> parts;
  };
  std::map<std::string, Seen, std::less<>> seen_;
};

}  // namespace lingate::bench
