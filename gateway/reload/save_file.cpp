#include "gateway/reload/save_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/descriptor.h"

namespace lingate {
namespace {

bool write_all(const Descriptor& file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(file.get(), text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return ::fsync(file.get()) == 0;
}

}  // namespace

Result<void, std::string> save_file(const std::string& path, std::string_view text) {
  const auto failed = [&path](const std::string& draft) {
    std::string why = path + ": " + std::strerror(errno);
    if (!draft.empty()) ::unlink(draft.c_str());
    return fail(std::move(why));
  };
  std::error_code error;
  const std::filesystem::path target = std::filesystem::canonical(path, error);  // behind links
  struct stat about {};
  if (error || ::stat(target.c_str(), &about) != 0) return failed({});
  std::string draft = target.string() + ".XXXXXX";
  const Descriptor file(::mkostemp(draft.data(), O_CLOEXEC));
  if (!file) return failed({});
  [[maybe_unused]] const int kept = ::fchown(file.get(), about.st_uid, about.st_gid);  // where that is allowed
  if (::fchmod(file.get(), about.st_mode & 0777U) != 0 || !write_all(file, text) ||
      std::rename(draft.c_str(), target.c_str()) != 0)
    return failed(draft);
  return {};
}

}  // namespace lingate
