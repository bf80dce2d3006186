#include "store/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/codes.h"

namespace lingate::store {
namespace {

tl::unexpected<Error> refusal(const std::string& doing, int error) {
  return fail(code::kStoreUnavailable, "the store cannot " + doing + ": " + std::strerror(error) +
                                           "; see to its permissions, or choose another `store.path`");
}

// The lock that was given may be of another folder, if the configuration says another by now.
bool is_same_file(int one, int other) noexcept {
  struct stat first {};
  struct stat second {};
  return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

Descriptor copy_of(int file) noexcept {
  return Descriptor(::fcntl(file, F_DUPFD_CLOEXEC, 0));
}

}  // namespace

Result<FolderLock> FolderLock::take(const EmbeddedOptions& options) {
  const std::string& folder = options.folder;
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return refusal("make the folder " + folder, errno);
  const std::string path = folder + "/lingate.lock";
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return refusal("open " + path, errno);
  const bool given = options.lock >= 0 && is_same_file(options.lock, file.get());
  FolderLock lock(given ? copy_of(options.lock) : std::move(file));
  if (::flock(lock.file_.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(code::kStoreUnavailable, "the store's folder " + folder + " is in use by another lingate" +
                                             lock.owner() + "; stop it, or give each its own `store.path`");
  lock.name_owner();
  return lock;
}

Descriptor FolderLock::copy() const noexcept {
  return copy_of(file_.get());
}

void FolderLock::name_owner() const noexcept {
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file_.get(), 0) != 0 || ::pwrite(file_.get(), pid.data(), pid.size(), 0) < 0) {
    // Only for a message.
  }
}

std::string FolderLock::owner() const {
  std::array<char, 24> text{};
  const auto size = ::pread(file_.get(), text.data(), text.size() - 1, 0);
  const std::string_view pid(text.data(), size > 0 ? std::strspn(text.data(), "0123456789") : 0);
  return pid.empty() ? std::string() : " (process " + std::string(pid) + ")";
}

}  // namespace lingate::store
