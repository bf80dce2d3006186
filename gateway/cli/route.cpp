#include <algorithm>
#include <ostream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/path.h"
#include "gateway/cli/asked.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/text.h"
#include "gateway/config/fields.h"
#include "gateway/config/values.h"
#include "gateway/routing/explain.h"

namespace lingate::cli {
namespace {

using Json = nlohmann::ordered_json;
using routing::Consideration;
using routing::Found;
using Stage = Consideration::Stage;

constexpr std::size_t kMostMisses = 5;

// All that is known about one request.
struct Answer {
  const config::Model& model;
  const Asked& asked;
  Found found;
  std::string allow;
  std::vector<std::pair<std::string, std::string>> params;  // decoded
  std::vector<Consideration> others;                        // match too, less specifically
  std::vector<Consideration> misses;                        // nearest first

  bool matched() const noexcept { return found.outcome == Found::Outcome::matched; }
  const config::Route& route() const noexcept { return model.routes[found.route]; }
};

// A miss by the host alone is nearer than one by both host and path.
std::size_t nearness(const Consideration& miss, const routing::Match& match, const routing::Request& request) {
  if (miss.stage == Stage::method) return 1000;
  if (miss.stage == Stage::condition) return 900;
  if (miss.stage == Stage::path) return miss.segments;
  routing::Match anywhere = match;
  anywhere.host.clear();
  const auto again = routing::consider(std::span(&anywhere, 1), request, Found());
  return again[0].stage == Stage::path ? 0 : 500;
}

Answer answer(const config::Model& model, const Asked& asked) {
  std::vector<routing::Match> matches;
  for (const config::Route& route : model.routes)
    matches.push_back(route.match);
  const routing::Router router(matches);
  const routing::Request request = asked.request();
  Answer result{model, asked, router.match(request), {}, {}, {}, {}};
  result.allow = router.allow(result.found.allowed);
  for (std::size_t i = 0; i < result.found.param_count; ++i) {
    const std::string_view value = result.found.params[i].of(asked.path());
    std::string scratch(value.size(), '\0');
    result.params.emplace_back(router.param_names(result.found.route)[i], percent_decode(value, scratch));
  }
  std::vector<std::pair<std::size_t, Consideration>> near;
  for (Consideration& each : routing::consider(matches, request, result.found)) {
    if (each.stage == Stage::less_specific) result.others.push_back(each);
    if (each.stage >= Stage::less_specific) continue;
    const std::size_t how = nearness(each, matches[each.route], request);
    if (how > 0) near.emplace_back(how, std::move(each));
  }
  std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  for (std::size_t i = 0; i < std::min(near.size(), kMostMisses); ++i)
    result.misses.push_back(std::move(near[i].second));
  return result;
}

std::string show(const routing::Condition& condition) {
  switch (condition.test) {
    case routing::Condition::Test::equals: return fmt::format("{} is '{}'", condition.name, condition.value);
    case routing::Condition::Test::present: return fmt::format("{} is there", condition.name);
    case routing::Condition::Test::absent: return fmt::format("{} is not there", condition.name);
  }
  return {};
}

std::string show(const routing::Match& match) {
  std::vector<std::string> parts;
  if (!match.host.empty()) parts.push_back("host " + match.host);
  parts.push_back("path " + match.path);
  if (!match.methods.empty()) parts.push_back(fmt::format("method {}", fmt::join(match.methods, " or ")));
  for (const routing::Condition& each : match.headers)
    parts.push_back("header " + show(each));
  for (const routing::Condition& each : match.query)
    parts.push_back("query " + show(each));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string why(const Answer& answer) {
  if (answer.others.empty()) return "the only route that matches";
  std::vector<std::string> names;
  for (const Consideration& each : answer.others)
    names.push_back(answer.model.routes[each.route].name);
  return fmt::format("more specific than {}, which match{} too", fmt::join(names, ", "), names.size() == 1 ? "es" : "");
}

std::string show_option(std::string_view step, const std::string& name, const Settings& value) {
  constexpr std::size_t kLongest = 60;
  const config::Field* field = config::find_field(fmt::format("step.{}", step), name);
  std::string text = cli::show(value);
  if (field && field->type == config::Type::script_file) text = near_path(text);
  if (field && field->type == config::Type::output)
    text = text == "-" ? "stdout" : text.empty() ? "stderr" : near_path(text);
  if (field && text == field->fallback) return {};
  return fmt::format("{}: {}", name, text.size() > kLongest ? "{…}" : text);
}

// The step and those of its options that are not the defaults.
std::string show(const config::Step& step) {
  std::vector<std::string> options;
  for (const auto& [name, value] : *step.settings.as<Settings::Map>()) {
    std::string option = value.is_null() ? std::string() : show_option(step.kind, name, value);
    if (!option.empty()) options.push_back(std::move(option));
  }
  return options.empty() ? step.kind : fmt::format("{} {{{}}}", step.kind, fmt::join(options, ", "));
}

std::string show(const config::Target& target) {
  const config::Address& address = target.address;
  if (address.kind == config::Address::Kind::unix_socket) return "unix:" + address.path;
  return (target.secure ? "https://" : "http://") + target.authority;
}

std::string show_destination(const Answer& answer) {
  const config::Route& route = answer.route();
  if (const auto* redirect = std::get_if<config::Redirect>(&route.destination))
    return fmt::format("redirect {} to {}", redirect->status, redirect->to);
  if (const auto* respond = std::get_if<config::Step>(&route.destination)) return show(*respond);
  std::vector<std::string> parts;
  for (const config::Split& split : std::get<std::vector<config::Split>>(route.destination)) {
    const config::Upstream& upstream = answer.model.upstreams[split.upstream];
    std::vector<std::string> targets;
    for (const config::Target& target : upstream.targets)
      targets.push_back(show(target));
    parts.push_back(fmt::format("upstream {} ({}), weight {}", upstream.name, fmt::join(targets, ", "), split.weight));
  }
  if (parts.size() == 1) parts[0] = parts[0].substr(0, parts[0].rfind(", weight"));
  return fmt::format("{}", fmt::join(parts, "; "));
}

void print_row(std::string_view label, std::string_view text, Console& console) {
  console.out << fmt::format("  {:<10}{}\n", label, text);
}

void print_chain(const config::Route& route, Console& console) {
  for (std::size_t i = 0; i < route.chain.size(); ++i) {
    const config::Step& step = route.chain[i];
    const std::string via = step.via.empty() ? "" : fmt::format("  (chain {})", fmt::join(step.via, " > "));
    print_row(i == 0 ? "chain" : "", fmt::format("{}. {}{}", i + 1, show(step), via), console);
  }
}

void print_route(const Answer& answer, Console& console) {
  const config::Route& route = answer.route();
  console.out << bold(route.name, console.out_paint) << "  " << cli::show(route.place) << "\n";
  print_row("match", show(route.match), console);
  print_row("why", why(answer), console);
  for (const auto& [name, value] : answer.params)
    print_row("param", fmt::format("{} = {}", name, value), console);
  print_chain(route, console);
  print_row("then", show_destination(answer), console);
  if (!route.strip.empty()) print_row("strip", route.strip, console);
  if (route.timeout) print_row("timeout", config::show_duration(*route.timeout), console);
}

void print_text(const Answer& answer, Console& console) {
  if (answer.asked.path() != answer.asked.raw_path())
    console.out << fmt::format("the path is read as {}\n", answer.asked.path());
  if (answer.matched()) {
    print_route(answer, console);
  } else if (answer.found.outcome == Found::Outcome::method_not_allowed) {
    console.out << bold("no route", console.out_paint) << fmt::format(": 405, Allow: {}\n", answer.allow);
  } else {
    console.out << bold("no route", console.out_paint) << ": 404\n";
  }
  if (!answer.misses.empty()) console.out << "near misses\n";
  for (const Consideration& each : answer.misses)
    console.out << fmt::format("  {}: {}\n", answer.model.routes[each.route].name, each.reason);
}

Json json_of(const config::Step& step) {
  return {
      {"step", step.kind}, {"options", to_json(step.settings)}, {"via", step.via}, {"place", cli::show(step.place)}};
}

Json json_of_destination(const Answer& answer) {
  const config::Route& route = answer.route();
  if (const auto* redirect = std::get_if<config::Redirect>(&route.destination))
    return {{"redirect", {{"to", redirect->to}, {"status", redirect->status}}}};
  if (const auto* respond = std::get_if<config::Step>(&route.destination))
    return {{"respond", to_json(respond->settings)}};
  Json split = Json::array();
  for (const config::Split& each : std::get<std::vector<config::Split>>(route.destination)) {
    Json targets = Json::array();
    for (const config::Target& target : answer.model.upstreams[each.upstream].targets)
      targets.push_back(show(target));
    split.push_back(
        {{"name", answer.model.upstreams[each.upstream].name}, {"weight", each.weight}, {"targets", targets}});
  }
  return {{"upstream", std::move(split)}};
}

Json json_of(const Answer& answer) {
  Json json{{"path", answer.asked.path()}, {"status", nullptr}, {"route", nullptr}};
  if (answer.found.outcome == Found::Outcome::no_route) json["status"] = 404;
  if (answer.found.outcome == Found::Outcome::method_not_allowed) {
    json["status"] = 405;
    json["allow"] = answer.allow;
  }
  if (answer.matched()) {
    const config::Route& route = answer.route();
    json["route"] = route.name;
    json["place"] = cli::show(route.place);
    json["match"] = show(route.match);
    json["why"] = why(answer);
    json["params"] = Json::object();
    for (const auto& [name, value] : answer.params)
      json["params"][name] = value;
    json["chain"] = Json::array();
    for (const config::Step& step : route.chain)
      json["chain"].push_back(json_of(step));
    json["destination"] = json_of_destination(answer);
  }
  json["near_misses"] = Json::array();
  for (const Consideration& each : answer.misses)
    json["near_misses"].push_back({{"route", answer.model.routes[each.route].name}, {"reason", each.reason}});
  return json;
}

}  // namespace

int route(const RouteOptions& options, Console& console) {
  const auto asked = Asked::parse(options);
  if (!asked) {
    console.error << "lingate: " << asked.error() << "\n";
    return kUsage;
  }
  const auto model = load(options.config, console);
  if (!model) return kConfigurationInvalid;
  const Answer found = answer(*model, *asked);
  if (options.format == Format::text) print_text(found, console);
  if (options.format == Format::json)
    console.out << json_of(found).dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  const std::string name = found.matched() ? found.route().name : "none";
  if (options.expect.empty() || options.expect == name) return kOk;
  console.error << fmt::format("lingate: expected '{}', found '{}'\n", options.expect, name);
  return kTestsFailed;
}

}  // namespace lingate::cli
