// Operations that show what is configured and how it does: routes and runtimes.
#include <map>

#include <fmt/format.h>

#include "gateway/admin/handlers.h"
#include "gateway/config/values.h"

namespace lingate::admin {
namespace {

Json json_of(const routing::Match& match) {
  Json json = Json::object();
  if (!match.host.empty()) json["host"] = match.host;
  json["path"] = match.path;
  if (!match.methods.empty()) json["methods"] = match.methods;
  for (const auto& [name, conditions] : {std::pair("headers", &match.headers), std::pair("query", &match.query)})
    for (const routing::Condition& each : *conditions)
      json[name].push_back(each.name);  // what they are compared with may tell something
  return json;
}

Json json_of(const config::Route& route, const config::Model& model) {
  Json json{{"name", route.name}, {"match", json_of(route.match)}, {"chain", Json::array()}};
  for (const config::Step& step : route.chain) {
    const std::string_view file = step.settings.text("file");
    const bool script = step.kind == "script";
    json["chain"].push_back(script ? fmt::format("script {}", file) : step.kind);
  }
  if (const auto* splits = std::get_if<std::vector<config::Split>>(&route.destination)) {
    for (const config::Split& each : *splits)
      json["upstream"].push_back({{"name", model.upstreams[each.upstream].name}, {"weight", each.weight}});
  } else if (const auto* redirect = std::get_if<config::Redirect>(&route.destination)) {
    json["redirect"] = {{"status", redirect->status}, {"to", redirect->to}};
  } else {
    json["respond"] = true;
  }
  if (!route.strip.empty()) json["strip"] = route.strip;
  if (route.timeout) json["timeout"] = config::show_duration(*route.timeout);
  json["place"] = fmt::format("{}:{}:{}", route.place.file, route.place.line, route.place.column);
  return json;
}

std::string_view name_of(runtimes::Placement placement) {
  switch (placement) {
    case runtimes::Placement::inline_: return "inline";
    case runtimes::Placement::thread: return "thread";
    case runtimes::Placement::process: break;
  }
  return "process";
}

Json json_of(const std::string& label, const runtimes::RuntimePool& pool, const runtimes::PoolCounters& counters) {
  std::uint64_t failures = 0;
  for (std::size_t kind = 1; kind < counters.failures.size(); ++kind)  // the first stands for none
    failures += counters.failures[kind];
  const auto budget = std::chrono::duration_cast<config::Duration>(pool.options().budget);
  return {{"script", label},
          {"isolation", name_of(pool.options().placement)},
          {"demoted", counters.demoted},
          {"budget", config::show_duration(budget)},
          {"instances", {{"idle", counters.idle}, {"busy", counters.busy}, {"resting", counters.resting}}},
          {"memory_bytes", counters.memory},
          {"queue_depth", counters.queued},
          {"kills", counters.replaced},
          {"calls", counters.calls},
          {"failures", failures}};
}

}  // namespace

Outcome list_routes(const Subject& subject, const Call&) {
  Json routes = Json::array();
  const auto running = subject.configurations.running();
  for (const config::Route& each : running->model.routes)
    routes.push_back(json_of(each, running->model));
  return json_answer(200, {{"routes", std::move(routes)}});
}

Outcome list_runtimes(const Subject& subject, const Call&) {
  std::map<std::string, Json> by_name;
  const auto running = subject.configurations.running();
  for (const auto& entry : running->scripts->entries()) {
    const runtimes::PoolCounters counters = entry->pool->counters();
    const std::string name(entry->pool->runtime_name());
    Json& sum = by_name[name];
    if (sum.is_null())
      sum = {{"name", name},       {"instances", {{"idle", 0U}, {"busy", 0U}}},
             {"memory_bytes", 0U}, {"queue_depth", 0U},
             {"kills", 0U},        {"scripts", Json::array()}};
    const auto add = [](Json& to, std::uint64_t amount) { to = to.get<std::uint64_t>() + amount; };
    add(sum["instances"]["idle"], counters.idle);
    add(sum["instances"]["busy"], counters.busy);
    add(sum["memory_bytes"], counters.memory);
    add(sum["queue_depth"], counters.queued);
    add(sum["kills"], counters.replaced);
    sum["scripts"].push_back(json_of(entry->label, *entry->pool, counters));
  }
  Json runtimes = Json::array();
  for (auto& [name, sum] : by_name)
    runtimes.push_back(std::move(sum));
  return json_answer(200, {{"runtimes", std::move(runtimes)}});
}

}  // namespace lingate::admin
