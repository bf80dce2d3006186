#include "runtimes/process/child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <new>
#include <vector>

namespace lingate::runtimes::process {
namespace {

// Away from the numbers that the child's are given.
int moved_up(int fd) noexcept {
  if (fd < 0) return fd;
  const int moved = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
  ::close(fd);
  return moved;
}

// Both bodies and both heads, in one piece, and the script at the beginning.
std::size_t capacity_for(const Script& script) noexcept {
  constexpr std::size_t kBeside = 256 * 1024;
  const ScriptLimits& limits = script.limits;
  const std::size_t call = 2 * limits.body + 2 * limits.head + limits.target;
  return std::bit_ceil(2 * (std::max(call, script.source.size() + script.config.size()) + kBeside));
}

std::string description_of(const siginfo_t& how) {
  if (how.si_code == CLD_EXITED) return "exit code " + std::to_string(how.si_status);
  const char* const name = ::sigdescr_np(how.si_status);
  return "signal " + std::to_string(how.si_status) + (name ? " (" + std::string(name) + ")" : std::string());
}

// The gateway's variables may hold secrets: a worker gets those that say how texts and times look, and the granted
// ones.
std::vector<char*> environment_for(const Grants& grants) {
  constexpr std::string_view kHarmless[] = {"LANG",         "LC_ALL",       "LC_CTYPE",     "TZ",
                                            "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"};
  std::vector<char*> kept;
  for (char** each = ::environ; *each != nullptr; ++each) {
    const std::string_view line(*each);
    const std::string_view name = line.substr(0, line.find('='));
    const auto& granted = grants.environment;
    if (std::find(std::begin(kHarmless), std::end(kHarmless), name) != std::end(kHarmless) ||
        std::find(granted.begin(), granted.end(), name) != granted.end())
      kept.push_back(*each);
  }
  kept.push_back(nullptr);
  return kept;
}

}  // namespace

bool Child::make_memory(std::size_t capacity, std::string& error) {
  memory_fd_ = moved_up(::memfd_create("lingate-worker", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  const std::size_t size = memory_size(capacity);
  // Sealed, so that a worker cannot take pages away from under the gateway.
  if (memory_fd_ < 0 || ::ftruncate(memory_fd_, static_cast<off_t>(size)) != 0 ||
      ::fcntl(memory_fd_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0 ||
      !memory_.map(memory_fd_, size)) {
    error = std::string("no shared memory for a worker process: ") + std::strerror(errno);
    return false;
  }
  auto* const shared = new (&memory_.shared()) Shared;
  shared->capacity = capacity;
  shared->parent = ::getpid();
  link_.emplace(memory_, capacity);
  return true;
}

bool Child::spawn(const std::string& program, const Grants& grants, std::string& error) {
  posix_spawn_file_actions_t actions{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, memory_fd_, kMemoryFd);
  ::posix_spawn_file_actions_adddup2(&actions, bell_, kBellFd);
  posix_spawnattr_t attributes{};
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::string name = "lingate";
  std::string role = "worker";
  const std::array<char*, 3> arguments{name.data(), role.data(), nullptr};
  std::vector<char*> environment = environment_for(grants);
  const int failed = ::posix_spawn(&pid_, program.c_str(), &actions, &attributes, arguments.data(), environment.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    pid_ = -1;
    error = program + " cannot be started as a worker process: " + std::strerror(failed);
    return false;
  }
  end_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (end_ >= 0) return true;
  error = std::string("a worker process cannot be watched: ") + std::strerror(errno);
  return false;
}

Result<std::unique_ptr<Child>, std::string> Child::start(const std::string& program, std::string_view runtime,
                                                         const Script& script) {
  std::unique_ptr<Child> child(new Child);
  std::string error;
  if (!child->make_memory(capacity_for(script), error)) return fail(std::move(error));
  child->bell_ = moved_up(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (child->bell_ < 0) return fail(std::string("no descriptor for a worker process: ") + std::strerror(errno));
  if (!child->link().send({.kind = static_cast<std::uint16_t>(Kind::load)}, pack_load(runtime, script)))
    return fail(std::string("the script is too large for a worker process"));
  if (!child->spawn(program, script.grants, error)) return fail(std::move(error));
  return child;
}

Child::~Child() {
  if (pid_ > 0 && !ended_) {
    kill();
    ::waitpid(pid_, nullptr, 0);
  }
  for (const int fd : {memory_fd_, bell_, end_})
    if (fd >= 0) ::close(fd);
}

void Child::wait(std::chrono::milliseconds longest) noexcept {
  std::array<pollfd, 2> either{
      {{.fd = bell_, .events = POLLIN, .revents = 0}, {.fd = end_, .events = POLLIN, .revents = 0}}};
  ::poll(either.data(), either.size(), static_cast<int>(longest.count()));
  std::uint64_t rings = 0;
  [[maybe_unused]] const ssize_t got = ::read(bell_, &rings, sizeof rings);
}

void Child::kill() noexcept {
  if (pid_ > 0 && !ended_) ::kill(pid_, SIGKILL);
}

Child::Usage Child::usage() const noexcept {
  Usage usage;
  clockid_t clock{};
  timespec spent{};
  if (::clock_getcpuclockid(pid_, &clock) == 0 && ::clock_gettime(clock, &spent) == 0)
    usage.processor = std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec);
  const std::string folder = "/proc/" + std::to_string(pid_);
  struct stat about {};  // of a folder with one for each thread
  if (::stat((folder + "/task").c_str(), &about) == 0 && about.st_nlink > 2) usage.threads = about.st_nlink - 2;
  if (std::FILE* const file = std::fopen((folder + "/statm").c_str(), "re")) {
    std::uint64_t resident = 0;
    std::uint64_t shared = 0;
    if (std::fscanf(file, "%*u %lu %lu", &resident, &shared) == 2 && resident > shared)
      usage.memory = (resident - shared) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    std::fclose(file);
  }
  return usage;
}

const std::optional<std::string>& Child::ended() noexcept {
  siginfo_t how{};
  if (!ended_ && pid_ > 0 && ::waitid(P_PID, static_cast<id_t>(pid_), &how, WEXITED | WNOHANG) == 0 &&
      how.si_pid == pid_)
    ended_ = description_of(how);
  return ended_;
}

}  // namespace lingate::runtimes::process
