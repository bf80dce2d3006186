#include "gateway/bench/rooms/curves.h"

#include <array>

#include <fmt/format.h>

#include "base/codes.h"
#include "gateway/routing/router.h"
#include "middleware/builtin.h"

namespace lingate::bench {
namespace {

constexpr std::array kLanguages{"lua", "js", "python"};

// A small script of many kinds: `name` is set to "value".
std::string setter(std::string_view runtime, std::string_view name) {
  if (runtime == "lua")
    return fmt::format("return {{ request = function(req) req.headers['{}'] = 'value' end }}", name);
  if (runtime == "python") return fmt::format("def request(req):\n    req.headers['{}'] = 'value'\n", name);
  return fmt::format("exports.request = function (req) {{ req.headers['{}'] = 'value'; }};", name);
}

Settings native_setter(const std::string& name) {
  Settings::Map lines{{name, Settings(std::string("value"))}};
  return Settings(Settings::Map{{"request", Settings(Settings::Map{{"set", Settings(std::move(lines))}})}});
}

std::function<std::string(middleware::Exchange&)> wants(std::string name) {
  return [name = std::move(name)](middleware::Exchange& exchange) {
    return exchange.request.headers.value(name) == "value" ? std::string() : name + " was not set";
  };
}

// Collects the points of one curve; stops at the first thing that goes wrong.
class Drawing {
 public:
  Drawing(Workshop& workshop, const MeasureOptions& options, std::string name, std::vector<double> x)
      : workshop_(workshop), options_(options), curve_{.name = std::move(name), .x = std::move(x), .series = {}} {}

  // `point` makes and measures the arm for one x.
  template <class Point>
  void series(std::string name, Point point) {
    std::vector<double> y;
    for (const double x : curve_.x) {
      if (error_) return;
      Result<double> value = point(static_cast<std::size_t>(x));
      if (!value)
        error_ = fail(
            Error{value.error().code, fmt::format("{}, {} at {}: {}", curve_.name, name, x, value.error().message)});
      else
        y.push_back(*value);
    }
    curve_.series.emplace_back(std::move(name), std::move(y));
  }

  Result<double> cpu(Arm& arm) { return measure_cpu(workshop_, arm, options_); }
  Workshop& workshop() { return workshop_; }
  Result<Curve> result() && {
    if (error_) return *error_;
    return std::move(curve_);
  }

