#include "gateway/upgrade/succession.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "base/codes.h"
#include "gateway/upgrade/inheritance.h"

extern char** environ;

namespace lingate {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{120};  // every script's init may take 5 s
constexpr std::chrono::seconds kGrace{2};       // for a process to end that has given up, or is none of ours

// The descriptors of the new process: what it inherits begins at kUpgradeChannel, in this order, and nothing else that
// this one has open comes along.
class Descriptors {
 public:
  explicit Descriptors(const std::vector<int>& wanted) {
    posix_spawn_file_actions_init(&actions_);
    const int end = kUpgradeChannel + static_cast<int>(wanted.size());
    for (const int each : wanted)
      copies_.emplace_back(::fcntl(each, F_DUPFD_CLOEXEC, end));  // out of the way of the numbers to come
    int number = kUpgradeChannel;
    for (const Descriptor& copy : copies_) {
      complete_ = complete_ && copy;
      posix_spawn_file_actions_adddup2(&actions_, copy.get(), number++);
    }
    posix_spawn_file_actions_addclosefrom_np(&actions_, end);
  }
  ~Descriptors() { posix_spawn_file_actions_destroy(&actions_); }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  bool complete() const noexcept { return complete_; }
  const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
  std::vector<Descriptor> copies_;
  bool complete_ = true;
};

// The gateway blocks signals that the new one must take.
class Attributes {
 public:
  Attributes() {
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
  }
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& each : texts)
    pointers.push_back(each.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_with(std::string estate) {
  std::vector<std::string> all;
  for (char** each = environ; *each; ++each)
    all.emplace_back(*each);
  all.push_back(std::string(kEstateVariable) + "=" + std::move(estate));
  return all;
}

// False: none of them has anything to say until then. A descriptor below 0 never has.
template <std::size_t N>
bool wait_for(std::array<pollfd, N>& some, steady_clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
    const int ready = ::poll(some.data(), some.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

bool serves(int channel) {
  char word = 0;
  return ::recv(channel, &word, 1, MSG_DONTWAIT) == 1 && word == kServes;
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return "the new process was ended by signal " + std::to_string(WTERMSIG(status));
  const int code = WEXITSTATUS(status);
  const std::string_view why = code == 3   ? ": the configuration is wrong; `lingate check` says where"
                               : code == 7 ? ": a script cannot be loaded; `lingate check` says which"
                                           : "; what it printed says why";
  return "the new process ended with exit code " + std::to_string(code) + std::string(why);
}

}  // namespace

void Succession::ask() {
  if (ended_ || successor_ != 0) return;
  if (::getpid() == 1)
    return tell_failure("this is process 1, with which its container ends: start another container instead");
  if (under_way_.exchange(true))
    return options_.log.write({.level = middleware::LogLevel::warn,
                               .message = "upgrade: the new process starts already; this changes nothing"});
  if (thread_.joinable()) thread_.join();
  thread_ = std::thread([this] { run(); });
}

void Succession::end() noexcept {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    if (child_ > 0) ::kill(child_, SIGKILL);
  }
  if (thread_.joinable()) thread_.join();
}

void Succession::run() {
  const Outcome outcome = attempt();
  if (outcome) {
    successor_ = *outcome;
    options_.wake();
  } else {
    options_.failed();
    under_way_ = false;  // before it is told: who hears of it may ask again
    tell_failure(outcome.error());
  }
}

void Succession::tell_failure(const std::string& why) {
  ++failures_;
  const std::string message = "upgrade: " + why + "; this process (" + std::to_string(::getpid()) + ") serves on";
  options_.log.write({.level = middleware::LogLevel::error, .message = message, .code = code::kUpgradeFailed});
}

Succession::Outcome Succession::attempt() {
  const auto estate = options_.share();
  if (!estate)
    return fail(
        std::string("what it listens on cannot be handed over: a worker is busy for long, or no "
                    "descriptors are left (ulimit -n); try again"));
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail("no descriptors left: " + std::string(std::strerror(errno)));
  const Descriptor channel(ends[0]);
  {
    const Descriptor its_end(ends[1]);
    if (auto started = start(*estate, its_end.get()); !started) return started;
  }
  const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, child_, 0)));  // readable when it has ended
  std::array<pollfd, 2> both{pollfd{channel.get(), POLLIN, 0}, pollfd{process.get(), POLLIN, 0}};
  const bool heard = wait_for(both, steady_clock::now() + kPatience);
  if (heard && serves(channel.get())) {
    const std::lock_guard lock(mutex_);
    if (!ended_) return std::exchange(child_, -1);
  }
  std::array<pollfd, 1> end{both[1]};
  if (heard && wait_for(end, steady_clock::now() + kGrace)) return fail(reap());
  ::kill(child_, SIGKILL);  // it is this thread's to reap: the number is its own
  static_cast<void>(reap());
  return fail(std::string(heard ? "the new process went on without a word that it serves, and was ended: see whether " +
                                      options_.launch.program + " is a lingate"
                                : "the new process did not serve within two minutes, and was ended"));
}

// The new process is in child_; or why it could not be started.
Succession::Outcome Succession::start(const Estate& estate, int channel) {
  std::vector<int> wanted = estate.descriptors();
  wanted.insert(wanted.begin(), channel);
  const Descriptors descriptors(wanted);
  if (!descriptors.complete()) return fail(std::string("no descriptors left; raise the limit (ulimit -n)"));
  const Attributes attributes;
  std::vector<std::string> arguments = options_.launch.arguments;
  std::vector<std::string> environment = environment_with(estate.text());
  const std::string& program = options_.launch.program;
  const std::lock_guard lock(mutex_);
  if (ended_) return fail(std::string("the gateway is ending"));
  const int error = ::posix_spawn(&child_, program.c_str(), descriptors.get(), attributes.get(),
                                  pointers_to(arguments).data(), pointers_to(environment).data());
  if (error == 0) return child_;
  child_ = -1;
  return fail(program + " cannot be started: " + std::strerror(error));
}

std::string Succession::reap() {
  int status = 0;
  siginfo_t how{};
  while (::waitid(P_PID, static_cast<id_t>(child_), &how, WEXITED | WNOWAIT) < 0 && errno == EINTR)
    continue;
  const std::lock_guard lock(mutex_);
  ::waitpid(std::exchange(child_, -1), &status, 0);
  return how_it_ended(status);
}

}  // namespace lingate
