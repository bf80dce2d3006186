// Layout: how records are called in Redis, and how they come back from it.
//
//   PREFIX:s:KEY PREFIX:k:KEY PREFIX:q:KEY PREFIX:v:KEY   the records of sessions, keys, quotas, kv: values as they are
//   PREFIX:index:s …                                      sorted set of the keys of a space, for scan()
//   PREFIX:expiries                                       sorted set of letter and key by when the record expires
//   PREFIX:turn:s:KEY …                                   who alone may write a record for a moment
//   PREFIX:rate:NAME                                      a bucket that gateways share
//   PREFIX:changes                                        channel: who wrote, letter, key
//
// Plain functions and values. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/redis/resp.h"
#include "store/store.h"

namespace lingate::store::redis {

constexpr std::string_view kLetters = "skqv";  // by Space

inline char letter_of(Space space) noexcept {
  return kLetters[static_cast<std::size_t>(space)];
}

class Layout {
 public:
  explicit Layout(std::string prefix) : prefix_(std::move(prefix)) {}

  const std::string& prefix() const noexcept { return prefix_; }
  std::string before(Space space) const { return prefix_ + ':' + letter_of(space) + ':'; }
  std::string record(Space space, std::string_view key) const { return before(space).append(key); }
  std::string turn(Space space, std::string_view key) const {
    return (prefix_ + ":turn:" + letter_of(space) + ':').append(key);
  }
  std::string index(Space space) const { return prefix_ + ":index:" + letter_of(space); }
  std::string rate(std::string_view name) const { return (prefix_ + ":rate:").append(name); }

 private:
  std::string prefix_;
};

inline std::int64_t milliseconds(Time time) noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

// A value and its expiry, as scripts give them, expired or not.
inline std::optional<Record> record_of(const Value& value, const Value& expires) {
  if (!value.is(Value::Kind::text)) return std::nullopt;
  Record record{value.text};
  if (expires.integer >= 0) record.expires = Time(std::chrono::milliseconds(expires.integer));
  return record;
}

}  // namespace lingate::store::redis
