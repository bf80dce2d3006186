#include "gateway/bench/rooms/arm.h"

#include <fmt/format.h>

#include "base/codes.h"
#include "gateway/bench/rooms/native.h"

namespace lingate::bench {

std::string ArmName::text() const {
  return placement.empty() ? runtime + "/" + job : runtime + "/" + placement + "/" + job;
}

void Arm::serve(Stage& stage) const {
  stage.serve(chain, traffic);
  if (!chain.wants_log() || !script) return;
  do
    stage.loop().run_what_comes(std::chrono::microseconds(script->pending() ? 50 : 0));
  while (script->pending());
}

runtimes::Placement ArmName::where() const noexcept {
  if (placement == "thread") return runtimes::Placement::thread;
  return placement == "process" ? runtimes::Placement::process : runtimes::Placement::inline_;
}

Result<std::unique_ptr<Arm>> make_arm(Workshop& workshop, const ArmName& name, bool stamped) {
  const Job* const job = find_job(name.job);
  if (!job) return fail(code::kInternal, fmt::format("there is no job '{}'", name.job));
  auto arm = std::make_unique<Arm>();
  arm->name = name;
  arm->traffic = traffic_of(*job);
  arm->check = job->check;
  if (name.placement.empty()) {
    arm->native = native_step(name.job);
    arm->chain = middleware::Chain({arm->native.get()});
    return arm;
  }
  const char* const source = source_of(*job, name.runtime);
  if (!source) return fail(code::kInternal, fmt::format("{} has no script for '{}'", name.runtime, name.job));
  auto script = workshop.script(name.runtime, {.path = "bench/" + name.job,
                                               .source = source,
                                               .placement = name.where(),
                                               .config = {},
                                               .request_body = job->request_body,
                                               .stamped = stamped});
  if (!script) return fail(std::move(script.error()));
  arm->script = std::move(*script);
  arm->chain = middleware::Chain({arm->script->step()});
  return arm;
}

std::string try_arm(Workshop& workshop, Arm& arm) {
  Stage& stage = workshop.stage();
  arm.serve(stage);
  if (std::string said = stage.stage_log().take(); !said.empty()) return said;
  if (stage.failed(arm.status)) return fmt::format("the answer was {}", stage.exchange().response.status);
  return arm.check(stage.exchange());
}

}  // namespace lingate::bench
