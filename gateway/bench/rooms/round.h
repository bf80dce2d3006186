// Round: what a measuring process does: reads its plan, measures, and says so on its standard output (plan.h). A record
// is made of several rounds, each in a fresh process, because where a process happens to lie in memory shifts its
// figures by more than a change of the code often does.
//
// Thread: the main thread of a process of its own.
#pragma once

#include <iosfwd>
#include <string_view>

namespace lingate::bench {

// Returns the exit code: 0, or 1 after an {"error": …}. `in` is read where the plan is to be measured in turns.
int run_round(std::string_view plan, std::istream& in, std::ostream& out);

}  // namespace lingate::bench
