// Exporter: sends spans to a collector (OTLP over HTTP, protobuf) without anybody waiting for it. Each worker writes
// into a lane of its own, which goes whole through a bounded queue to one thread. A collector that is away, slow or
// refuses costs spans, which are counted, and nothing else.
//
//   worker ── Lane ──┐
//   worker ── Lane ──┴─▶ bounded queue ─▶ one thread ─▶ POST …/v1/traces
//
// Thread: a Lane is its worker's; the counters are for any. Lifetime: made before the workers' loops run, destroyed
// after they have ended; what is there then is sent within kAtTheEnd, or dropped.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/loop.h"
#include "middleware/app_log.h"
#include "middleware/tracing/otlp_options.h"

namespace lingate::middleware::tracing {

class OtlpPost;

class Exporter {
 public:
  static constexpr std::chrono::milliseconds kFlushAfter{500};
  static constexpr std::size_t kLaneBytes = 256 * 1024;  // a lane is handed over at half of it
  static constexpr std::size_t kQueueBytes = 8 * 1024 * 1024;
  static constexpr std::chrono::milliseconds kAtTheEnd{500};
  static constexpr unsigned kAttempts = 3;                 // for what may pass: no connection, 429, 502, 503, 504
  static constexpr std::chrono::milliseconds kPause{500};  // between them

  struct Lane final : Timer {
    explicit Lane(Exporter& owner) : exporter(owner) {}
    void expired() noexcept override { exporter.hand_over(*this); }

    Exporter& exporter;
    std::string spans;    // as Span::append_to() leaves them
    std::string scratch;  // of the span at hand
    std::uint32_t count = 0;
  };

  Exporter(OtlpOptions options, AppLog& log, std::uint32_t workers);
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  // The worker's, to append the spans of one request to; then appended().
  Lane& lane(const Loop& loop) noexcept { return *lanes_[loop.index()]; }
  void appended(Loop& loop) noexcept;

  std::uint64_t exported() const noexcept { return exported_.load(std::memory_order_relaxed); }  // spans
  std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct Batch {
    std::string spans;
    std::uint32_t count = 0;
  };

  void hand_over(Lane& lane) noexcept;
  void run() noexcept;
  void send(const Batch& batch, std::unique_lock<std::mutex>& lock);
  std::string request_of(const Batch& batch) const;
  void tell(std::string_view problem);

  const OtlpOptions options_;
  const std::string resource_;  // what every request begins with: who sends
  AppLog& log_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::atomic<std::uint64_t> exported_{0};
  std::atomic<std::uint64_t> dropped_{0};
  bool failing_ = false;  // the thread's: said in the log, and then each batch has one attempt

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Batch> queue_;
  std::size_t queued_bytes_ = 0;
  OtlpPost* running_ = nullptr;
  bool closed_ = false;   // what is queued is still sent
  bool stopped_ = false;  // or dropped
  bool over_ = false;     // the thread is
  std::thread thread_;
};

}  // namespace lingate::middleware::tracing
