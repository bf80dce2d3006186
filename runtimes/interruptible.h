// Interruptible: what the watchdog can end.
//
// Thread: interrupt() comes from the watchdog's; it must not block and must not allocate. Lifetime: longer than its
// Watch.
#pragma once

namespace lingate::runtimes {

class Interruptible {
 public:
  virtual void interrupt() noexcept = 0;

 protected:
  ~Interruptible() = default;
};

}  // namespace lingate::runtimes
