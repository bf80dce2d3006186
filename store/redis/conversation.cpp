// What the client's thread does with one connection: the greeting, questions out, answers in, and how the answers are.
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <utility>

#include "base/codes.h"
#include "store/redis/client.h"

namespace lingate::store::redis {
namespace {

using Kind = Value::Kind;
using std::chrono::milliseconds;

constexpr milliseconds kConnectWithin{1000};  // TCP, TLS and greeting; nobody waits for it
constexpr milliseconds kBeatEvery{100};
constexpr milliseconds kSickAfter{300};
constexpr int kSickAnswers = 3;
constexpr std::string_view kDemoted = "READONLY";

tl::unexpected<Error> fault(std::string what) {
  return fail(code::kStoreUnavailable, std::move(what));
}

std::string_view member(const Value& map, std::string_view name) {
  for (std::size_t k = 0; k + 1 < map.items.size(); k += 2)
    if (map.items[k].text == name) return map.items[k + 1].text;
  return {};
}

// What HELLO says of the server.
Result<void> suits(const Value& hello) {
  if (!hello.is(Kind::list)) return fault("it does not know HELLO; is it Redis 7?");
  const std::string_view version = member(hello, "version");
  if (version.size() < 2 || (version[1] == '.' && version[0] < '7'))
    return fault("it is Redis " + std::string(version) + ", and 7 is needed");
  if (member(hello, "mode") == "cluster") return fault("it is part of a cluster, which lingate does not speak to");
  if (member(hello, "role") != "master") return fault("it is a replica; name the master too in `store.url`");
  return {};
}

bool is_message(const Value& value) {
  return value.is(Kind::push) && value.items.size() == 3 && value.items[0].text == "message";
}

void drain(int wake) noexcept {
  std::uint64_t rings = 0;
  [[maybe_unused]] const ssize_t got = ::read(wake, &rings, sizeof rings);
}

}  // namespace

// ---- joining ----

Result<Socket> Client::join(const RedisServer& server, RespReader& reader) {
  out_.clear();
  sent_ = 0;
  drain(wake_.get());
  if (closed()) return fault("the gateway ends");
  const auto deadline = Clock::now() + kConnectWithin;
  auto socket = Socket::connect(server, options_.tls, context_.get(), wake_.get(), deadline);
  if (!socket) return socket;
  if (auto done = greet(*socket, reader, deadline); !done) return fail(std::move(done.error()));
  return socket;
}

Result<void> Client::greet(Socket& socket, RespReader& reader, Clock::time_point deadline) {
  std::vector<std::string_view> hello{"HELLO", "3"};
  if (!options_.password.empty()) {
    const std::string_view user = options_.username.empty() ? std::string_view("default") : options_.username;
    hello.insert(hello.end(), {"AUTH", user, options_.password});
  }
  hello.insert(hello.end(), {"SETNAME", "lingate"});
  std::size_t answers = 0;
  const auto say = [&](std::span<const std::string_view> words) {
    append_command(out_, words);
    ++answers;
  };
  say(hello);
  const std::string db = std::to_string(options_.db);
  if (options_.db != 0) say(std::array<std::string_view, 2>{"SELECT", db});
  const std::string channel = options_.prefix + ":changes";
  say(std::array<std::string_view, 2>{"SUBSCRIBE", channel});  // answered by a push
  for (const Script* script : all_scripts())
    say(std::array<std::string_view, 3>{"SCRIPT", "LOAD", script->text()});
  for (std::size_t k = 0; k < answers; ++k) {
    auto value = await(socket, reader, deadline);
    if (!value) return fail(std::move(value.error()));
    if (value->is(Kind::error)) return fault("it answers: " + value->text);
    if (k == 0)
      if (auto good = suits(*value); !good) return good;
  }
  const auto began = Clock::now();
  Question(scripts().fetch, 0).append_to(out_, Question::By::hash);
  const auto trial = await(socket, reader, deadline);
  if (!trial) return fail(trial.error());
  if (trial->is(Kind::error)) return fault("it answers: " + trial->text);
  if (Clock::now() - began > options_.budget)
    return fault("it takes more than " + std::to_string(options_.budget.count()) + " ms for an answer");
  return {};
}

Result<Value> Client::await(Socket& socket, RespReader& reader, Clock::time_point deadline) {
  for (bool hung_up = false;;) {
    auto value = reader.next();
    if (!value) return fail(std::move(value.error()));
    if (*value && is_message(**value)) continue;  // what others do now is before this connection counts
    if (*value) return **std::move(value);
    if (hung_up || !send(socket)) return fault("it hung up");
    const bool writes = sent_ < out_.size();
    if (!socket.pending() &&
        !wait_for(socket.fd(), static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN), wake_.get(), deadline))
      return fault("it does not answer");
    if (!receive(socket, reader)) hung_up = true;
  }
}

// ---- serving ----

