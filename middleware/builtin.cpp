#include "middleware/builtin.h"

#include <algorithm>

#include "middleware/steps/steps.h"

namespace lingate::middleware {
namespace {

constexpr StepKind kSteps[] = {
    {"access-log", steps::make_access_log},
    {"basic-auth", steps::make_basic_auth},
    {"body-limit", steps::make_body_limit},
    {"compress", steps::make_compress},
    {"concurrency-limit", steps::make_concurrency_limit},
    {"cors", steps::make_cors},
    {"headers", steps::make_headers},
    {"ip", steps::make_ip},
    {"jwt-auth", steps::make_jwt_auth},
    {"key-auth", steps::make_key_auth, Keeps::in_the_store},
    {"quota", steps::make_quota, Keeps::in_the_store},
    {"rate-limit", steps::make_rate_limit},
    {"request-id", steps::make_request_id},
    {"respond", steps::make_respond},
    {"rewrite", steps::make_rewrite},
    {"script", steps::make_script},
    {"server-timing", steps::make_server_timing},
};

}  // namespace

std::span<const StepKind> builtin_steps() noexcept {
  return kSteps;
}

const StepKind* find_step(std::string_view kind) noexcept {
  const auto found =
      std::find_if(std::begin(kSteps), std::end(kSteps), [&](const StepKind& k) { return k.kind == kind; });
  return found == std::end(kSteps) ? nullptr : found;
}

}  // namespace lingate::middleware
