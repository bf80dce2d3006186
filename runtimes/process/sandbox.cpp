#include "runtimes/process/sandbox.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "runtimes/process/files.h"
#include "runtimes/process/protocol.h"

namespace lingate::runtimes::process {
namespace {

constexpr rlim_t kDescriptors = 64;
#ifdef LINGATE_SANITIZED
constexpr bool kSanitized = true;  // sanitizers need more of the system than scripts get
#else
constexpr bool kSanitized = false;
#endif

// What engines and their C libraries use to compute, to sleep, to read files and to make threads.
constexpr int kAllowed[] = {SCMP_SYS(read),
                            SCMP_SYS(readv),
                            SCMP_SYS(pread64),
                            SCMP_SYS(close),
                            SCMP_SYS(fstat),
                            SCMP_SYS(newfstatat),
                            SCMP_SYS(stat),
                            SCMP_SYS(lstat),
                            SCMP_SYS(statx),
                            SCMP_SYS(statfs),
                            SCMP_SYS(fstatfs),
                            SCMP_SYS(lseek),
                            SCMP_SYS(getdents64),
                            SCMP_SYS(getcwd),
                            SCMP_SYS(readlink),
                            SCMP_SYS(readlinkat),
                            SCMP_SYS(access),
                            SCMP_SYS(faccessat),
                            SCMP_SYS(faccessat2),
                            SCMP_SYS(mprotect),
                            SCMP_SYS(munmap),
                            SCMP_SYS(mremap),
                            SCMP_SYS(madvise),
                            SCMP_SYS(brk),
                            SCMP_SYS(rt_sigaction),
                            SCMP_SYS(rt_sigprocmask),
                            SCMP_SYS(rt_sigreturn),
                            SCMP_SYS(rt_sigtimedwait),
                            SCMP_SYS(sigaltstack),
                            SCMP_SYS(futex),
                            SCMP_SYS(clock_gettime),
                            SCMP_SYS(clock_getres),
                            SCMP_SYS(clock_nanosleep),
                            SCMP_SYS(nanosleep),
                            SCMP_SYS(gettimeofday),
                            SCMP_SYS(time),
                            SCMP_SYS(getpid),
                            SCMP_SYS(getppid),
                            SCMP_SYS(gettid),
                            SCMP_SYS(getuid),
                            SCMP_SYS(geteuid),
                            SCMP_SYS(getgid),
                            SCMP_SYS(getegid),
                            SCMP_SYS(getrandom),
                            SCMP_SYS(getrusage),
                            SCMP_SYS(times),
                            SCMP_SYS(uname),
                            SCMP_SYS(sysinfo),
                            SCMP_SYS(sched_yield),
                            SCMP_SYS(sched_getaffinity),
                            SCMP_SYS(set_robust_list),
                            SCMP_SYS(rseq),
                            SCMP_SYS(membarrier),
                            SCMP_SYS(restart_syscall),
                            SCMP_SYS(exit),
                            SCMP_SYS(exit_group),
                            SCMP_SYS(poll),
                            SCMP_SYS(ppoll),
                            SCMP_SYS(select),
                            SCMP_SYS(pselect6)};

// What else it takes to change files.
constexpr int kWriting[] = {SCMP_SYS(write),     SCMP_SYS(writev),   SCMP_SYS(pwrite64),  SCMP_SYS(ftruncate),
                            SCMP_SYS(fallocate), SCMP_SYS(fsync),    SCMP_SYS(fdatasync), SCMP_SYS(mkdir),
                            SCMP_SYS(mkdirat),   SCMP_SYS(rmdir),    SCMP_SYS(unlink),    SCMP_SYS(unlinkat),
                            SCMP_SYS(rename),    SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(utimensat),
                            SCMP_SYS(umask),     SCMP_SYS(flock)};

class Filter {
 public:
  Filter() : context_(::seccomp_init(SCMP_ACT_ERRNO(EPERM))) {}
  ~Filter() {
    if (context_) ::seccomp_release(context_);
  }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  Filter& allow(int call) noexcept { return add(SCMP_ACT_ALLOW, call, {}); }
  Filter& allow(int call, const scmp_arg_cmp& if_so) noexcept { return add(SCMP_ACT_ALLOW, call, {&if_so, 1}); }
  Filter& refuse(int call, int error) noexcept { return add(SCMP_ACT_ERRNO(static_cast<unsigned>(error)), call, {}); }

  bool load() noexcept { return ok_ && ::seccomp_load(context_) == 0; }

 private:
  struct Conditions {
    const scmp_arg_cmp* first = nullptr;
    unsigned count = 0;
  };
  Filter& add(std::uint32_t action, int call, Conditions conditions) noexcept {
    ok_ = ok_ && context_ && ::seccomp_rule_add_array(context_, action, call, conditions.count, conditions.first) == 0;
    return *this;
  }

