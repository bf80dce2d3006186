// JwksFetcher: keeps the key sets that issuers publish by URL. One thread fetches them, in the background, one after
// the other: each again after its interval, and early when a token names a key that is not there. What cannot be
// fetched leaves the last keys in force and is tried again; until the first keys have come there are none, and who asks
// fails closed. Nobody on the data path ever waits for the network.
//
// Whoever can change what is on the way can make tokens: by `https` the server has to prove who it is, plain HTTP needs
// a way that is trusted.
//
// Thread: subscribe() and unsubscribe() any; of a source version(), copy() and ask() any. Lifetime: one for the
// process; a source lives from subscribe() to its last unsubscribe(); the log outlives all.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "middleware/app_log.h"
#include "middleware/auth/token_key.h"

namespace lingate::middleware::auth {

struct JwksUrl {
  std::string host{};  // without brackets
  std::string port{};
  std::string authority{};  // as Host says it
  std::string target{};
  bool secure = false;
  std::string authorities{};  // that a secure one has to come from, a file; empty: the system's

  bool operator==(const JwksUrl&) const = default;
};

Result<JwksUrl, KeyProblem> parse_jwks_url(std::string_view url);

class JwksFetcher {
 public:
  static constexpr std::chrono::seconds kPatience{5};       // for one fetch
  static constexpr std::chrono::seconds kBetweenAsked{10};  // early fetches of a source
  static constexpr std::chrono::seconds kLongestPause{60};  // between fetches that fail

  class Source;

  explicit JwksFetcher(AppLog& log);
  ~JwksFetcher();
  JwksFetcher(const JwksFetcher&) = delete;
  JwksFetcher& operator=(const JwksFetcher&) = delete;

  // Equal ones share a source, and the shortest interval counts.
  Source& subscribe(const std::string& url, const JwksUrl& parsed, Clock::duration refresh);
  void unsubscribe(Source& source) noexcept;

 private:
  class Fetch;

  void serve() noexcept;
  Source* due_source(Clock::time_point& next) noexcept;
  void fetch(Source& source, std::unique_lock<std::mutex>& lock) noexcept;
  void tell(const Source& source, std::string_view failure, std::size_t keys) noexcept;

  AppLog& log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::unique_ptr<Source>> sources_;
  Fetch* running_ = nullptr;
  bool closed_ = false;
  std::thread thread_;  // from the first source on
};

class JwksFetcher::Source {
 public:
  Source(JwksFetcher& fetcher, std::string url, JwksUrl parsed, Clock::duration refresh);

  std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }  // 0: no keys yet
  std::uint64_t copy(KeySet& into) const;  // the version that was copied
  void ask() noexcept;                     // a token names a key that is not there

 private:
  friend class JwksFetcher;

  Clock::time_point due() const noexcept;

  JwksFetcher& fetcher_;
  const std::string url_;
  const JwksUrl parsed_;
  std::atomic<std::uint64_t> version_{0};
  std::atomic<bool> asked_{false};
  mutable std::mutex keys_mutex_;  // held while keys are copied, no longer
  KeySet keys_;

  // Under the fetcher's lock.
  Clock::duration refresh_;
  std::size_t users_ = 0;
  std::uint32_t failures_ = 0;  // in a row
  Clock::time_point due_{};
  Clock::time_point began_{};  // the last fetch
};

}  // namespace lingate::middleware::auth
