// Upstream: the servers behind one name of the configuration, as one worker sees them: which may be chosen, which comes
// next, their keep-alive connections, their health. Every worker has its own; nothing is shared, nothing is locked.
//
// If no target may be chosen (all fail their health check, are ejected or drained) the answer is 503 at once, not a
// gamble on a dead server. An ejected target gets one request when its time is over: that it succeeds takes it back,
// another failure ejects it for twice as long (at most eight times).
//
// Thread: the worker's. Lifetime: until no generation of the configuration uses it; connections are gone by then.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "gateway/http/balance.h"
#include "gateway/http/metrics.h"
#include "gateway/http/options.h"
#include "gateway/http/target.h"
#include "gateway/http/upstream_connection.h"

namespace lingate::http {

class HealthCheck;
class NameWatch;
struct WorkerParts;

class Upstream {
 public:
  Upstream(WorkerParts& parts, const UpstreamOptions& options);
  ~Upstream();
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  const UpstreamOptions& options() const noexcept { return options_; }
  UpstreamMetrics& metrics() const noexcept { return metrics_; }

  // The target for one request: `key` is what Balance::hash goes by, `avoid` the one that just failed. nullptr: none is
  // available. Whoever gets one calls begin() with it, and then succeeded(), failed() or neutral() exactly once.
  Target* pick(std::uint64_t key, const Target* avoid) noexcept;
  void begin(Target& target) noexcept;
  void succeeded(Target& target) noexcept;
  void failed(Target& target) noexcept;
  void neutral(Target& target) noexcept;  // over, and it says nothing about the target (the client left)

  enum class Reuse : std::uint8_t { allowed, fresh };
  // A connection to `target`, ready or being made (state()). nullptr: `code` is the LG code and `error` errno.
  UpstreamConnection* acquire(Target& target, UpstreamUser& user, Reuse reuse, int& code, int& error) noexcept;
  void release(UpstreamConnection& connection) noexcept;  // back to the pool: its last response was read to the end
  void discard(UpstreamConnection& connection) noexcept;  // closed
  void drop_idle(UpstreamConnection& connection) noexcept;
  void close_idle() noexcept;
  void close_drained() noexcept;  // idle connections of targets that are drained

  // For health.cpp and names.cpp.
  void set_healthy(Target& target, std::string_view why) noexcept;
  void set_unhealthy(Target& target, std::string_view why) noexcept;
  Targets targets() const noexcept { return targets_; }
  WorkerParts& parts() const noexcept { return parts_; }

 private:
  class Sweep final : public Timer {
   public:
    explicit Sweep(Upstream& upstream) : upstream_(upstream) {}
    void expired() noexcept override { upstream_.sweep(); }

   private:
    Upstream& upstream_;
  };

  void sweep() noexcept;
  void unlink_idle(UpstreamConnection& connection) noexcept;
  void end_use(Target& target) noexcept;
  void say(const Target& target, std::string_view what, std::string_view why) noexcept;

  WorkerParts& parts_;
  const UpstreamOptions options_;
  UpstreamMetrics& metrics_;
  std::vector<std::unique_ptr<Target>> targets_;
  std::vector<std::unique_ptr<HealthCheck>> checks_;
  std::vector<std::unique_ptr<NameWatch>> names_;
  Sweep sweep_{*this};
};

}  // namespace lingate::http
