// An echo script after parsing: for each hook the steps to take. Constant after load.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtimes/runtime.h"

namespace lingate::runtimes::echo {

struct Step {
  enum class Kind : std::uint8_t {
    set_header,     // NAME VALUE
    add_header,     // NAME VALUE
    remove_header,  // NAME
    copy_header,    // FROM TO
    set_path,       // PATH
    set_status,     // NUMBER
    set_body,       // TEXT
    set_context,    // JSON, a map
    echo_body,      // assigns the body that came
    respond,        // STATUS TEXT
    sleep,          // SECONDS
    spin,           // SECONDS; without: until stopped
    read_all,
    log,   // TEXT
    fail,  // TEXT
  };
  Kind kind = Kind::read_all;
  std::string first;
  std::string rest;
  double number = 0;  // of `first`
  std::uint32_t line = 0;
};

struct Program {
  HookSet hooks;
  std::array<std::vector<Step>, 4> steps;  // by Hook - 1

  const std::vector<Step>& of(Hook hook) const noexcept { return steps[static_cast<std::size_t>(hook) - 1]; }
};

Result<Program, LoadError> parse(const Script& script);

}  // namespace lingate::runtimes::echo
