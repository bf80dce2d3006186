#include "runtimes/process/files.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lingate::runtimes::process {
namespace {

// What engines, the C library and Python's own modules open.
constexpr const char* kSystem[] = {"/usr",
                                   "/lib",
                                   "/lib64",
                                   "/etc/ld.so.cache",
                                   "/etc/localtime",
                                   "/etc/mime.types",
                                   "/etc/ssl/certs",
                                   "/dev/null",
                                   "/dev/random",
                                   "/dev/urandom",
                                   "/proc/self/maps",
                                   "/proc/self/status",
                                   "/proc/self/stat",
                                   "/proc/self/statm",
                                   "/proc/self/fd",
                                   "/proc/cpuinfo",
                                   "/proc/meminfo",
                                   "/sys/devices/system/cpu"};

constexpr std::uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE;
constexpr std::uint64_t kRead = kReadFile | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWriteFile = kReadFile | LANDLOCK_ACCESS_FS_WRITE_FILE;
constexpr std::uint64_t kWrite = kRead | kWriteFile | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR;
// All of the first version: what is not granted is refused.
constexpr std::uint64_t kEverything = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
// Those that later versions refuse unless granted.
constexpr std::uint64_t kTruncate = 1ULL << 14;

class Ruleset {
 public:
  Ruleset() noexcept {
    const int version = landlock_version();
    if (version < 1) return;
    if (version >= kLandlockMindsTruncation) truncate_ = kTruncate;
    const landlock_ruleset_attr attributes{.handled_access_fs = kEverything | truncate_};
    fd_ = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  }
  ~Ruleset() {
    if (fd_ >= 0) ::close(fd_);
  }
  Ruleset(const Ruleset&) = delete;
  Ruleset& operator=(const Ruleset&) = delete;

  // What is not there needs no rule.
  void allow_reading(const char* path) noexcept { allow(path, kRead, kReadFile); }
  void allow_writing(const char* path) noexcept { allow(path, kWrite | truncate_, kWriteFile | truncate_); }

  bool restrict_self() noexcept { return fd_ >= 0 && ::syscall(SYS_landlock_restrict_self, fd_, 0) == 0; }

 private:
  void allow(const char* path, std::uint64_t to_folder, std::uint64_t to_file) noexcept {
    const int place = ::open(path, O_PATH | O_CLOEXEC);
    if (place < 0) return;
    struct stat about {};
    const bool folder = ::fstat(place, &about) == 0 && S_ISDIR(about.st_mode);
    const landlock_path_beneath_attr rule{.allowed_access = folder ? to_folder : to_file, .parent_fd = place};
    ::syscall(SYS_landlock_add_rule, fd_, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    ::close(place);
  }

  int fd_ = -1;
  std::uint64_t truncate_ = 0;
};

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

}  // namespace

int landlock_version() noexcept {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? static_cast<int>(version) : 0;
}

bool confine_files(const Script& script) noexcept {
  Ruleset rules;
  for (const char* path : kSystem)
    rules.allow_reading(path);
  rules.allow_reading(folder_of(script.path).c_str());
  for (const std::string& path : script.grants.read)
    rules.allow_reading(path.c_str());
  for (const std::string& path : script.grants.write)
    rules.allow_writing(path.c_str());
  return rules.restrict_self();
}

}  // namespace lingate::runtimes::process
