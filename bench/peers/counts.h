// Counts: what one command of the load generator saw, and how it says so.
//
// Thread: plain values. Lifetime: owns all its text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

namespace lingate::peers {

struct Counts {
  std::size_t requests = 0;  // that were answered
  std::size_t served = 0;    // that reached the upstream
  std::size_t wrong = 0;
  std::size_t lost = 0;                  // connections that ended, answers that never came
  std::vector<std::uint32_t> latencies;  // ns
  std::string said;                      // by the first wrong response

  std::uint32_t quantile(double of) {
    if (latencies.empty()) return 0;
    const auto at = static_cast<std::ptrdiff_t>(of * static_cast<double>(latencies.size() - 1));
    std::nth_element(latencies.begin(), latencies.begin() + at, latencies.end());
    return latencies[static_cast<std::size_t>(at)];
  }

  std::string json(double seconds) {
    std::ostringstream text;
    text << "{\"requests\": " << requests << ", \"served\": " << served << ", \"wrong\": " << wrong
         << ", \"lost\": " << lost << ", \"seconds\": " << seconds << ", \"p50\": " << quantile(0.5)
         << ", \"p99\": " << quantile(0.99) << ", \"said\": \"";
    for (const char each : said)
      text << (each < ' ' || each > '~' || each == '"' || each == '\\' ? '?' : each);
    text << "\"}";
    return text.str();
  }
};

}  // namespace lingate::peers
