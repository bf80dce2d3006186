#include "gateway/http/upstream.h"

#include <algorithm>

#include "base/codes.h"
#include "gateway/http/health.h"
#include "gateway/http/names.h"
#include "gateway/http/worker_parts.h"

namespace lingate::http {
namespace {

constexpr std::uint32_t kLongestEjection = 3;  // doublings

}  // namespace

std::string label_of(const Address& address) {
  if (address.kind == Address::Kind::unix_socket) return "unix:" + address.path;
  const bool six = address.host.find(':') != std::string::npos;
  return (six ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Upstream::Upstream(WorkerParts& parts, const UpstreamOptions& options)
    : parts_(parts), options_(options), metrics_(parts.metrics.upstream(options.name)) {
  for (const TargetOptions& each : options_.targets) {
    auto& target = *targets_.emplace_back(std::make_unique<Target>());
    target.options = &each;
    target.label = label_of(each.address);
    target.seed = hash_text(target.label);
    target.state = &parts.metrics.target(options.name, target.label);
    if (parts.drains) target.drained = parts.drains->flag_of(options.name, target.label);
    Endpoint endpoint;
    if (fixed_endpoint(each.address, endpoint))
      target.endpoints.push_back(endpoint);
    else
      names_.push_back(std::make_unique<NameWatch>(*this, target));
    if (options_.health) checks_.push_back(std::make_unique<HealthCheck>(*this, target));
  }
}

Upstream::~Upstream() {
  checks_.clear();
  names_.clear();
  close_idle();
}

Target* Upstream::pick(std::uint64_t key, const Target* avoid) noexcept {
  const Clock::time_point now = parts_.loop.now();
  switch (options_.balance) {
    case Balance::least_request: return pick_least_request(targets_, now, avoid);
    case Balance::hash: return pick_by_hash(targets_, key, now, avoid);
    case Balance::round_robin: break;
  }
  return pick_round_robin(targets_, now, avoid);
}

void Upstream::begin(Target& target) noexcept {
  ++target.active;
  target.state->active.add();
  if (target.ejected) target.probing = true;
}

void Upstream::end_use(Target& target) noexcept {
  --target.active;
  target.state->active.subtract();
}

void Upstream::succeeded(Target& target) noexcept {
  end_use(target);
  target.failures = 0;
  if (!target.ejected) return;
  target.ejected = target.probing = false;
  target.state->ejected.store(false, std::memory_order_relaxed);
  target.ejections = 0;
  say(target, "is taken back", "a request to it succeeded");
}

void Upstream::failed(Target& target) noexcept {
  end_use(target);
  metrics_.failures.add();
  if (!options_.eject) return;
  ++target.failures;
  const bool probe_failed = target.ejected && target.probing;
  if (!probe_failed && (target.ejected || target.failures < options_.eject->failures)) return;
  target.ejected = true;
  target.state->ejected.store(true, std::memory_order_relaxed);
  target.probing = false;
  const std::uint32_t doublings = std::min(target.ejections++, kLongestEjection);
  target.ejected_until = parts_.loop.now() + options_.eject->duration * (1U << doublings);
  metrics_.ejections.add();
  say(target, "is ejected", probe_failed ? "the request that tried it failed" : "too many failures in a row");
}

void Upstream::neutral(Target& target) noexcept {
  end_use(target);
  target.probing = false;
}

UpstreamConnection* Upstream::acquire(Target& target, UpstreamUser& user, Reuse reuse, int& code, int& error) noexcept {
  if (reuse == Reuse::allowed && target.idle) {
    UpstreamConnection& connection = *target.idle;
    unlink_idle(connection);
    connection.use(user);
    return &connection;
  }
  if (target.endpoints.empty() && !target.resolving) return code = code::kNameNotResolved, nullptr;
  if (target.open >= options_.pool_max) {
    if (!target.coldest) return code = code::kPoolExhausted, nullptr;
    drop_idle(*target.coldest);
  }
  auto connection = std::make_unique<UpstreamConnection>(*this, target);
  if (target.endpoints.empty())
    connection->await_name(parts_.reactor, user);
  else if (!connection->open(parts_.reactor, user, error))
    return code = code::kConnectFailed, nullptr;
  ++target.open;
  return connection.release();
}

void Upstream::release(UpstreamConnection& connection) noexcept {
  Target& target = connection.target();
  if (target.is_drained()) return discard(connection);
  connection.rest(parts_.loop.now());
  connection.previous_idle = nullptr;
  connection.next_idle = target.idle;
  (target.idle ? target.idle->previous_idle : target.coldest) = &connection;
  target.idle = &connection;
  if (!sweep_.armed()) parts_.loop.arm(sweep_, options_.pool_idle);
}

void Upstream::unlink_idle(UpstreamConnection& connection) noexcept {
  Target& target = connection.target();
  (connection.previous_idle ? connection.previous_idle->next_idle : target.idle) = connection.next_idle;
  (connection.next_idle ? connection.next_idle->previous_idle : target.coldest) = connection.previous_idle;
}

void Upstream::drop_idle(UpstreamConnection& connection) noexcept {
  unlink_idle(connection);
  discard(connection);
}

void Upstream::discard(UpstreamConnection& connection) noexcept {
  --connection.target().open;
  connection.close();
  delete &connection;
}

void Upstream::close_idle() noexcept {
  parts_.loop.disarm(sweep_);
  for (const auto& target : targets_)
    while (target->idle)
      drop_idle(*target->idle);
}

void Upstream::close_drained() noexcept {
  for (const auto& target : targets_)
    while (target->idle && target->is_drained())
      drop_idle(*target->idle);
}

void Upstream::sweep() noexcept {
  const Clock::time_point now = parts_.loop.now();
  Clock::time_point oldest = Clock::time_point::max();
  for (const auto& target : targets_) {
    while (target->coldest && now - target->coldest->idle_since() >= options_.pool_idle)
      drop_idle(*target->coldest);
    if (target->coldest) oldest = std::min(oldest, target->coldest->idle_since());
  }
  if (oldest != Clock::time_point::max()) parts_.loop.arm(sweep_, oldest + options_.pool_idle - now);
}

void Upstream::set_healthy(Target& target, std::string_view why) noexcept {
  target.healthy = true;
  target.state->healthy.store(true, std::memory_order_relaxed);
  say(target, "is healthy again", why);
}

void Upstream::set_unhealthy(Target& target, std::string_view why) noexcept {
  target.healthy = false;
  target.state->healthy.store(false, std::memory_order_relaxed);
  while (target.idle)
    drop_idle(*target.idle);
  say(target, "is unhealthy", why);
}

void Upstream::say(const Target& target, std::string_view what, std::string_view why) noexcept {
  std::string message = "target " + target.label + " of upstream '" + options_.name + "' ";
  message.append(what).append(": ").append(why);
  parts_.log.write({.level = middleware::LogLevel::warn, .message = message});
}

}  // namespace lingate::http
