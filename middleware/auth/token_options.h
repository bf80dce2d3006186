// TokenOptions: what `jwt-auth` says in the configuration of algorithms and keys, read in one place for the step and
// for `check`, so that a key that cannot serve is a mistake at load and no refusal later.
//
// Pure functions but for the reading of files; used while loading.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/settings.h"
#include "middleware/auth/algorithms.h"
#include "middleware/auth/claims.h"
#include "middleware/auth/jwks_fetcher.h"
#include "middleware/auth/token_key.h"

namespace lingate::middleware::auth {

struct OptionProblem {
  int code = 0;
  std::string_view option;  // static; the one at fault
  std::string what;
  std::string cure;
};

Algorithms read_algorithms(const Settings& settings);
Expectations read_expectations(const Settings& settings);
ClaimNames read_claim_names(const Settings& settings);

// Where `jwks` says that keys are fetched from, and whom to believe there.
Result<JwksUrl, OptionProblem> read_jwks_url(const Settings& jwks);

// The keys that `secret`, `key` or `jwks.file` give; none where `jwks.url` does. Fails too where a key cannot serve an
// algorithm that is listed.
Result<KeySet, OptionProblem> read_keys(const Settings& settings);

}  // namespace lingate::middleware::auth
