// Inheritance: what this process has from the gateway whose place it takes, which started it (Succession). It serves
// beside that one from the first moment; once it has said so, the other accepts nobody any more and drains.
//
// Thread: the main thread's. Lifetime: until the gateway serves.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/descriptor.h"
#include "base/result.h"
#include "gateway/upgrade/estate.h"

namespace lingate {

// How the two find each other: what the new process has in its environment, and its first descriptor.
inline constexpr const char* kEstateVariable = "LINGATE_UPGRADE";
inline constexpr int kUpgradeChannel = 3;
inline constexpr char kServes = 'S';

struct Inheritance {
  Estate estate;
  Descriptor channel;
  pid_t predecessor = 0;

  // Out of the environment, so that no process that this one starts finds it there. Nothing: this gateway was started
  // by nobody's successor. Before there are threads.
  static Result<std::optional<Inheritance>, std::string> take();

  void tell_serving() const noexcept;
};

}  // namespace lingate
