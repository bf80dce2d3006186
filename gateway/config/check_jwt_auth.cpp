// What no single option of `jwt-auth` can tell: whether there are keys, and whether they serve its algorithms.
#include "base/codes.h"
#include "gateway/config/build.h"
#include "middleware/auth/token_options.h"

namespace lingate::config {
namespace {

// An option that was given and found wrong has been told already.
bool all_valid(const View& options) {
  for (const std::string_view key : {"algorithms", "secret", "key", "jwks"})
    if (options.given(key) && !options.at(key).valid()) return false;
  const View jwks = options.at("jwks");
  for (const std::string_view key : {"file", "url", "ca"})
    if (options.given("jwks") && jwks.given(key) && !jwks.at(key).valid()) return false;
  return options.given("algorithms");
}

}  // namespace

void check_jwt_auth(Report& report, const View& options) {
  if (!all_valid(options)) return;
  auto keys = middleware::auth::read_keys(options.settings());
  if (!keys) {
    auto& fault = keys.error();
    report.error({fault.code, options.key_span(fault.option), "step 'jwt-auth': " + fault.what, std::move(fault.cure)});
    return;
  }
  const View jwks = options.at("jwks");
  if (options.given("jwks") && jwks.given("refresh") && !jwks.given("url"))
    report.warning({code::kSuspiciousValue, jwks.key_span("refresh"), "'refresh' has no effect without 'url'",
                    "a file is read at load; remove it"});
}

}  // namespace lingate::config
