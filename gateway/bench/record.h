// Record: what one run of `lingate bench` measured, as it is kept in a file, compared and drawn. Every kind of run
// (runtimes, script, http) fills the same shape: rows of figures, each with its samples, so that whoever reads the file
// can judge the noise for himself. The JSON is documented in README.md ("The file").
//
// Units: times in nanoseconds, rates per second. Thread: plain values. Lifetime: owns all its text.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace lingate::bench {

// One measured quantity of a row. Samples are independent of each other (one a process, or one a second of load), so an
// interval can be drawn from them; `low` and `high` bound the median with 95 % confidence (stats.h).
struct Figure {
  std::string unit = "ns";  // "ns", "1/s", "B"
  double median = 0;
  double low = 0;
  double high = 0;
  std::vector<double> samples;
};

struct Bucket {
  double upto = 0;  // ns, inclusive
  std::uint64_t count = 0;
};

// Names of figures. `cpu` is processor time of the whole process per request; p50 … max are wall-clock latencies.
namespace figure {
inline constexpr std::string_view kCpu = "cpu";
inline constexpr std::string_view kP50 = "p50";
inline constexpr std::string_view kP99 = "p99";
inline constexpr std::string_view kP999 = "p99.9";
inline constexpr std::string_view kMax = "max";
inline constexpr std::string_view kRate = "rate";  // the only one of which more is better
}  // namespace figure

// Parts of a request's cpu, in the order in which they happen; those that a row does not have are absent.
inline constexpr std::string_view kParts[] = {"encode", "enter", "run", "exit", "apply"};

struct Row {
  std::string name;       // unique in its record, the same from run to run: "lua/inline/header"
  std::string runtime;    // "lua", "echo", "native"; empty for http
  std::string placement;  // "inline", "thread", "process"
  std::string job;        // "header"; for http "open 5000/s"
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
  std::map<std::string, Figure, std::less<>> figures;
  std::vector<Bucket> histogram;  // of latency; empty: none was taken
  std::map<std::string, double, std::less<>> parts;
};

// How a cost grows: y over x for several series.
struct Curve {
  std::string name;  // "header lines"
  std::string unit = "ns";
  std::vector<double> x;
  std::vector<std::pair<std::string, std::vector<double>>> series;
};

struct Record {
  std::string kind;                                           // "runtimes", "script", "http"
  std::string created;                                        // 2026-01-31T12:00:00Z
  std::string command;                                        // as typed
  std::vector<std::pair<std::string, std::string>> machine;   // fingerprint: {"cpu", "Xeon …"}
  std::vector<std::pair<std::string, std::string>> settings;  // {"processes", "12"}
  std::vector<Row> rows;
  std::vector<Curve> curves;

  const Row* find(std::string_view name) const noexcept;
};

std::string to_json(const Record& record);
// The error names the place in the file: "rows[3].figures.cpu: samples are missing".
Result<Record, std::string> from_json(std::string_view text);

// Reads a file; the error starts with its path.
Result<Record, std::string> read_record(const std::string& path);

}  // namespace lingate::bench
