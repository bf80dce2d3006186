// The step `script`: the only bridge between an Exchange and a runtime. It encodes the call, gives it to the pool of
// its script, and applies the verdict; a failure is logged once and, by `on_error`, ends the exchange or is as if the
// step were not there.
//
//   Exchange ── ExchangeCall, encode_call ──▶ ScriptFlight ── RuntimePool ──▶ verdict ── VerdictReader ──▶ Exchange
//
// Thread: as Middleware says. Lifetime: the snapshot's, as that of its pool, which must not complete calls once the
// step is gone: no exchange is left by then, and the pool is destroyed first, so that calls of `log` hooks end too.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "middleware/middleware.h"
#include "middleware/script_cache.h"
#include "middleware/script_encode.h"
#include "middleware/script_log.h"
#include "middleware/script_verdict.h"
#include "runtimes/pool.h"

namespace lingate::middleware {

enum class OnError : std::uint8_t { deny, go_on };

struct ScriptStepOptions {
  std::string label;  // what logs and metrics call it
  OnError on_error = OnError::deny;
  bool request_body = false;
  bool response_body = false;
  std::size_t max_body = 10 * 1024 * 1024;
  std::uint32_t workers = 1;
  std::optional<ScriptCacheOptions> cache{};
};

class ScriptFlight;

class ScriptStep final : public Middleware {
 public:
  ScriptStep(runtimes::RuntimePool& pool, std::shared_ptr<ScriptLog> log, ScriptStepOptions options);
  ~ScriptStep() override;

  std::string_view kind() const noexcept override { return "script"; }
  std::string_view label() const noexcept override { return options_.label; }
  StepNeeds needs() const noexcept override;
  std::string_view runtime() const noexcept override { return pool_.runtime_name(); }

  Flow on_request(Exchange& exchange, StepRecord& record) const override;
  Flow on_response(Exchange& exchange, StepRecord& record) const override;
  void on_log(Exchange& exchange, const StepRecord& record) const override;
  void release(Exchange& exchange, StepRecord& record) const noexcept override;
  bool is_quiet(std::uint32_t worker) const noexcept override;

 private:
  friend class ScriptFlight;
  struct Lane;  // the flights of one worker

  Flow call(Exchange& exchange, StepRecord& record, runtimes::Hook hook) const;  // now, or at the turn's end
  Flow call_now(Exchange& exchange, StepRecord& record, runtimes::Hook hook) const;
  Flow conclude(ScriptFlight& flight) const;
  Flow settle(Exchange& exchange, StepRecord& record, VerdictReader& reader, VerdictReader::Outcome outcome) const;
  void keep_answer(ScriptFlight& flight) const;
  Flow failed(Exchange& exchange, StepRecord& record, const ScriptFailure& failure) const;
  void conclude_log(ScriptFlight& flight) const noexcept;
  CallShape shape_for(runtimes::Hook hook) const noexcept;
  const CallShape& shape(runtimes::Hook hook) const noexcept { return shapes_[static_cast<std::size_t>(hook) - 2]; }
  ScriptFlight& take(std::uint32_t worker) const;
  void give_back(ScriptFlight& flight) const noexcept;

  runtimes::RuntimePool& pool_;
  const std::shared_ptr<ScriptLog> log_;  // may outlive the pool
  const ScriptStepOptions options_;
  const std::array<CallShape, 3> shapes_;  // of the hooks request, response and log
  const std::unique_ptr<Lane[]> lanes_;
};

}  // namespace lingate::middleware
