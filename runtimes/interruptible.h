#pragma once

namespace lingate::runtimes {

// What the watchdog can end. interrupt() comes from the watchdog's thread, must not block and must not allocate.
class Interruptible {
 public:
  virtual void interrupt() noexcept = 0;

 protected:
  ~Interruptible() = default;
};

}  // namespace lingate::runtimes
