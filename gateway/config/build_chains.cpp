#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/codes.h"
#include "gateway/config/build.h"
#include "gateway/config/values.h"
#include "middleware/settings_value.h"
#include "runtimes/value.h"

namespace lingate::config {
namespace {

constexpr std::size_t kMostSteps = 200;       // in one route
constexpr std::size_t kMostVisited = 10'000;  // uses included
constexpr std::size_t kDeepest = 32;          // chains that use each other
constexpr std::string_view kOfRuntime[] = {"budget", "wait", "timeout", "isolation", "memory", "instances"};

// The one entry of a step's map.
View::Named step_of(const View& item) {
  auto members = item.members();
  if (!members.empty()) return members.front();
  // A bare name: the node is a scalar, which has no entries.
  const auto* map = item.settings().as<Settings::Map>();
  return {map->front().first, item.span(), item.with(map->front().second)};
}

bool lists_everyone(const Settings& cors) {
  const Settings::List& origins = cors.list("origins");
  return std::any_of(origins.begin(), origins.end(), [](const Settings& each) { return each.as_text() == "*"; });
}

void set(Settings::Map& map, std::string_view key, Settings value) {
  for (auto& [name, old] : map)
    if (name == key) old = std::move(value);
}

// An answer that is kept belongs to whoever sends the same key, whatever else the request is.
void check_script_cache(Report& report, const View& options) {
  const View by = options.at("cache").at("by");
  const std::string_view text = by.settings().as_text();
  if (text == "client.ip" || text == "route")
    report.error({code::kNotAChoice, by.span(), fmt::format("an answer cannot be kept by '{}'", text),
                  "one of header.NAME, ctx.NAME, session.id: what the answer is about"});
  const std::string_view body = options.settings().text("body");
  if (body == "request" || body == "both")
    report.error({code::kConflictingKeys, options.key_span("cache"),
                  "an answer that is kept cannot depend on a request's body", "remove 'cache' or 'body'"});
}

// What a script gets must fit into the value that carries it. Its depth has been looked at.
void check_script_config(Report& report, const View& config) {
  runtimes::WireWriter writer({.depth = 2 * runtimes::ValueLimits().depth});
  if (!config.valid() || middleware::walk(config.settings(), writer)) return;
  report.error({code::kYamlTooLarge, config.span(), fmt::format("the config of a script: {}", writer.error().message),
                fmt::format("shorten it to less than {}", show_size(runtimes::ValueLimits().bytes))});
}

// Without a limit of its own a step goes by the session's, which is counted by its id.
void check_limit(Report& report, std::string_view kind, const View& options) {
  const auto given = [&options](std::string_view key) { return options.given(key); };
  const std::string_view own = kind == "rate-limit" ? "rate" : kind == "quota" ? "max" : "";
  if (!own.empty() && !given(own) && !options.settings().find(own)) {
    if (const std::string_view by = options.settings().text("by"); !by.empty() && by != "session.id")
      report.error({code::kMissingKey, options.at("by").span(),
                    fmt::format("step '{}' by {} has no '{}'", kind, by, own),
                    fmt::format("add '{}'; only sessions can have one of their own", own)});
    if (kind == "rate-limit" && given("burst"))
      report.warning({code::kSuspiciousValue, options.key_span("burst"), "'burst' has no effect without 'rate'",
                      "add 'rate', or remove it"});
  }
  if (kind == "quota" && given("max") && !given("every"))
    report.error({code::kMissingKey, options.key_span("max"), "step 'quota' has 'max' and no 'every'",
                  "say for how long: 'every: 24h'"});
  if (kind == "ip" && !given("allow") && !given("deny"))
    report.warning(
        {code::kSuspiciousValue, options.span(), "step 'ip' lets everybody pass", "give it 'allow' or 'deny'"});
}

}  // namespace

// A chain on its way into a route.
struct Chains::Frame {
  std::vector<Expanded> steps;
  std::vector<std::string> via;
  std::size_t visited = 0;  // steps and uses
  bool too_deep = false;

