// Parts: a request's cost split where it crosses: encode (the step and the call's bytes), enter (to the script's first
// line), run (the script), exit (to the verdict's bytes), apply (the verdict, and the step's end).
//
// `encode` and `apply` lie between stamps. What an engine does between entering and returning is split by two scripts:
// what `empty` takes is entering and leaving, in the proportion that `marks` shows; the rest is running. With a thread,
// the ways there and back count as entering and leaving.
//
// Thread: the measuring thread's. Units: nanoseconds per request, medians, wall-clock.
#pragma once

#include <map>
#include <string>

#include "gateway/bench/rooms/arm.h"

namespace lingate::bench {

using Parts = std::map<std::string, double, std::less<>>;

class Splitter {
 public:
  explicit Splitter(Workshop& workshop) : workshop_(workshop) {}

  Result<Parts> split(const ArmName& name);

 private:
  // Of one request: sums over its calls.
  struct Segments {
    double before = 0;
    double inside = 0;
    double after = 0;
    double calls = 0;
  };
  // Of one call of an empty script.
  struct Boundary {
    double enter = 0;
    double exit = 0;
  };

  Result<Segments> segments(const ArmName& name);
  Result<Boundary> boundary(const std::string& runtime);
  Result<double> enter_share(const ArmName& marks);
  Segments look(const Stage::Sides& sides) const noexcept;
  double reading() const noexcept;

  Workshop& workshop_;
  std::map<std::string, Boundary, std::less<>> boundaries_;  // by runtime
};

}  // namespace lingate::bench
