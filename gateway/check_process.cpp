#include "gateway/check_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>

#include "base/descriptor.h"

extern char** environ;

namespace lingate {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kPatience{60};  // each script's init may take 5 s
constexpr std::size_t kMostOutput = 16 * 1024 * 1024;

// The text as a file that has no name, read from its beginning.
bool put(const std::string& text, const Descriptor& file) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t now = ::pwrite(file.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (now <= 0) return false;
    done += static_cast<std::size_t>(now);
  }
  return true;
}

// The gateway blocks signals that the child must take.
pid_t spawn(const Descriptor& input, const Descriptor& output, const std::string& file) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output.get(), STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  std::array<std::string, 6> words{"lingate", "check", "--format=json", "--as", file, "-"};
  std::array<char*, 7> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i)
    arguments[i] = words[i].data();
  pid_t child = -1;
  const bool spawned = posix_spawn(&child, "/proc/self/exe", &actions, &attributes, arguments.data(), environ) == 0;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return spawned ? child : -1;
}

// Until the child closes its end. Nothing: too late, or too much.
std::optional<std::string> read_all(const Descriptor& from) {
  const auto until = Clock::now() + kPatience;
  std::string text;
  std::array<char, 16384> room;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    pollfd wait{.fd = from.get(), .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || text.size() > kMostOutput || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0)
      return std::nullopt;
    const ssize_t size = ::read(from.get(), room.data(), room.size());
    if (size <= 0) return size == 0 ? std::optional(std::move(text)) : std::nullopt;
    text.append(room.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace

void CheckProcess::end() noexcept {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  if (child_ > 0) ::kill(-child_, SIGKILL);
}

Result<Json, std::string> CheckProcess::run(const std::string& text, const std::string& file) {
  const Descriptor input(::memfd_create("configuration", MFD_CLOEXEC));
  std::array<int, 2> ends{-1, -1};
  if (input.get() < 0 || !put(text, input) || ::pipe2(ends.data(), O_CLOEXEC) != 0)
    return fail(std::string("no descriptors or memory left for a check"));
  const Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  pid_t child = -1;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return fail(std::string("the gateway is ending"));
    child = child_ = spawn(input, to, file);
  }
  if (child < 0) return fail(std::string("no process could be started for the check"));
  to.reset();
  const auto output = read_all(from);
  if (!output) ::kill(-child, SIGKILL);
  // Its number is its own until it is taken off the list: end() never means another.
  siginfo_t how{};
  while (::waitid(P_PID, static_cast<id_t>(child), &how, WEXITED | WNOWAIT) < 0 && errno == EINTR)
    continue;
  {
    const std::lock_guard lock(mutex_);
    child_ = -1;
    ::waitpid(child, nullptr, 0);
  }
  if (!output) return fail(std::string("the check took longer than a minute and was ended"));
  Json found = Json::parse(*output, nullptr, false);
  if (!found.is_array() || found.size() != 1)
    return fail(std::string("the process of the check ended without an answer"));
  Json findings = std::move(found[0]);
  findings.erase("file");
  return findings;
}

}  // namespace lingate
