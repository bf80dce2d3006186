// What a terminal of 80 columns shows of a record: the rows of each job side by side, cheapest first.
//
// Thread: pure functions.
#pragma once

#include <string>

#include "gateway/bench/record.h"

namespace lingate::bench {

inline constexpr std::size_t kColumns = 80;

std::string table_of(const Record& record);

}  // namespace lingate::bench
