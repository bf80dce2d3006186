// ScriptCache: what the `request` hook of one step has answered, by something that the request carries: a key, a token.
// So an external check runs once for each of them and not with each request. An answer is the verdict itself, played
// again: the session that was assigned, edits of headers, ctx, or the response that ends the request.
// Each route has its own answers, since what a caller may do in one says nothing of another; beyond that a script has
// to answer by the key alone.
//
// Not kept, because it belongs to one request: a failure, edits of method, path, query, body or of a session that the
// store has, and ctx where earlier steps had put something there.
//
// Thread: its worker's. Lifetime: the step's; a verdict that find() returns lives until the next call.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/loop.h"
#include "middleware/exchange.h"
#include "middleware/known.h"
#include "middleware/limits/counted_by.h"
#include "middleware/script_verdict.h"

namespace lingate::middleware {

struct ScriptCacheOptions {
  limits::CountedBy by;  // a header, a member of ctx or the session
  std::chrono::nanoseconds ttl{};
};

class ScriptCache {
 public:
  static constexpr std::size_t kMostBytes = 64 * 1024;  // of one verdict

  ScriptCache(const ScriptCacheOptions& options, limits::KeyedHash hash) : options_(options), known_(hash) {}

  // What an answer is kept by; nothing: the request has no such thing, and the script runs. Lives until the next call.
  std::optional<std::string_view> key_of(Exchange& exchange);

  // Nothing: not known.
  std::optional<std::string_view> find(std::string_view key, const Exchange& exchange);

  // `reader` has just applied `verdict` to `exchange`, whose ctx was empty before or not.
  enum class ContextBefore { empty, filled };
  void keep(std::string_view key, std::string_view verdict, const VerdictReader& reader, ContextBefore before,
            Exchange& exchange);

 private:
  struct Answer {
    std::string verdict;
    bool sets_context = false;
  };
  static std::size_t bytes_of(const Answer& answer) { return answer.verdict.size(); }
  std::chrono::nanoseconds ttl_of(Exchange& exchange) const;

  const ScriptCacheOptions& options_;
  std::string key_;
  Known<Answer, Clock::time_point, &ScriptCache::bytes_of> known_;
};

}  // namespace lingate::middleware
