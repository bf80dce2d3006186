// What the limiting steps have in common: by whom they count, their place among all counts, and how they refuse.
//
// Plain functions and values. Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "middleware/builtin.h"
#include "middleware/limits/counted_by.h"
#include "middleware/limits/limits.h"

namespace lingate::middleware::steps {

// Counts of one step. `number` is the same for as long as the step is called the same and counts the same way.
struct Counting {
  limits::Limits& limits;
  limits::CountedBy by;
  std::string name;
  std::uint64_t number = 0;
  std::string shared_name;  // the same on every gateway that has this step

  limits::Key key(const limits::Caller& caller, std::uint64_t more = 0) const noexcept {
    return limits::key_of(limits.hash(), number, caller, more);
  }
  // What a shared store calls that count.
  std::string shared(const limits::Caller& caller, std::uint64_t more = 0) const;
};

// `how` are the settings whose change makes counts begin anew.
Result<Counting> counting_of(const Settings& settings, const StepSurroundings& surroundings, std::string_view how = {});

// An error where `option` is missing and no session could say it instead: sessions have their own limits by their id
// only.
Result<void> needs_own_or(std::string_view step, std::string_view option, const Settings& settings,
                          const limits::CountedBy& by);

Flow refuse(Exchange& exchange, StepRecord& record, int code, std::string_view step);

}  // namespace lingate::middleware::steps