  scmp_filter_ctx context_;
  bool ok_ = true;
};

void allow_writing(Filter& filter) noexcept {
  for (const int call : kWriting)
    filter.allow(call);
  // Landlock minds who opens a file to write, but only its later versions who empties one that he may read, or by path.
  if (landlock_version() >= kLandlockMindsTruncation) filter.allow(SCMP_SYS(truncate));
  constexpr scmp_datum_t kHow = O_ACCMODE;
  for (const scmp_datum_t how : {scmp_datum_t{O_WRONLY}, scmp_datum_t{O_RDWR}})
    filter.allow(SCMP_SYS(open), SCMP_A1(SCMP_CMP_MASKED_EQ, kHow, how))
        .allow(SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, kHow, how));
  filter.allow(SCMP_SYS(open), SCMP_A1(SCMP_CMP_MASKED_EQ, kHow | O_TRUNC, O_RDONLY))
      .allow(SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, kHow | O_TRUNC, O_RDONLY));
  for (const int command : {F_SETLK, F_SETLKW, F_GETLK})
    filter.allow(SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, static_cast<scmp_datum_t>(command)));
}

// Memory that the ceiling counts, and files. Shared memory of nobody's file and what grows downwards it does not count.
void allow_mapping(Filter& filter) noexcept {
  constexpr scmp_datum_t kKind = MAP_TYPE | MAP_GROWSDOWN;
  filter.allow(SCMP_SYS(mmap), SCMP_A3(SCMP_CMP_MASKED_EQ, kKind, MAP_PRIVATE))
      .allow(SCMP_SYS(mmap), SCMP_A3(SCMP_CMP_MASKED_EQ, kKind | MAP_ANONYMOUS, MAP_SHARED));
}

bool filter_calls(bool may_write) noexcept {
  constexpr scmp_datum_t kWrites = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND;
  constexpr scmp_datum_t kThread = 0x00010000;  // CLONE_THREAD
  Filter filter;
  for (const int call : kAllowed)
    filter.allow(call);
  allow_mapping(filter);
  if (may_write) allow_writing(filter);
  filter.allow(SCMP_SYS(write), SCMP_A0(SCMP_CMP_LE, kBellFd))
      .allow(SCMP_SYS(writev), SCMP_A0(SCMP_CMP_LE, STDERR_FILENO))
      .allow(SCMP_SYS(open), SCMP_A1(SCMP_CMP_MASKED_EQ, kWrites, 0))
      .allow(SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, kWrites, 0))
      .allow(SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid())))
      .allow(SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, kThread, kThread))
      .allow(SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME))
      .allow(SCMP_SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0))
      .allow(SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFD))
      .allow(SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_SETFD))
      .allow(SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFL))
      .allow(SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_DUPFD_CLOEXEC))
      .allow(SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, FIOCLEX))
      .refuse(SCMP_SYS(ioctl), ENOTTY)
      .refuse(SCMP_SYS(clone3), ENOSYS);  // its flags cannot be seen; the C library then uses clone
  return filter.load();
}

void drop_capabilities() noexcept {
  for (int each = 0; each <= CAP_LAST_CAP; ++each)
    ::prctl(PR_CAPBSET_DROP, each, 0, 0, 0);
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const std::array<__user_cap_data_struct, 2> none{};
  ::syscall(SYS_capset, &header, none.data());
}

void limit(__rlimit_resource resource, rlim_t most) noexcept {
  const rlimit both{.rlim_cur = most, .rlim_max = most};
  ::setrlimit(resource, &both);
}

// The gateway's own input, output and log are not for scripts.
void let_go_of_streams() noexcept {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (nothing < 0)
      ::close(stream);
    else if (nothing != stream)  // which it is where the gateway was started without that one
      ::dup2(nothing, stream);
  if (nothing > STDERR_FILENO) ::close(nothing);
}

// Private writable memory of this process, as RLIMIT_DATA counts it.
std::uint64_t data_held() noexcept {
  std::uint64_t pages = 0;
  if (std::FILE* const file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%*u %*u %*u %*u %*u %lu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

Means sandbox_means() noexcept {
  const std::uint32_t action = SECCOMP_RET_ERRNO;
  return {.seccomp = ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0, .landlock = landlock_version()};
}

std::uint64_t ceiling_for(const Script& script) noexcept {
  constexpr std::uint64_t kBeside = 64 << 20;  // what an engine takes that it does not count: code, stacks
  return kSanitized ? INT64_MAX : script.memory + script.memory / 4 + kBeside;
}

std::vector<std::string_view> confine(const Script& script) {
  std::vector<std::string_view> missing;
  ::syscall(SYS_close_range, kBellFd + 1, ~0U, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, kDescriptors);
  drop_capabilities();
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (kSanitized) return missing;
  let_go_of_streams();
  limit(RLIMIT_DATA, data_held() + ceiling_for(script));
  const bool files = confine_files(script);
  if (!files) missing.emplace_back("this system has no Landlock: the script can read what the gateway's user can");
  if (!files && !script.grants.write.empty())
    missing.emplace_back("without Landlock nothing can be granted to `write`");
  if (!filter_calls(files && !script.grants.write.empty()))
    missing.emplace_back("this system has no seccomp filters: nothing but Landlock and limits confine the script");
  return missing;
}

}  // namespace lingate::runtimes::process
