#include "store/redis/client.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "base/codes.h"

namespace lingate::store::redis {
namespace {

constexpr std::size_t kMostWaiting = 16'384;  // questions
constexpr int kOfBudget = 9, kTenths = 10;    // the rest is for the way to the caller

std::string where(const RedisServer& server) {
  if (server.is_path()) return "unix:" + server.host;
  const bool v6 = server.host.find(':') != std::string::npos;
  return (v6 ? "[" + server.host + "]" : server.host) + ":" + std::to_string(server.port);
}

}  // namespace

Question::Question(const Script& script, std::size_t keys) : script_(&script) {
  append_word(rest_, std::to_string(keys));
}

Question& Question::operator<<(std::string_view word) {
  append_word(rest_, word);
  ++words_;
  return *this;
}

void Question::append_to(std::string& out, By by) const {
  append_head(out, words_);
  append_word(out, by == By::hash ? "EVALSHA" : "EVAL");
  append_word(out, by == By::hash ? std::string_view(script_->hash()) : script_->text());
  out.append(rest_);
}

Client::Client(RedisOptions options, TlsContext context, Hooks hooks)
    : options_(std::move(options)),
      context_(std::move(context)),
      hooks_(std::move(hooks)),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      away_since_(Clock::now().time_since_epoch().count()) {
  thread_ = std::thread([this] { live(); });
}

Client::~Client() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  ring();
  thread_.join();
}

void Client::ring() noexcept {
  const std::uint64_t one = 1;
  while (::write(wake_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

bool Client::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void Client::run(Question question, Reply reply) {
  run(std::move(question), Clock::now() + options_.budget * kOfBudget / kTenths, std::move(reply));
}

void Client::run(Question question, Clock::time_point deadline, Reply reply) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (up() && !closed_ && waiting_ < kMostWaiting) {
      first = queue_.empty();
      queue_.push_back({.question = std::move(question), .deadline = deadline, .reply = std::move(reply)});
      ++waiting_;
      reply = nullptr;
    }
  }
  if (reply) return refuse(reply);
  if (first) ring();
}

void Client::refuse(const Reply& reply) {
  count(kRefused);
  reply(fail(why_away()));
}

std::optional<Clock::time_point> Client::away_since() const noexcept {
  const Moment moment = away_since_.load(std::memory_order_acquire);
  if (moment == kHere) return std::nullopt;
  return Clock::time_point(Clock::duration(moment));
}

Error Client::why_away() const {
  const std::lock_guard lock(mutex_);
  if (up()) return {code::kStoreUnavailable, "more questions wait for Redis than it answers"};
  return {code::kStoreUnavailable, "the store at " + why_away_};
}

Client::Counts Client::counts() const noexcept {
  const auto of = [this](Counter counter) { return counters_[counter].load(std::memory_order_relaxed); };
  return {.answered = of(kAnswered),
          .failed = of(kFailed),
          .late = of(kLate),
          .refused = of(kRefused),
          .opened = of(kOpened)};
}

void Client::wait_for_first(Clock::duration most) {
  std::unique_lock lock(mutex_);
  tried_.wait_for(lock, most, [this] { return tried_once_; });
}

// ---- the thread ----

void Client::live() {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  std::string why;
  while (!closed()) {
    const RedisServer& server = options_.servers[server_];
    RespReader reader;
    auto socket = join(server, reader);
    if (socket) {
      come_back(server);
      go_away(where(server) + " is away: " + serve(*socket, reader));
    } else {
      go_away(where(server) + " cannot be used: " + socket.error().message);
      server_ = (server_ + 1) % options_.servers.size();
      pause();
    }
  }
}

void Client::come_back(const RedisServer& server) {
  hooks_.joined();
  {
    const std::lock_guard lock(mutex_);
    away_since_.store(kHere, std::memory_order_release);
  }
  if (hooks_.told) hooks_.told(false, where(server));
  note_attempt();
}

bool Client::is_first() const {
  const std::lock_guard lock(mutex_);
  return !tried_once_;
}

void Client::note_attempt() {
  const std::lock_guard lock(mutex_);
  tried_once_ = true;
  tried_.notify_all();
}

// Also where it was away before: then only the reason may be another one.
void Client::go_away(const std::string& why) {
  std::vector<Asked> queued;
  const bool was_up = up();
  {
    const std::lock_guard lock(mutex_);
    why_away_ = why;
    if (was_up) away_since_.store(Clock::now().time_since_epoch().count(), std::memory_order_release);
    queued.swap(queue_);
  }
  if (was_up) count(kOpened);
  if ((was_up || is_first()) && hooks_.told && !closed()) hooks_.told(true, why);
  note_attempt();
  std::deque<Asked> asked = std::exchange(asked_, {});
  const Error error = why_away();
  for (Asked& each : asked)
    if (each.reply) answer(each, fail(error));
  for (Asked& each : queued)
    answer(each, fail(error));
}

void Client::pause() {
  wait_for(wake_.get(), POLLIN, wake_.get(), Clock::now() + options_.again_every);
}

}  // namespace lingate::store::redis
