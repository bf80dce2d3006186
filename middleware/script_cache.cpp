#include "middleware/script_cache.h"

#include "middleware/sessions/session_json.h"

namespace lingate::middleware {

std::optional<std::string_view> ScriptCache::key_of(Exchange& exchange) {
  const limits::Caller caller = options_.by.caller(exchange);
  if (options_.by.falls_back(caller)) return std::nullopt;
  key_.assign(exchange.route()).append(1, '\0').append(caller.text);
  return key_;
}

std::optional<std::string_view> ScriptCache::find(std::string_view key, const Exchange& exchange) {
  const Answer* const answer = known_.find(key, Clock::now());
  if (!answer || (answer->sets_context && !exchange.context().empty())) return std::nullopt;
  return answer->verdict;
}

void ScriptCache::keep(std::string_view key, std::string_view verdict, const VerdictReader& reader,
                       ContextBefore before, Exchange& exchange) {
  if (verdict.empty()) return known_.learn(key, {}, Clock::now() + options_.ttl);
  if (verdict.size() > kMostBytes || !reader.fits_others()) return;
  if (reader.sets_context() && before == ContextBefore::filled) return;
  const std::chrono::nanoseconds ttl = reader.sets_session() ? ttl_of(exchange) : options_.ttl;
  if (ttl.count() <= 0) return;
  known_.learn(key, {.verdict = std::string(verdict), .sets_context = reader.sets_context()}, Clock::now() + ttl);
}

// No longer than the session lasts.
std::chrono::nanoseconds ScriptCache::ttl_of(Exchange& exchange) const {
  const Session* const session = exchange.session();
  const auto expires = session ? expires_of(session->wire()) : std::nullopt;
  if (!expires) return options_.ttl;
  using Seconds = std::chrono::duration<double>;
  const Seconds left = Seconds(*expires) - Seconds(exchange.wall().time_since_epoch());
  return left < options_.ttl ? std::chrono::duration_cast<std::chrono::nanoseconds>(left) : options_.ttl;
}

}  // namespace lingate::middleware
