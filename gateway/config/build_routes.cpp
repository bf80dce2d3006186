#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/codes.h"
#include "gateway/config/build.h"
#include "gateway/config/values.h"

namespace lingate::config {
namespace {

// A route that is being built, and where it stands.
struct Draft {
  View view;
  std::size_t number = 0;   // from 1
  bool match_good = false;  // the match can be compared with those of other routes
  Route route;
  std::vector<Chains::Expanded> chain;

  std::string title() const {
    return route.name.empty() ? fmt::format("route {}", number) : fmt::format("route '{}'", route.name);
  }
};

std::vector<routing::Condition> build_conditions(const Settings::Map& map) {
  using Test = routing::Condition::Test;
  std::vector<routing::Condition> conditions;
  for (const auto& [name, value] : map) {
    const bool* presence = value.as<bool>();
    const Test test = !presence ? Test::equals : *presence ? Test::present : Test::absent;
    conditions.push_back({name, test, std::string(value.as_text())});
  }
  return conditions;
}

routing::Match build_match(const Settings& settings) {
  routing::Match match;
  if (const std::string_view host = settings.text("host"); !host.empty())
    match.host = routing::parse_host(host).value_or("");
  match.path = settings.text("path");
  for (const Settings& each : settings.list("methods"))
    if (!each.is_null()) match.methods.emplace_back(each.as_text());
  match.headers = build_conditions(settings.map("headers"));
  match.query = build_conditions(settings.map("query"));
  return match;
}

bool all_valid(const Settings& value) {
  const auto valid = [](const auto& each) {
    if constexpr (requires { each.second; })
      return !each.second.is_null();
    else
      return !each.is_null();
  };
  if (const auto* list = value.as<Settings::List>()) return std::all_of(list->begin(), list->end(), valid);
  if (const auto* map = value.as<Settings::Map>()) return std::all_of(map->begin(), map->end(), valid);
  return !value.is_null();
}

// Every part that is given is valid.
bool is_good(const View& match) {
  constexpr std::string_view kParts[] = {"host", "path", "methods", "headers", "query"};
  return match.valid() && std::all_of(std::begin(kParts), std::end(kParts), [&match](std::string_view part) {
           return !match.given(part) || all_valid(match.at(part).settings());
         });
}

std::vector<std::string> parameters(const routing::Match& match) {
  std::vector<std::string> names;
  const auto segments = routing::parse_path(match.path);
  for (std::size_t i = 0; segments && i < segments->size(); ++i)
    if ((*segments)[i].kind != routing::Segment::Kind::literal) names.push_back((*segments)[i].text);
  return names;
}

class RouteBuilder {
 public:
  RouteBuilder(const BuildContext& context, Chains& chains, Model& model)
      : context_(context), report_(context.report), chains_(chains), model_(model) {
    for (std::size_t i = 0; i < model.upstreams.size(); ++i)
      upstreams_.emplace(model.upstreams[i].name, i);
  }

  void build(const View& view, std::size_t number) {
    Draft draft{view, number, is_good(view.at("match")), {}, chains_.expand(view.at("chain"))};
    Route& route = draft.route;
    for (const Chains::Expanded& each : draft.chain)
      route.chain.push_back(each.step);
    route.match = build_match(view.at("match").settings());
    route.match.preflight = has_step(route, "cors");
    route.place = report_.place(view.span());
    if (view.at("timeout").valid()) route.timeout = view.settings().duration("timeout");
    name(draft);
    choose_destination(draft);
    build_strip(draft);
    check_placeholders(draft);
    drafts_.push_back(std::move(draft));
  }

  void finish() {
    check_methods();
    check_conflicts();
    for (Draft& draft : drafts_)
      model_.routes.push_back(std::move(draft.route));
    if (report_.errors() > 0) return;
    for (const View::Named& each : context_.root.at("upstreams").members())
      if (!used_.count(upstreams_.at(each.name)))
        report_.warning({code::kUnused, each.span, fmt::format("upstream '{}' is not used", each.name),
                         fmt::format("use it with 'upstream: {}', or remove it", each.name)});
  }

