#include "middleware/tracing/exporter.h"

#include <utility>

#include "base/codes.h"
#include "base/version.h"
#include "middleware/tracing/otlp_post.h"
#include "proto/wire.h"

namespace lingate::middleware::tracing {
namespace {

// Field numbers of ExportTraceServiceRequest, ResourceSpans, Resource, ScopeSpans, InstrumentationScope and KeyValue.
constexpr std::uint32_t kResourceSpans = 1, kResource = 1, kScopeSpans = 2, kAttributes = 1, kScope = 1, kName = 1,
                        kVersion = 2, kKey = 1, kValue = 2, kStringValue = 1;

std::string attribute(std::string_view key, std::string_view value) {
  std::string any;
  proto::append_bytes(any, kStringValue, value);
  std::string pair;
  proto::append_bytes(pair, kKey, key);
  proto::append_bytes(pair, kValue, any);
  return pair;
}

std::string resource_of(const OtlpOptions& options) {
  std::string resource;
  proto::append_bytes(resource, kAttributes, attribute("service.name", options.service));
  proto::append_bytes(resource, kAttributes, attribute("telemetry.sdk.name", "lingate"));
  proto::append_bytes(resource, kAttributes, attribute("telemetry.sdk.language", "cpp"));
  proto::append_bytes(resource, kAttributes, attribute("telemetry.sdk.version", version()));
  return resource;
}

std::string scope() {
  std::string scope;
  proto::append_bytes(scope, kName, "lingate");
  proto::append_bytes(scope, kVersion, version());
  return scope;
}

}  // namespace

Exporter::Exporter(OtlpOptions options, AppLog& log, std::uint32_t workers)
    : options_(std::move(options)), resource_(resource_of(options_)), log_(log) {
  for (std::uint32_t k = 0; k < workers; ++k)
    lanes_.push_back(std::make_unique<Lane>(*this));
  thread_ = std::thread([this] { run(); });
}

Exporter::~Exporter() {
  for (const auto& lane : lanes_)
    hand_over(*lane);
  {
    std::unique_lock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, kAtTheEnd, [this] { return over_; });
    stopped_ = true;
    if (running_) running_->stop();
    changed_.notify_all();
  }
  thread_.join();
}

void Exporter::appended(Loop& loop) noexcept {
  Lane& own = lane(loop);
  if (own.spans.size() >= kLaneBytes / 2) {
    hand_over(own);
  } else if (!own.armed()) {
    loop.arm(own, kFlushAfter);
  }
}

void Exporter::hand_over(Lane& lane) noexcept {
  if (lane.count == 0) return;
  Batch batch{std::exchange(lane.spans, {}), std::exchange(lane.count, 0)};
  {
    const std::lock_guard lock(mutex_);
    if (queued_bytes_ + batch.spans.size() > kQueueBytes) {
      dropped_.fetch_add(batch.count, std::memory_order_relaxed);
      return;
    }
    queued_bytes_ += batch.spans.size();
    queue_.push_back(std::move(batch));
  }
  changed_.notify_one();
}

void Exporter::run() noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closed_ || !queue_.empty(); });
    if (queue_.empty()) break;
    const Batch batch = std::move(queue_.front());
    queue_.pop_front();
    send(batch, lock);
    queued_bytes_ -= batch.spans.size();
  }
  over_ = true;
  changed_.notify_all();
}

// Attempts until it is taken, refused for good, or given up. While it fails, later batches are not waited for as long.
void Exporter::send(const Batch& batch, std::unique_lock<std::mutex>& lock) {
  const unsigned attempts = failing_ ? 1 : kAttempts;
  std::string problem = "the gateway ends";
  for (unsigned attempt = 0; attempt < attempts; ++attempt) {
    if (attempt > 0) changed_.wait_for(lock, kPause, [this] { return stopped_; });
    if (stopped_) break;
    OtlpPost post(options_, request_of(batch));
    running_ = &post;
    lock.unlock();
    const auto outcome = post.run();
    lock.lock();
    running_ = nullptr;
    if (outcome) {
      exported_.fetch_add(batch.count, std::memory_order_relaxed);
      return tell({});
    }
    problem = outcome.error().what;
    if (!outcome.error().may_pass) break;
  }
  dropped_.fetch_add(batch.count, std::memory_order_relaxed);
  tell(problem);
}

std::string Exporter::request_of(const Batch& batch) const {
  std::string scope_spans;
  scope_spans.reserve(batch.spans.size() + 64);
  proto::append_bytes(scope_spans, kScope, scope());
  scope_spans += batch.spans;
  std::string resource_spans;
  proto::append_bytes(resource_spans, kResource, resource_);
  proto::append_bytes(resource_spans, kScopeSpans, scope_spans);
  std::string request;
  proto::append_bytes(request, kResourceSpans, resource_spans);
  return request;
}

// One line when it begins to fail, one when it works again.
void Exporter::tell(std::string_view problem) {
  if (std::exchange(failing_, !problem.empty()) == !problem.empty()) return;
  if (problem.empty())
    return log_.write({.level = LogLevel::info, .message = "tracing: the collector takes spans again"});
  const std::string message = "tracing: spans are dropped: " + options_.url.authority + ": " + std::string(problem) +
                              "; see that a collector takes OTLP over HTTP there";
  log_.write({.level = LogLevel::warn, .message = message});
}

}  // namespace lingate::middleware::tracing
