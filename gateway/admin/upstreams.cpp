// Operations on upstreams: how their targets do, and taking one out of service and back.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/codes.h"
#include "gateway/admin/handlers.h"

namespace lingate::admin {
namespace {

// A target as all workers see it.
struct TargetSum {
  std::uint64_t workers = 0, unhealthy = 0, ejected = 0, active = 0;
};

struct UpstreamSum {
  std::uint64_t failures = 0, retries = 0, ejections = 0;
  std::map<std::string, TargetSum> targets;  // by label
};

UpstreamSum sum_of(const std::string& name, const std::vector<const http::Worker*>& workers) {
  UpstreamSum sum;
  for (const http::Worker* worker : workers) {
    const http::UpstreamFigures figures = worker->metrics().upstream_figures(name);
    sum.failures += figures.failures;
    sum.retries += figures.retries;
    sum.ejections += figures.ejections;
    for (const http::TargetFigures& each : figures.targets) {
      TargetSum& target = sum.targets[each.label];
      target.workers += 1;
      target.unhealthy += each.healthy ? 0 : 1;
      target.ejected += each.ejected ? 1 : 0;
      target.active += each.active;
    }
  }
  return sum;
}

// As the data path calls it (http::Upstream).
std::string label_of(const config::Address& address) {
  if (address.kind == config::Address::Kind::unix_socket) return "unix:" + address.path;
  const bool six = address.host.find(':') != std::string::npos;
  return fmt::format("{}:{}", six ? "[" + address.host + "]" : address.host, address.port);
}

Json json_of(const std::string& label, std::uint32_t weight, const TargetSum& seen, bool draining) {
  return {{"address", label},
          {"weight", weight},
          {"healthy", seen.unhealthy == 0},
          {"ejected", seen.ejected != 0},
          {"draining", draining},
          {"active", seen.active},
          {"workers", {{"all", seen.workers}, {"unhealthy", seen.unhealthy}, {"ejected", seen.ejected}}}};
}

Json json_of(const config::Upstream& upstream, const Subject& subject) {
  const UpstreamSum sum = sum_of(upstream.name, subject.workers);
  Json json{{"name", upstream.name},
            {"targets", Json::array()},
            {"failures", sum.failures},
            {"retries", sum.retries},
            {"ejections", sum.ejections}};
  for (const config::Target& target : upstream.targets) {
    const std::string label = label_of(target.address);
    const auto found = sum.targets.find(label);
    json["targets"].push_back(json_of(label, target.weight, found == sum.targets.end() ? TargetSum() : found->second,
                                      subject.drains.is_drained(upstream.name, label)));
  }
  return json;
}

// Drains the target that the path names, or takes it back; the upstream as it is then.
Outcome set_drained(const Subject& subject, const Call& call, bool drained) {
  const std::string name = call.parameter("upstream");
  const std::string target = call.parameter("target");
  const auto running = subject.configurations.running();
  const auto& upstreams = running->model.upstreams;
  const auto upstream =
      std::find_if(upstreams.begin(), upstreams.end(), [&](const auto& each) { return each.name == name; });
  if (upstream == upstreams.end())
    return fail(
        Refusal{.code = code::kNoSuchTarget, .detail = fmt::format("no upstream '{}'", name), .field = "upstream"});
  const auto& targets = upstream->targets;
  if (std::none_of(targets.begin(), targets.end(), [&](const auto& each) { return label_of(each.address) == target; }))
    return fail(Refusal{.code = code::kNoSuchTarget,
                        .detail = fmt::format("no target '{}' of upstream '{}'", target, name),
                        .field = "target"});
  if (!subject.drains.set(name, target, drained))
    return fail(Refusal{.code = code::kEnding, .detail = std::string(kBeingReplaced)});
  if (drained) subject.close_drained();
  const std::string message =
      fmt::format("admin: target {} of upstream '{}' {}", target, name, drained ? "is drained" : "is taken back");
  subject.log.write({.level = middleware::LogLevel::info, .message = message});
  return json_answer(200, json_of(*upstream, subject));
}

}  // namespace

Outcome list_upstreams(const Subject& subject, const Call&) {
  Json upstreams = Json::array();
  const auto running = subject.configurations.running();
  for (const config::Upstream& each : running->model.upstreams)
    upstreams.push_back(json_of(each, subject));
  return json_answer(200, {{"upstreams", std::move(upstreams)}});
}

Outcome drain_target(const Subject& subject, const Call& call) {
  return set_drained(subject, call, true);
}

Outcome resume_target(const Subject& subject, const Call& call) {
  return set_drained(subject, call, false);
}

}  // namespace lingate::admin
