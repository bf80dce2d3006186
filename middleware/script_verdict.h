// Applies a script's Verdict to an exchange, all or nothing: one that a CallView has left, or the bytes of one, which
// read_verdict() checks. It is held against the limits of heads, targets and bodies here, and only then anything
// changes. The rooms keep these rules too; this is the gateway's own defence, for a verdict may come from a process
// that is not trusted. Where it does not, what stands in header lines is not searched a second time, and the serialiser
// still lets no line out that would not be one.
//
// Thread: the exchange's worker; one VerdictReader a call in flight, reused. Lifetime: a failure's texts borrow the
// verdict.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "middleware/exchange.h"
#include "runtimes/pool.h"
#include "runtimes/runtime.h"
#include "runtimes/wire_verdict.h"

namespace lingate::middleware {

// A script's failure, as its verdict tells it or as found in a verdict that may not stand.
struct ScriptFailure {
  runtimes::FailureKind kind = runtimes::FailureKind::exception;
  std::string message;
  std::string_view file{};
  std::uint32_t line = 0;
  std::vector<std::string_view> stack{};
};

int code_of(runtimes::FailureKind kind) noexcept;

// Who writes the verdicts of a pool whose calls run there.
runtimes::VerdictOrigin origin_of(runtimes::Placement placement) noexcept;

class VerdictReader {
 public:
  enum class Outcome : std::uint8_t { next, answered, failed };
  using Origin = runtimes::VerdictOrigin;

  // Of verdicts from there; see runtimes/wire_verdict.h for what that spares.
  explicit VerdictReader(Origin origin = Origin::other_process) noexcept : origin_(origin) {}

  // Applies `verdict` to `exchange`, or applies nothing and says why in failure(). Edits of the response are for the
  // hook `response` only, those of the request for `request`.
  Outcome apply(Exchange& exchange, runtimes::Hook hook, std::string_view verdict,
                const runtimes::ScriptLimits& limits);
  // The same for what a CallView of this process has left; whether its header lines stand in the exchange's arena.
  enum class Lines : std::uint8_t { elsewhere, in_arena };
  Outcome apply(Exchange& exchange, runtimes::Hook hook, const runtimes::Verdict& verdict,
                const runtimes::ScriptLimits& limits, Lines lines);

  // Only whether it failed: for `log`, which edits nothing.
  Outcome read_failure(std::string_view verdict);
  Outcome read_failure(const runtimes::Verdict& verdict);

  const ScriptFailure& failure() const noexcept { return failure_; }

  // ---- of the verdict that was applied last, while its bytes live ----
  // It may be applied to other requests too: it edits no target, method or body, and no session but one that it
  // assigns.
  bool fits_others() const noexcept;
  bool sets_context() const noexcept { return applied_->context.has_value(); }
  bool sets_session() const noexcept { return applied_->session && applied_->session->assigned; }

 private:
  bool invalid(std::string_view message);
  bool check(const Exchange& exchange, runtimes::Hook hook, const runtimes::ScriptLimits& limits);
  bool check_answer(const runtimes::VerdictAnswer& answer, const runtimes::ScriptLimits& limits);
  enum class Fit : std::uint8_t { sure, doubtful, never };
  Fit fit_of(const Headers& headers, const runtimes::ScriptLimits& limits) const;
  bool edit_head(Headers& headers, const runtimes::ScriptLimits& limits, Lines lines);
  void commit(Exchange& exchange);
  void keep_failure(const runtimes::VerdictFailure& failure);

  const Origin origin_;
  runtimes::Verdict verdict_;  // where bytes were read
  const runtimes::Verdict* applied_ = &verdict_;
  SessionChange session_;
  std::vector<Field> saved_;  // lines of a head before edits that might not fit
  ScriptFailure failure_;
};

}  // namespace lingate::middleware