std::string Client::serve(Socket& socket, RespReader& reader) {
  earliest_ = Clock::time_point::max();
  next_beat_ = Clock::now() + kBeatEvery;
  demoted_ = false;
  well();
  for (;;) {
    if (!take_over()) return "the gateway ends";
    if (!send(socket)) return "it hung up";
    wait(socket);
    const bool open = receive(socket, reader);
    if (auto sane = take(reader); !sane) return sane.error().message;
    if (!open) return "it hung up";
    expire();
    beat();
    if (is_sick()) return ailment_;
  }
}

// False: the client is to end.
bool Client::take_over() {
  std::vector<Asked> queued;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    queued.swap(queue_);
  }
  for (Asked& each : queued)
    ask(std::move(each));
  return true;
}

void Client::ask(Asked asked) {
  asked.question.append_to(out_, asked.spelt_out ? Question::By::text : Question::By::hash);
  earliest_ = std::min(earliest_, asked.deadline);
  asked_.push_back(std::move(asked));
}

bool Client::send(Socket& socket) {
  while (sent_ < out_.size()) {
    const Socket::Moved moved = socket.write(out_.data() + sent_, out_.size() - sent_);
    if (moved.state == Socket::State::blocked) return true;
    if (moved.state == Socket::State::closed) return false;
    sent_ += moved.bytes;
  }
  out_.clear();
  sent_ = 0;
  return true;
}

void Client::wait(const Socket& socket) {
  if (socket.pending()) return;
  const bool writes = sent_ < out_.size();
  pollfd watched[] = {{socket.fd(), static_cast<short>(writes ? POLLIN | POLLOUT : POLLIN), 0},
                      {wake_.get(), POLLIN, 0}};
  const auto until = std::min(earliest_, next_beat_);
  const auto left = std::max<std::chrono::nanoseconds>(until - Clock::now(), {});
  const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
  const timespec time{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
  ::ppoll(watched, 2, &time, nullptr);
  if (watched[1].revents != 0) drain(wake_.get());
}

// What is there, in bounded helpings. False: the connection is over.
bool Client::receive(Socket& socket, RespReader& reader) {
  std::array<char, 64 * 1024> room;
  constexpr int kHelpings = 16;
  for (int k = 0; k < kHelpings; ++k) {
    const Socket::Moved moved = socket.read(room.data(), room.size());
    if (moved.state == Socket::State::blocked) return true;
    if (moved.state == Socket::State::closed) return false;
    reader.feed({room.data(), moved.bytes});
  }
  return true;
}

Result<void> Client::take(RespReader& reader) {
  for (;;) {
    auto value = reader.next();
    if (!value) return fail(std::move(value.error()));
    if (!*value) return {};
    if ((*value)->is(Kind::push)) {
      hear(**value);
      continue;
    }
    if (asked_.empty()) return fault("it answers what was not asked");
    conclude(**value);
  }
}

void Client::hear(const Value& push) const {
  if (is_message(push)) hooks_.heard(push.items[2].text);
}

void Client::conclude(const Value& value) {
  Asked asked = std::move(asked_.front());
  asked_.pop_front();
  if (!asked.reply) return;  // it was given up
  if (!value.is(Kind::error)) {
    well();
    if (!asked.beat) count(kAnswered);
    return answer(asked, value);
  }
  if (value.text.starts_with("NOSCRIPT") && !asked.spelt_out) {
    asked.spelt_out = true;
    return ask(std::move(asked));
  }
  if (!asked.beat) count(kFailed);
  demoted_ = demoted_ || value.text.starts_with(kDemoted);
  unwell("it answers: " + value.text);
  answer(asked, fault("Redis answers: " + value.text));
}

void Client::answer(Asked& asked, Result<Value> result) {
  if (!asked.beat) --waiting_;
  const Reply reply = std::exchange(asked.reply, nullptr);
  reply(std::move(result));
}

void Client::expire() {
  const auto now = Clock::now();
  if (now < earliest_) return;
  const std::string how = "it does not answer within " + std::to_string(options_.budget.count()) + " ms";
  earliest_ = Clock::time_point::max();
  for (Asked& each : asked_) {
    if (!each.reply) continue;
    if (each.deadline > now) {
      earliest_ = std::min(earliest_, each.deadline);
      continue;
    }
    if (!each.beat) count(kLate);
    unwell(how);
    answer(each, fault("Redis: " + how));
  }
}

// ---- how it is ----

void Client::beat() {
  const auto now = Clock::now();
  if (now < next_beat_) return;
  next_beat_ = now + kBeatEvery;
  ask({.question = Question(scripts().fetch, 0),
       .deadline = now + options_.budget,
       .reply = [](const Result<Value>&) {},
       .beat = true});
}

bool Client::is_sick() const {
  if (demoted_) return true;
  return unwell_since_ && unwell_ >= kSickAnswers && Clock::now() - *unwell_since_ >= kSickAfter;
}

void Client::well() {
  unwell_ = 0;
  unwell_since_.reset();
}

void Client::unwell(std::string how) {
  if (unwell_++ == 0) unwell_since_ = Clock::now();
  ailment_ = std::move(how);
}

}  // namespace lingate::store::redis