 private:
  static bool has_step(const Route& route, std::string_view kind) {
    return std::any_of(route.chain.begin(), route.chain.end(), [kind](const Step& step) { return step.kind == kind; });
  }

  // The name given, or one made from host and path.
  void name(Draft& draft) {
    Route& route = draft.route;
    const View given = draft.view.at("name");
    route.name = given.settings().as_text();
    if (route.name.empty() && draft.match_good) route.name = route.match.host + route.match.path;
    if (route.name.empty()) return;
    const Span place = draft.view.given("name") ? given.span() : draft.view.span();
    const auto [first, fresh] = names_.emplace(route.name, place);
    if (fresh) return;
    if (given.valid()) {
      report_.error(
          {code::kDuplicateName, place, fmt::format("two routes have the name '{}'", route.name), "rename one of them"},
          {{first->second, "first defined here"}});
    } else {
      route.name = number_name(route.name, place);
    }
  }

  // "/users#2" for the second route of the path, and so on.
  std::string number_name(const std::string& name, Span place) {
    int& number = numbers_.emplace(name, 1).first->second;
    for (;;) {
      std::string numbered = fmt::format("{}#{}", name, ++number);
      if (names_.emplace(numbered, place).second) return numbered;
    }
  }

  void choose_destination(Draft& draft) {
    std::vector<std::string_view> given;
    for (const std::string_view key : {"upstream", "respond", "redirect"})
      if (draft.view.given(key)) given.push_back(key);
    if (given.size() > 1)
      report_.error({code::kConflictingKeys, draft.view.key_span(given[1]),
                     fmt::format("{} has both '{}' and '{}'", draft.title(), given[0], given[1]), "keep one of them"},
                    {{draft.view.key_span(given[0]), "the other one"}});
    if (draft.view.given("respond")) check_one_body(report_, draft.view.at("respond"));
    if (given.empty()) {
      answer_by_chain(draft);
    } else if (given.front() == "upstream") {
      draft.route.destination = build_split(draft);
    } else if (given.front() == "respond") {
      draft.route.destination =
          Step{"respond", draft.view.at("respond").settings(), report_.place(draft.view.key_span("respond")), {}};
    } else {
      draft.route.destination = build_redirect(draft);
    }
  }

  // A chain that answers by itself needs nowhere to go.
  void answer_by_chain(Draft& draft) {
    for (const Step& step : draft.route.chain)
      if (step.kind == "respond") {
        draft.route.destination = step;
        return;
      }
    report_.error({code::kMissingKey, draft.view.span(), fmt::format("{} goes nowhere", draft.title()),
                   "add 'upstream', 'respond' or 'redirect'"});
  }

  std::vector<Split> build_split(Draft& draft) {
    std::vector<Split> split;
    const View upstream = draft.view.at("upstream");
    for (const View& each : upstream.items()) {
      const std::string_view wanted = each.settings().text("name");
      if (wanted.empty()) continue;
      const auto found = upstreams_.find(wanted);
      if (found == upstreams_.end()) {
        report_dangling(context_, {"upstream", "upstreams", wanted, each.at("name").span()});
        continue;
      }
      used_.insert(found->second);
      split.push_back({found->second, static_cast<std::uint32_t>(each.settings().integer("weight"))});
    }
    if (upstream.valid() && upstream.items().empty())
      report_.error({code::kMissingKey, upstream.span(), fmt::format("'upstream' of {} names none", draft.title()),
                     "for example: upstream: users"});
    return split;
  }

  static Redirect build_redirect(const Draft& draft) {
    const Settings& settings = draft.view.at("redirect").settings();
    const std::string_view digits = settings.text("status");
    Redirect redirect;
    std::from_chars(digits.data(), digits.data() + digits.size(), redirect.status);
    redirect.to = settings.text("to");
    return redirect;
  }

