// CountedBy: what a limiting step counts by: the option `by`. Where a request has no such thing (it is anonymous, the
// header or the member of ctx is missing, empty or of another type), the client's address counts instead; a session
// called "10.0.0.1" and that address are still two callers.
//
// Immutable. Thread: any. Lifetime: a caller's text is the exchange's.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "middleware/exchange.h"
#include "middleware/limits/keyed_hash.h"

namespace lingate::middleware::limits {

struct Caller {
  char kind = 'a';  // 's'ession, client's 'a'ddress, 'r'oute, 'h'eader, 'c'tx
  std::string_view text;
};

class CountedBy {
 public:
  // "session.id", "client.ip", "route", "header.NAME", "ctx.NAME"
  static Result<CountedBy> parse(std::string_view text);

  bool session() const noexcept { return source_ == Source::session; }
  Caller caller(Exchange& exchange) const;
  // The request has no such thing, and its client's address stands in.
  bool falls_back(const Caller& caller) const noexcept { return caller.kind == 'a' && source_ != Source::client; }

 private:
  enum class Source : std::uint8_t { session, client, route, header, context };

  CountedBy(Source source, std::string_view name) : source_(source), name_(name) {}
  Caller member_of(Exchange& exchange) const;

  Source source_;
  std::string name_;
};

// `step` is the number of what counts, `more` what else tells two counts of one caller apart.
inline Key key_of(const KeyedHash& hash, std::uint64_t step, const Caller& caller, std::uint64_t more = 0) noexcept {
  return hash(step, (more << 8U) | static_cast<unsigned char>(caller.kind), caller.text);
}

}  // namespace lingate::middleware::limits
