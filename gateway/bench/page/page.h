// Page: records as one HTML page that needs nothing but a browser: no network, no other file. Tables and charts are
// drawn by the page's own script from the records' JSON, which travels inside the page, so a reader has the numbers
// too.
//
// Records may come from strangers: nothing in them is ever markup. Thread: any; a pure function.
#pragma once

#include <string>
#include <vector>

#include "gateway/bench/record.h"

namespace lingate::bench {

// With several records the first is the one that the others are compared with.
std::string page_of(const std::vector<Record>& records);

}  // namespace lingate::bench