  bool full() const noexcept { return visited > kMostVisited || steps.size() > kMostSteps; }
};

Chains::Chains(const BuildContext& context) : context_(context) {
  for (const View::Named& each : context.root.at("chains").members())
    chains_.emplace(each.name, each);
  for (const auto& [name, chain] : chains_) {
    std::vector<View::Named> path;
    visit(name, path);
  }
}

// False: the chain leads back into itself, or too deep.
bool Chains::visit(std::string_view name, std::vector<View::Named>& path) {
  if (done_.count(name)) return !cyclic_.count(name);
  bool good = true;
  for (const View& item : chains_.at(name).value.items()) {
    if (!item.valid()) continue;
    const View::Named step = step_of(item);
    check_options(step.name, step.value);
    if (step.name == "use" && !follow(step.value, name, path)) good = false;
  }
  done_.insert(name);
  if (!good) cyclic_.insert(name);
  return good;
}

bool Chains::follow(const View& use, std::string_view from, std::vector<View::Named>& path) {
  const View target = use.at("name");
  const auto chain = chains_.find(target.settings().as_text());
  if (chain == chains_.end()) return true;
  const std::string_view name = chain->first;
  path.push_back({from, target.span(), use});
  const bool circle = std::any_of(path.begin(), path.end(), [name](const auto& each) { return each.name == name; });
  if (circle) report_cycle(path, name);
  const bool too_deep = path.size() > kDeepest;
  if (too_deep) report_too_deep(target.span());
  const bool good = !circle && !too_deep && visit(name, path);
  path.pop_back();
  return good;
}

void Chains::report_cycle(const std::vector<View::Named>& path, std::string_view name) {
  std::vector<Report::Second> notes;
  const auto begin = std::find_if(path.begin(), path.end(), [name](const auto& each) { return each.name == name; });
  for (auto each = begin; each + 1 < path.end(); ++each)
    notes.push_back({each->span, fmt::format("chain '{}' uses '{}' here", each->name, (each + 1)->name)});
  context_.report.error({code::kCyclicUse, path.back().span, fmt::format("chain '{}' contains itself", name),
                         "take one 'use' out of the circle"},
                        std::move(notes));
}

// Once: every chain above the deepest has the same cause.
void Chains::report_too_deep(const Span& where) {
  if (std::exchange(told_too_deep_, true)) return;
  context_.report.error({code::kYamlTooLarge, where,
                         fmt::format("chains that use each other deeper than {} levels", kDeepest), "make it flatter"});
}

std::vector<Chains::Expanded> Chains::expand(const View& chain) {
  Frame frame;
  for (const View& item : chain.items()) {
    if (!item.valid()) continue;
    const View::Named step = step_of(item);
    check_options(step.name, step.value);
    append(item, frame);
  }
  if (frame.too_deep) report_too_deep(chain.span());
  check_coded_bodies(context_.report, frame.steps);
  if (frame.full())
    context_.report.error({code::kYamlTooLarge, chain.span(),
                           fmt::format("the chain has more than {} steps", kMostSteps), "use fewer chains of chains"});
  return std::move(frame.steps);
}

void Chains::append(const View& item, Frame& frame) {
  ++frame.visited;
  if (!item.valid() || frame.full()) return;
  const View::Named step = step_of(item);
  if (step.name != "use") {
    frame.steps.push_back({make_step(step.name, step.value, item, frame), step.value});
    return;
  }
  const auto chain = chains_.find(step.value.settings().text("name"));
  if (chain == chains_.end() || cyclic_.count(chain->first)) return;
  if (frame.via.size() == kDeepest) {
    frame.too_deep = true;
    return;
  }
  used_.insert(chain->first);
  frame.via.emplace_back(chain->first);
  for (const View& each : chain->second.value.items())
    append(each, frame);
  frame.via.pop_back();
}

Step Chains::make_step(std::string_view kind, const View& options, const View& item, const Frame& frame) {
  return {std::string(kind), kind == "script" ? complete_script(options) : options.settings(),
          context_.report.place(item.span()), frame.via};
}

// What the step does not say, its language's section says.
Settings Chains::complete_script(const View& options) {
  Settings::Map map = *options.settings().as<Settings::Map>();
  const std::string_view given = options.settings().text("runtime");
  const std::string_view runtime = given.empty() ? runtime_of(options.settings().text("file")) : given;
  set(map, "runtime", Settings(std::string(runtime)));
  const View defaults = context_.root.at("runtimes").at(runtime);
  for (const std::string_view key : kOfRuntime)
    if (!options.settings().find(key)) set(map, key, defaults.at(key).settings());
  const Settings merged{Settings::Map(map)};
  if (merged.text("instances") == "auto") set(map, "instances", Settings(std::int64_t{0}));
  const View& placed = options.given("isolation") ? options : defaults;
  if (runtime == "python" && merged.text("isolation") == "inline")
    context_.report.warning({code::kInlinePython, placed.key_span("isolation"),
                             "Python runs on the I/O thread: C code in it that holds on cannot be stopped",
                             "use 'isolation: process', or 'thread', unless the scripts are trusted and quick"});
  if (runtime == "python" && merged.text("isolation") == "process") warn_of_reach(options);
  if (options.given("grant") && merged.text("isolation") != "process")
    context_.report.error({code::kConflictingKeys, options.key_span("grant"),
                           "'grant' says what a worker process may have, and this script runs in none",
                           "add 'isolation: process', or remove it"});
  return Settings(std::move(map));
}

// A worker process can read the script's folder, with all that lies below it.
void Chains::warn_of_reach(const View& options) {
  const std::string_view file = options.settings().text("file");
  const std::string_view folder = file.substr(0, file.rfind('/') + 1);
  const std::string token = token_file(context_);
  const View store = context_.root.at("store");
  const bool embedded = context_.root.given("store") && store.settings().text("kind") == "embedded";
  const std::string_view keys = embedded ? store.settings().text("path") : std::string_view();
  for (const std::string_view kept : {std::string_view(token), keys})
    if (!folder.empty() && kept.starts_with(folder))
      return context_.report.warning(
          {code::kSuspiciousValue, options.at("file").span(),
           fmt::format("this script can read '{}', which lies below its folder", kept.substr(folder.size())),
           "put scripts in a folder of their own, for example scripts/"});
}

void Chains::check_script(const View& options) {
  const std::string_view file = options.settings().text("file");
  if (!file.empty() && !options.given("runtime") && runtime_of(file).empty())
    context_.report.error({code::kUnknownRuntime, options.at("file").span(),
                           fmt::format("the extension of '{}' names no language", file.substr(file.rfind('/') + 1)),
                           "one of .lua, .py and .js, or say 'runtime: lua'"});
  if (options.given("cache")) check_script_cache(context_.report, options);
  if (options.given("config")) check_script_config(context_.report, options.at("config"));
  if (options.given("max_body") && !options.given("body"))
    context_.report.warning({code::kSuspiciousValue, options.key_span("max_body"),
                             "'max_body' has no effect without 'body'",
                             "say which body the script reads: 'body: request'"});
}

// What no single option can tell.
void Chains::check_options(std::string_view kind, const View& options) {
  Report& report = context_.report;
  const auto given = [&options](std::string_view key) { return options.given(key); };
  if (kind == "script") check_script(options);
  if (kind == "respond") check_one_body(report, options);
  if (const std::string_view name = options.settings().text("name");
      kind == "use" && !name.empty() && chains_.count(name) == 0)
    report_dangling(context_, {"chain", "chains", name, options.at("name").span()});
  if (kind == "rewrite" && !given("path") && !given("query") && !given("method"))
    report.warning({code::kSuspiciousValue, options.span(), "step 'rewrite' changes nothing",
                    "give it 'path', 'query' or 'method'"});
  check_limit(report, kind, options);
  if (kind == "jwt-auth") check_jwt_auth(report, options);
  if (kind == "compress") check_compress(report, options);
  if (kind == "headers" && !given("request") && !given("response"))
    report.warning(
        {code::kSuspiciousValue, options.span(), "step 'headers' changes nothing", "give it 'request' or 'response'"});
  if (kind == "cors" && options.settings().flag("credentials") && lists_everyone(options.settings()))
    report.warning({code::kSuspiciousValue, options.key_span("credentials"),
                    "every page of the Web may read this route with its visitors' credentials",
                    "list the origins instead of \"*\""});
}

void check_one_body(Report& report, const View& respond) {
  std::string_view first;
  for (const std::string_view key : {"text", "json", "body"}) {
    if (!respond.given(key)) continue;
    if (!first.empty())
      report.error({code::kConflictingKeys, respond.key_span(key),
                    fmt::format("'{}' and '{}' both give the body", first, key), "keep one of them"},
                   {{respond.key_span(first), "the other one"}});
    first = key;
  }
}

void Chains::warn_unused() const {
  for (const auto& [name, chain] : chains_)
    if (!used_.count(name))
      context_.report.warning({code::kUnused, chain.span, fmt::format("chain '{}' is not used", name),
                               fmt::format("use it with 'use: {}', or remove it", name)});
}

}  // namespace lingate::config
