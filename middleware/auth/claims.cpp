#include "middleware/auth/claims.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/fields.h"
#include "base/pairs.h"
#include "middleware/sessions/session_json.h"

namespace lingate::middleware::auth {
namespace {

using Checked = Result<void, std::string>;

tl::unexpected<std::string> no(std::string why) {
  return tl::unexpected<std::string>(std::move(why));
}

// Unix seconds. Nothing: the claim is absent.
Result<std::optional<double>, std::string> time_of(const Json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end()) return std::nullopt;
  if (!found->is_number() || !std::isfinite(found->get<double>())) return no(std::string(name) + " is no number");
  return found->get<double>();
}

struct Times {
  std::optional<double> expires;
};

Result<Times, std::string> check_times(const Json& claims, const Expectations& expected,
                                       std::chrono::system_clock::time_point now) {
  const double at = std::chrono::duration<double>(now.time_since_epoch()).count();
  const auto skew = static_cast<double>(expected.skew.count());
  const auto expires = time_of(claims, "exp");
  const auto begins = time_of(claims, "nbf");
  const auto issued = time_of(claims, "iat");
  for (const auto* each : {&expires, &begins, &issued})
    if (!*each) return no(each->error());
  if (*expires && at >= **expires + skew) return no("the token has expired");
  if (*begins && at < **begins - skew) return no("the token is not yet valid (nbf)");
  if (*issued && at < **issued - skew) return no("the token was issued in the future (iat)");
  return Times{*expires};
}

Checked check_issuer(const Json& claims, const Expectations& expected) {
  if (expected.issuer.empty()) return {};
  const auto found = claims.find("iss");
  if (found == claims.end() || !found->is_string()) return no("the token names no issuer");
  return found->get_ref<const std::string&>() == expected.issuer ? Checked() : no("the token is of another issuer");
}

Checked check_audience(const Json& claims, const Expectations& expected) {
  if (expected.audience.empty()) return {};
  const auto is_ours = [&expected](const Json& value) {
    return value.is_string() && std::find(expected.audience.begin(), expected.audience.end(),
                                          value.get_ref<const std::string&>()) != expected.audience.end();
  };
  const auto found = claims.find("aud");
  if (found == claims.end()) return no("the token names no audience");
  const bool ours = found->is_array() ? std::any_of(found->begin(), found->end(), is_ours) : is_ours(*found);
  return ours ? Checked() : no("the token is for another audience");
}

std::string unescaped(std::string_view part) {
  std::string name;
  for (std::size_t k = 0; k < part.size(); ++k) {
    const bool escape = part[k] == '~' && k + 1 < part.size();
    name += escape ? (part[++k] == '1' ? '/' : '~') : part[k];
  }
  return name;
}

// nullptr: the token has no such claim.
const Json* claim(const Json& claims, std::string_view name) {
  if (name.empty()) return nullptr;
  if (name.front() != '/') {
    const auto found = claims.find(name);
    return found == claims.end() ? nullptr : &*found;
  }
  const Json* at = &claims;
  for (name.remove_prefix(1); at->is_object();) {
    const bool last = name.find('/') == std::string_view::npos;
    const auto found = at->find(unescaped(take_until(name, '/')));
    if (found == at->end()) return nullptr;
    at = &*found;
    if (last) return at;
  }
  return nullptr;
}

Json words_of(std::string_view text) {
  Json words = Json::array();
  while (!text.empty())
    if (const std::string_view word = take_until(text, ' '); !word.empty()) words.push_back(word);
  return words;
}

Result<Session, std::string> session_of(Json claims, const ClaimNames& names, std::optional<double> expires) {
  Json session = Json::object();
  for (const auto& [field, name] : {std::pair("id", &names.id), {"alias", &names.alias}, {"org", &names.org}})
    if (const Json* value = claim(claims, *name)) session[field] = *value;
  if (const Json* value = claim(claims, names.tags))
    session["tags"] = value->is_string() ? words_of(value->get_ref<const std::string&>()) : *value;
  if (expires && *expires >= 0) session["expires"] = *expires;
  session["metadata"] = std::move(claims);
  auto wire = session_from_json(session);
  if (!wire) return no("the claims make no session: " + wire.error().field + ": " + wire.error().message);
  auto made = Session::from_wire(std::move(*wire));
  if (!made) return no("the claims make no session: " + made.error().message);
  return std::move(*made);
}

}  // namespace

Result<Caller, std::string> read_claims(std::string_view claims, const Expectations& expected, const ClaimNames& names,
                                        std::chrono::system_clock::time_point now) {
  auto json = read_object(claims);
  if (!json) return no("the token's claims are no JSON object");
  const auto times = check_times(*json, expected, now);
  if (!times) return no(times.error());
  if (auto checked = check_issuer(*json, expected); !checked) return no(checked.error());
  if (auto checked = check_audience(*json, expected); !checked) return no(checked.error());
  auto session = session_of(std::move(*json), names, times->expires);
  if (!session) return no(session.error());
  return Caller{std::move(*session), times->expires};
}

}  // namespace lingate::middleware::auth
