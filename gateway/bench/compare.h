// Compare: what has changed between two records: row by row, and over all of them. A change inside the noise is `~`;
// a limit is broken only by a change outside it.
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/bench/record.h"
#include "gateway/bench/stats.h"

namespace lingate::bench {

// "p99>+5%": a figure, and by how much it may grow; "rate<-5%": or shrink.
struct Limit {
  std::string figure;
  double change = 0.05;  // of the ratio: 0.05 is 5 % more, -0.05 is 5 % less

  bool broken_by(const Ratio& ratio) const noexcept;
};
Result<Limit, std::string> limit_from(std::string_view text);

struct Change {
  std::string name;  // the row's; kOverall: the geometric mean of all rows, of pairs the median row
  std::string figure;
  std::string unit;
  double before = 0;
  double after = 0;
  Ratio ratio;
  bool broken = false;  // a limit
};

inline constexpr std::string_view kOverall = "all rows";

struct Comparison {
  std::vector<Change> changes;
  std::vector<std::string> remarks;  // rows that only one has, different machines
  bool broken() const noexcept;
};

// Paired: sample by sample at the same time, as measure_pair() takes them.
enum class Samples : std::uint8_t { independent, paired };

// Of `figures` (cpu if none is named, or rate and p99 for kind http) and of those that a limit names.
Comparison compare(const Record& before, const Record& after, const std::vector<Limit>& limits,
                   Samples samples = Samples::independent);

std::string table_of(const Comparison& comparison);
std::string json_of(const Comparison& comparison);

}  // namespace lingate::bench
