// Fingerprint: the machine and the build that a record was made on, so that nobody compares what cannot be compared.
//
// Thread: any.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace lingate::bench {

// {"cpu", "Intel Xeon … 2 cores"}, {"kernel", …}, {"memory", …}, {"lingate", "0.1.0, build 5f3a…"}. What cannot be read
// is left out.
std::vector<std::pair<std::string, std::string>> fingerprint();

std::string now_utc();  // 2026-01-31T12:00:00Z

}  // namespace lingate::bench
