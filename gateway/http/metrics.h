// Metrics: what a worker counts while it serves. Each worker has its own counters and is their only writer, so a count
// is a plain load, add and store (relaxed); a reader on another thread sees values that are each whole, if not all of
// the same instant. Labels are bounded: route names and status classes, never paths.
//
// Thread: counted by the worker, read by any. Lifetime: the worker's; a snapshot's routes get their rows when the
// worker takes it on.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lingate::http {

// A number with one writer.
class Count {
 public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
  }
  std::uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Upper bounds of buckets in microseconds; one more takes what is above.
inline constexpr std::array<std::uint64_t, 18> kRequestBounds{100,    250,    500,     1000,    2500,    5000,
                                                              10000,  25000,  50000,   75000,   100000,  250000,
                                                              500000, 750000, 1000000, 2500000, 5000000, 10000000};
inline constexpr std::array<std::uint64_t, 15> kStepBounds{1,   2,    5,    10,    25,    50,     100,    250,
                                                           500, 1000, 2500, 10000, 50000, 250000, 1000000};

template <const auto& kUpTo>
class HistogramOf {
 public:
  static constexpr const auto& kBounds = kUpTo;

  void observe(std::chrono::nanoseconds duration) noexcept {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
    const std::uint64_t us = (ns + 999) / 1000;
    std::size_t k = 0;
    while (k < kBounds.size() && us > kBounds[k])
      ++k;
    buckets_[k].add();
    sum_.add(ns);
  }
  std::uint64_t bucket(std::size_t k) const noexcept { return buckets_[k].read(); }
  std::chrono::nanoseconds sum() const noexcept { return std::chrono::nanoseconds(sum_.read()); }

 private:
  std::array<Count, kBounds.size() + 1> buckets_;
  Count sum_;  // nanoseconds
};

using Histogram = HistogramOf<kRequestBounds>;
using StepHistogram = HistogramOf<kStepBounds>;

struct RouteMetrics {
  std::array<Count, 6> by_class;  // [1] 1xx … [5] 5xx; [0]: 499 and whatever never had a status
  Histogram duration;             // from the first byte of the request to the last of the response
};

// A step of a route whose chain is timed. Failures: those of scripts, by runtimes::FailureKind.
struct StepMetrics {
  StepHistogram request;
  StepHistogram response;
  std::array<Count, 5> failures;

  void count(std::chrono::nanoseconds on_request, std::chrono::nanoseconds on_response, int fault) noexcept;
};

struct StepName {
  std::string route;
  std::string step;
  std::string runtime;
  auto operator<=>(const StepName&) const = default;
};

// Whether a target may be chosen, as its worker sees it, and what it has in hand: read by the admin API.
struct TargetState {
  std::atomic<bool> healthy{true};
  std::atomic<bool> ejected{false};
  Count active;  // requests in flight, tunnels with them
};

struct UpstreamMetrics {
  Histogram duration;  // from the request's first byte out to the response's head
  Count failures;      // connect failures, resets, time-outs
  Count retries;
  Count ejections;
  std::map<std::string, std::unique_ptr<TargetState>, std::less<>> targets;  // by label; under Metrics' mutex
};

struct TargetFigures {
  std::string label;
  bool healthy = true;
  bool ejected = false;
  std::uint64_t active = 0;
};

struct UpstreamFigures {
  std::uint64_t failures = 0, retries = 0, ejections = 0;
  std::vector<TargetFigures> targets;
};

class Metrics {
 public:
  // Rows live as long as this; the same name gives the same row. Any thread.
  RouteMetrics& route(std::string_view name);
  StepMetrics& step(const StepName& name);
  UpstreamMetrics& upstream(std::string_view name);
  TargetState& target(std::string_view upstream, std::string_view label);  // well, until it is told otherwise

  UpstreamFigures upstream_figures(std::string_view name) const;

  Count accepted;
  Count accept_failures;     // out of descriptors, mostly
  Count over_address_limit;  // closed at once: their address had as many as it may
  Count active_connections;  // clients
  Count active_requests;
  Count malformed;
  Count http2_connections;  // that spoke it, so far
  Count http2_streams;
  Count http2_abuses;    // connections closed for what their client did
  Count http2_breaches;  // and for frames against the protocol

 private:
  friend void write_prometheus(std::span<const Metrics* const> workers, std::string& out);
  mutable std::mutex mutex_;  // the maps, not the counters
  std::map<std::string, std::unique_ptr<RouteMetrics>, std::less<>> routes_;
  std::map<StepName, std::unique_ptr<StepMetrics>> steps_;
  std::map<std::string, std::unique_ptr<UpstreamMetrics>, std::less<>> upstreams_;
};

// Appends the sum over all workers in Prometheus' text format 0.0.4.
void write_prometheus(std::span<const Metrics* const> workers, std::string& out);

}  // namespace lingate::http
