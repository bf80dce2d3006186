// JwksFetcher: keeps the key sets that issuers publish by URL. Each is fetched in the background, again after its
// interval, and early when a token names a key that is not there. An issuer that hangs, or whose name nobody resolves,
// holds up no other: every source has a thread of its own. What cannot be fetched leaves the last keys in force and is
// tried again; until the first keys have come there are none, and who asks fails closed. Nobody on the data path ever
// waits for the network; who brings a configuration does, for a while, so that its first requests find keys.
//
// Whoever can change what is on the way can make tokens: by `https` the server has to prove who it is, plain HTTP needs
// a way that is trusted.
//
// Thread: any; of a source version(), copy() and ask(). Lifetime: one for the process; a source lives from subscribe()
// to its last unsubscribe(); the log outlives all.
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
  static constexpr std::chrono::seconds kPatience{5};       // for one fetch, and for all first ones
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

  // Until every source has been tried once, with whatever success; kPatience at most.
  void wait_for_first_fetches();
  void end_waiting() noexcept;  // now and from now on

 private:
  class Fetch;

  void drop_ended();
  void serve(Source& source) noexcept;
  void fetch(Source& source, std::unique_lock<std::mutex>& lock) noexcept;
  void tell(const Source& source, std::string_view failure, std::size_t keys) noexcept;

  AppLog& log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::unique_ptr<Source>> sources_;
  bool waits_ = true;
  bool closed_ = false;
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
  Fetch* running_ = nullptr;
  bool tried_ = false;
  bool ended_ = false;          // its thread, nearly
  std::uint32_t failures_ = 0;  // in a row
  Clock::time_point due_{};
  Clock::time_point began_{};  // the last fetch

  std::thread thread_;
};

}  // namespace lingate::middleware::auth