  // The prefix must be one of the route's path.
  void build_strip(Draft& draft) {
    Route& route = draft.route;
    const View strip = draft.view.at("strip");
    route.strip = strip.settings().as_text();
    if (route.strip.empty() || !draft.match_good) return;
    const auto wanted = routing::parse_path(route.strip).value();
    const auto path = routing::parse_path(route.match.path).value();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (i < path.size() && path[i].kind == routing::Segment::Kind::wildcard) return;
      if (i < path.size() && (path[i].kind == routing::Segment::Kind::param || path[i].text == wanted[i].text))
        continue;
      report_.error(
          {code::kBadValue, strip.span(),
           fmt::format("'{}' is no prefix of the path '{}' of {}", route.strip, route.match.path, draft.title()),
           "no path of this route begins with it"},
          {{draft.view.at("match").at("path").span(), "the path"}});
      return;
    }
  }

  void check_placeholders(const Draft& draft) {
    if (!draft.match_good) return;
    const auto known = parameters(draft.route.match);
    for (const Chains::Expanded& each : draft.chain) {
      if (each.step.kind != "rewrite") continue;
      check_template(draft, known, each.options.at("path"), TemplateKind::path);
      check_template(draft, known, each.options.at("query"), TemplateKind::query);
    }
    check_template(draft, known, draft.view.at("redirect").at("to"), TemplateKind::location);
  }

  void check_template(const Draft& draft, const std::vector<std::string>& known, const View& value, TemplateKind kind) {
    if (!value.valid()) return;
    const std::string_view text = value.settings().as_text();
    const auto names = parse_template(text, kind).value_or(std::vector<std::string>());
    for (const std::string& name : names) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      report_.error({code::kUnknownPlaceholder, value.span(),
                     fmt::format("'{}': the path of {} has no parameter '{}'", text, draft.title(), name),
                     known.empty() ? "it has none" : fmt::format("it has {}", fmt::join(known, ", "))},
                    {{draft.view.at("match").at("path").span(), "the path"}});
    }
  }

  void check_methods() {
    std::set<std::string_view> methods;
    for (const Draft& draft : drafts_)
      methods.insert(draft.route.match.methods.begin(), draft.route.match.methods.end());
    if (methods.size() > routing::kMaxMethods)
      report_.error({code::kOutOfRange, context_.root.key_span("routes"),
                     fmt::format("the routes name {} different methods", methods.size()),
                     fmt::format("at most {}", routing::kMaxMethods)});
  }

  void check_conflicts() {
    std::vector<routing::Match> matches;
    std::vector<const Draft*> owners;
    for (const Draft& draft : drafts_) {
      if (!draft.match_good) continue;
      matches.push_back(draft.route.match);
      owners.push_back(&draft);
    }
    for (const routing::Conflict& conflict : routing::find_conflicts(matches)) {
      const Draft& first = *owners[conflict.first];
      const Draft& second = *owners[conflict.second];
      report_.error(
          {code::kUnreachableRoute, second.view.at("match").span(),
           fmt::format("{} matches the same requests as {}, with the same rank", second.title(), first.title()),
           "tell them apart by host, path, methods, or one more condition"},
          {{first.view.at("match").span(), "the other match"}});
    }
  }

  const BuildContext& context_;
  Report& report_;
  Chains& chains_;
  Model& model_;
  std::map<std::string_view, std::size_t> upstreams_;
  std::set<std::size_t> used_;
  std::map<std::string, Span> names_;
  std::map<std::string, int> numbers_;  // the last one given to a name
  std::vector<Draft> drafts_;
};

}  // namespace

void build_routes(const BuildContext& context, Chains& chains, Model& model) {
  RouteBuilder builder(context, chains, model);
  std::size_t number = 0;
  for (const View& each : context.root.at("routes").items()) {
    ++number;
    if (each.valid()) builder.build(each, number);
  }
  builder.finish();
}

}  // namespace lingate::config
