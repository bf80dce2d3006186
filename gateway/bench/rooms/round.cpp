#include "gateway/bench/rooms/round.h"

#include <istream>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/codes.h"
#include "base/read_file.h"
#include "gateway/bench/rooms/curves.h"
#include "gateway/bench/rooms/parts.h"
#include "gateway/bench/rooms/plan.h"
#include "runtimes/value.h"

namespace lingate::bench {
namespace {

constexpr std::size_t kMostBytes = 64 << 20;

using Arms = std::vector<std::unique_ptr<Arm>>;

Result<std::string> file(const std::string& path) {
  auto text = read_file(path, kMostBytes);
  if (!text) return fail(code::kScriptLoad, fmt::format("{}: {}", path, text.error()));
  return std::move(*text);
}

Result<std::string> config_of(const OwnScript& own) {
  if (own.config.empty()) return std::string();
  runtimes::WireWriter writer;
  const auto parsed = runtimes::parse_json(own.config, writer);
  if (writer.failed()) return fail(code::kScriptLoad, "the configuration: " + writer.error().message);
  if (!parsed) return fail(code::kScriptLoad, "the configuration: " + parsed.error().message);
  return std::string(writer.value());
}

// A script is right if its first request comes out; with what status, is its own affair, each time.
Result<std::unique_ptr<Arm>> own_arm(Workshop& workshop, const ArmName& name, const OwnScript& own) {
  auto arm = std::make_unique<Arm>();
  arm->name = name;
  arm->traffic = own.traffic;
  arm->check = [](middleware::Exchange&) { return std::string(); };
  auto source = file(own.path);
  auto config = config_of(own);
  if (!source) return fail(std::move(source.error()));
  if (!config) return fail(std::move(config.error()));
  for (const auto& [path, body] : {std::pair(&own.request_body_file, &arm->traffic.request_body),
                                   std::pair(&own.response_body_file, &arm->traffic.response_body)}) {
    if (path->empty()) continue;
    auto bytes = file(*path);
    if (!bytes) return fail(std::move(bytes.error()));
    *body = std::move(*bytes);
  }
  auto script = workshop.script(own.runtime, {.path = own.path,
                                              .source = std::move(*source),
                                              .placement = name.where(),
                                              .config = std::move(*config),
                                              .request_body = !own.request_body_file.empty(),
                                              .response_body = !own.response_body_file.empty()});
  if (!script) return fail(std::move(script.error()));
  arm->script = std::move(*script);
  arm->chain = middleware::Chain({arm->script->step()});
  arm->status = 0;
  if (std::string wrong = try_arm(workshop, *arm); !wrong.empty())
    return fail(code::kScriptException, std::move(wrong));
  workshop.stage().leave();
  return arm;
}

class Round {
 public:
  Round(const Plan& plan, std::istream& in, std::ostream& out) : plan_(plan), in_(in), out_(out) {}

  Result<Answer> run() {
    MeasureOptions measuring = plan_.measuring;
    measuring.until = Clock::now() + plan_.length;
    if (plan_.in_turns) measuring.await_turn = [this] { await_turn(); };
    std::vector<Parts> parts(plan_.arms.size());
    if (plan_.parts)
      if (auto split = split_arms(parts); !split) return fail(std::move(split.error()));
    Answer answer;
    if (!plan_.arms.empty()) {
      auto arms = make_arms();
      if (!arms) return fail(std::move(arms.error()));
      auto figures = measure(workshop_, *arms, measuring, [this](double done) { tell(done); });
      if (!figures) return fail(std::move(figures.error()));
      for (std::size_t k = 0; k < figures->size(); ++k) {
        const ArmFigures& each = (*figures)[k];
        answer.arms.push_back({.arm = each.arm,
                               .calls = each.calls,
                               .cpu = each.cpu,
                               .histogram = each.latency.buckets(),
                               .parts = std::move(parts[k])});
      }
    }
    if (plan_.curves) {
      auto curves = measure_curves(workshop_, measuring, [this](double done) { tell(done); });
      if (!curves) return fail(std::move(curves.error()));
      answer.curves = std::move(*curves);
    }
    return answer;
  }

 private:
  Result<Arms> make_arms() {
    Arms arms;
    for (const ArmName& name : plan_.arms) {
      auto arm = name.job == "script" && plan_.own ? own_arm(workshop_, name, *plan_.own) : make_arm(workshop_, name);
      if (!arm) return fail(std::move(arm.error()));
      arms.push_back(std::move(*arm));
    }
    return arms;
  }

  Result<void> split_arms(std::vector<Parts>& into) {
    Splitter splitter(workshop_);
    for (std::size_t k = 0; k < plan_.arms.size(); ++k) {
      const ArmName& name = plan_.arms[k];
      // Stamps are taken in this process only.
      if (name.placement.empty() || name.placement == "process" || name.job == "script") continue;
      auto parts = splitter.split(name);
      if (!parts) return fail(std::move(parts.error()));
      into[k] = std::move(*parts);
    }
    return {};
  }

  void tell(double done) { out_ << nlohmann::json{{"done", done}}.dump() << '\n' << std::flush; }

  void await_turn() {
    out_ << nlohmann::json{{"turn", true}}.dump() << '\n' << std::flush;
    std::string line;
    std::getline(in_, line);
  }

  const Plan& plan_;
  std::istream& in_;
  std::ostream& out_;
  Workshop workshop_;
};

}  // namespace

int run_round(std::string_view plan_json, std::istream& in, std::ostream& out) {
  auto plan = plan_from(plan_json);
  auto answer = plan ? Round(*plan, in, out).run() : Result<Answer>(fail(std::move(plan.error())));
  if (!answer) {
    out << nlohmann::json{{"error", answer.error().message}}.dump(-1, ' ', false,
                                                                  nlohmann::json::error_handler_t::replace)
        << '\n'
        << std::flush;
    return 1;
  }
  out << answer_text(*answer) << '\n' << std::flush;
  return 0;
}

}  // namespace lingate::bench
