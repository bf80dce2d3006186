// LastResort: sees to it that the process ends when it is to end, whatever still holds one of its threads: a name
// server that does not answer, a script's native code that nothing can stop. What must not be lost is written before
// the parts of the gateway are taken apart (Gateway::Parts), so from then on the process may end at any moment.
//
// Thread: made, armed and destroyed on one; it has a thread of its own once it is armed. Lifetime: outlives the parts.
#pragma once

#include <chrono>
#include <thread>

#include "base/descriptor.h"

namespace lingate {

class LastResort {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::milliseconds kGrace{700};  // after the drain time, and after a second signal

  LastResort() = default;
  ~LastResort();
  LastResort(const LastResort&) = delete;
  LastResort& operator=(const LastResort&) = delete;

  // Unless this is destroyed before, the process ends with `code` at `deadline`, or kGrace after a SIGTERM or SIGINT
  // that comes meanwhile, if that is earlier. Both are blocked in all threads.
  void arm(int code, Moment deadline);

 private:
  void wait(int code, Moment deadline) noexcept;

  Descriptor signals_;
  Descriptor over_;
  std::thread thread_;
};

}  // namespace lingate
