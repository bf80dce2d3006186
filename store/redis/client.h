// Client: one conversation with a Redis, on a thread of its own. Questions of all threads go into one connection, one
// behind the other without waiting for answers, and each has a deadline. On the same connection it hears what others
// publish.
//
// The breaker is the connection: it is open where there is none that has proved itself. It opens when the connection
// breaks, or when for some 300 ms every answer was an error or late (a small question is asked every 100 ms where
// nobody else asks); then whoever asks is refused at once, and the client connects again and again, and closes it when
// a trial question was answered in time.
//
// Thread: run(), up() and away_since() any; replies and hooks come on the client's. Lifetime: the destructor refuses
// what is under way.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/descriptor.h"
#include "base/loop.h"
#include "store/redis/options.h"
#include "store/redis/resp.h"
#include "store/redis/scripts.h"
#include "store/redis/socket.h"

namespace lingate::store::redis {

// A script with its arguments, ready to be sent.
class Question {
 public:
  Question(const Script& script, std::size_t keys);
  Question& operator<<(std::string_view word);
  Question& operator<<(std::int64_t number) { return *this << std::string_view(std::to_string(number)); }

  enum class By : std::uint8_t { hash, text };
  void append_to(std::string& out, By by) const;
  const Script& script() const noexcept { return *script_; }

 private:
  const Script* script_;
  std::size_t words_ = 3;
  std::string rest_;
};

class Client {
 public:
  using Reply = std::function<void(Result<Value>)>;

  struct Hooks {
    std::function<void(std::string_view message)> heard;  // what was published
    std::function<void()> joined;                         // a new connection listens: what was said before is missed
    std::function<void(bool away, std::string_view why)> told{};  // the breaker opens, or closes
  };
  struct Counts {
    std::uint64_t answered = 0;  // in time, and no error
    std::uint64_t failed = 0;    // errors
    std::uint64_t late = 0;
    std::uint64_t refused = 0;  // the breaker was open, or too many waited
    std::uint64_t opened = 0;   // times that the breaker has
  };

  Client(RedisOptions options, TlsContext context, Hooks hooks);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // `reply` is called once, by the deadline, perhaps before this returns.
  void run(Question question, Clock::time_point deadline, Reply reply);
  void run(Question question, Reply reply);  // within the budget

  bool up() const noexcept { return away_since_.load(std::memory_order_acquire) == kHere; }
  std::optional<Clock::time_point> away_since() const noexcept;
  Error why_away() const;
  Counts counts() const noexcept;
  std::chrono::milliseconds budget() const noexcept { return options_.budget; }
  // Until the first attempt to connect is over, whatever came of it.
  void wait_for_first(Clock::duration most);

 private:
  struct Asked {
    Question question;
    Clock::time_point deadline;
    Reply reply;
    bool spelt_out = false;  // the script went along
    bool beat = false;       // nobody's but the client's own
  };
  using Moment = std::int64_t;  // of the steady clock
  static constexpr Moment kHere = 0;
  enum Counter : std::uint8_t { kAnswered, kFailed, kLate, kRefused, kOpened, kCounters };

  // client.cpp
  void count(Counter counter) noexcept { counters_[counter].fetch_add(1, std::memory_order_relaxed); }
  void refuse(const Reply& reply);
  void ring() noexcept;
  bool closed() const;
  void live();
  void come_back(const RedisServer& server);
  void go_away(const std::string& why);
  bool is_first() const;  // no attempt to connect is over yet
  void note_attempt();
  void pause();

  // conversation.cpp
  Result<Socket> join(const RedisServer& server, RespReader& reader);
  Result<void> greet(Socket& socket, RespReader& reader, Clock::time_point deadline);
  Result<Value> await(Socket& socket, RespReader& reader, Clock::time_point deadline);
  std::string serve(Socket& socket, RespReader& reader);
  bool take_over();
  void ask(Asked asked);
  bool send(Socket& socket);
  bool receive(Socket& socket, RespReader& reader);
  void wait(const Socket& socket);
  Result<void> take(RespReader& reader);
  void hear(const Value& push) const;
  void conclude(const Value& value);
  void expire();
  void beat();
  bool is_sick() const;
  void well();
  void unwell(std::string how);
  void answer(Asked& asked, Result<Value> result);

  const RedisOptions options_;
  const TlsContext context_;
  const Hooks hooks_;
  const Descriptor wake_;
  std::array<std::atomic<std::uint64_t>, kCounters> counters_{};
  std::atomic<Moment> away_since_;

  mutable std::mutex mutex_;
  std::vector<Asked> queue_;
  std::string why_away_ = "it has not been reached yet";
  bool closed_ = false;
  std::condition_variable tried_;
  bool tried_once_ = false;
  std::atomic<std::size_t> waiting_{0};  // for a reply

  // The thread's own.
  std::deque<Asked> asked_;  // sent, in order; those without a reply came too late
  std::size_t server_ = 0;   // which one is tried
  std::string out_;
  std::size_t sent_ = 0;
  Clock::time_point earliest_{};  // deadline of what was sent
  Clock::time_point next_beat_{};
  std::optional<Clock::time_point> unwell_since_;
  int unwell_ = 0;  // bad answers since
  bool demoted_ = false;
  std::string ailment_;
  std::thread thread_;
};

}  // namespace lingate::store::redis