 private:
  Workshop& workshop_;
  const MeasureOptions& options_;
  Curve curve_;
  std::optional<tl::unexpected<Error>> error_;
};

// The same step so many times, behind one that does nothing.
Result<double> chain_of(Drawing& drawing, Arm& arm, const middleware::Middleware* step, std::size_t count) {
  arm.traffic = usual_traffic();
  arm.chain = middleware::Chain(std::vector<const middleware::Middleware*>(count, step));
  arm.check = count == 0 ? [](middleware::Exchange&) { return std::string(); } : wants("X-Step");
  return drawing.cpu(arm);
}

Result<Curve> chain_steps(Workshop& workshop, const MeasureOptions& options) {
  Drawing drawing(workshop, options, "steps in the chain", {0, 1, 3, 10, 20, 30});
  drawing.series("native", [&](std::size_t count) -> Result<double> {
    Arm arm;
    auto step = middleware::find_step("headers")->make(native_setter("X-Step"), {});
    if (!step) return fail(std::move(step.error()));
    return chain_of(drawing, arm, step->get(), count);
  });
  for (const char* language : kLanguages)
    drawing.series(language, [&](std::size_t count) -> Result<double> {
      Arm arm;
      auto script =
          workshop.script(language, {.path = "bench/step", .source = setter(language, "X-Step"), .config = {}});
      if (!script) return fail(std::move(script.error()));
      return chain_of(drawing, arm, (*script)->step(), count);
    });
  return std::move(drawing).result();
}

Result<Curve> header_lines(Workshop& workshop, const MeasureOptions& options) {
  Drawing drawing(workshop, options, "header lines of the request", {5, 12, 25, 50, 96});
  const auto with_lines = [&](std::string_view runtime, std::string_view placement) {
    return [&, runtime, placement](std::size_t count) -> Result<double> {
      auto arm = make_arm(workshop, {std::string(runtime), std::string(placement), "header"});
      if (!arm) return fail(std::move(arm.error()));
      auto& lines = (*arm)->traffic.request_headers;
      lines = {{"Host", "api.example.com"}, {"X-Api-Key", "key-00000500"}};
      while (lines.size() < count)
        lines.emplace_back(fmt::format("X-Line-{}", lines.size()), "a value of usual length");
      return drawing.cpu(**arm);
    };
  };
  drawing.series("native", with_lines("native", ""));
  for (const char* language : kLanguages)
    drawing.series(language, with_lines(language, "inline"));
  return std::move(drawing).result();
}

// Scripts with an instance each, and a chain around each.
struct Crowd {
  std::vector<std::unique_ptr<ScriptUse>> scripts;
  std::vector<middleware::Chain> chains;
};

Result<Crowd> crowd_of(Workshop& workshop, const char* language, std::size_t count) {
  Crowd crowd;
  for (std::size_t k = 0; k < count; ++k) {
    auto made = workshop.script(language, {.path = fmt::format("bench/script-{}", k),
                                           .source = setter(language, "X-Step"),
                                           .memory = 16 << 20,
                                           .config = {}});
    if (!made) return fail(std::move(made.error()));
    crowd.scripts.push_back(std::move(*made));
    crowd.chains.push_back(middleware::Chain({crowd.scripts.back()->step()}));
  }
  return crowd;
}

// Asks one after the other, so that each call finds the caches as the others left them.
Result<double> in_turn(Workshop& workshop, const MeasureOptions& options, const char* language, std::size_t count) {
  constexpr std::size_t kWarmPasses = 60;  // a hook is compiled when it has been called often enough
  auto crowd = crowd_of(workshop, language, count);
  if (!crowd) return fail(std::move(crowd.error()));
  const Traffic traffic = usual_traffic();
  const auto pass = [&] {
    for (const middleware::Chain& chain : crowd->chains)
      workshop.stage().serve(chain, traffic);
  };
  for (std::size_t k = 0; k < kWarmPasses; ++k)
    pass();
  const double longest = static_cast<double>(std::chrono::nanoseconds(options.slice).count()) * options.sweeps;
  const double began = processor_time();
  double passes = 0;
  while (passes == 0 || processor_time() - began < longest) {
    pass();
    ++passes;
  }
  const double took = processor_time() - began;
  const std::string wrong = wants("X-Step")(workshop.stage().exchange());
  workshop.stage().leave();
  if (!wrong.empty()) return fail(code::kInternal, wrong);
  return took / (passes * static_cast<double>(count));
}

Result<Curve> scripts_loaded(Workshop& workshop, const MeasureOptions& options) {
  Drawing drawing(workshop, options, "scripts loaded", {1, 10, 100, 1000});
  for (const char* language : kLanguages)
    drawing.series(language, [&](std::size_t count) { return in_turn(workshop, options, language, count); });
  return std::move(drawing).result();
}

Result<Curve> routes(Workshop& workshop, const MeasureOptions& options) {
  Drawing drawing(workshop, options, "routes", {10, 100, 1000, 10000});
  drawing.series("match", [](std::size_t count) -> Result<double> {
    std::vector<routing::Match> matches(count);
    std::vector<std::string> paths;
    for (std::size_t k = 0; k < count; ++k) {
      matches[k].path = fmt::format("/service-{}/v1/users/{{id}}", k);
      matches[k].methods = {"GET"};
      paths.push_back(fmt::format("/service-{}/v1/users/12345", k));
    }
    const routing::Router router(matches);
    constexpr std::size_t kMatches = 200'000;
    std::size_t wrong = 0;
    const Clock::time_point began = Clock::now();
    for (std::size_t k = 0, at = 0; k < kMatches; ++k, at = (at + 7919) % count)
      wrong += router.match({"GET", "api.example.com", paths[at], "", nullptr}).route != at ? 1U : 0U;
    const std::chrono::duration<double, std::nano> took = Clock::now() - began;
    if (wrong != 0) return fail(code::kInternal, "a wrong route was found");
    return took.count() / kMatches;
  });
  return std::move(drawing).result();
}

}  // namespace

Result<std::vector<Curve>> measure_curves(Workshop& workshop, const MeasureOptions& options,
                                          const std::function<void(double)>& progress) {
  std::vector<Curve> curves;
  constexpr std::array kDraw{chain_steps, header_lines, routes, scripts_loaded};
  for (const auto draw : kDraw) {
    auto curve = draw(workshop, options);
    if (!curve) return fail(std::move(curve.error()));
    curves.push_back(std::move(*curve));
    progress(static_cast<double>(curves.size()) / static_cast<double>(kDraw.size()));
  }
  return curves;
}

}  // namespace lingate::bench
