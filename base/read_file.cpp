#include "base/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/descriptor.h"

namespace lingate {
namespace {

std::string size_text(std::size_t bytes) {
  constexpr std::size_t kKiB = 1024;
  constexpr std::size_t kMiB = kKiB * kKiB;
  return bytes >= kMiB ? std::to_string(bytes / kMiB) + " MiB" : std::to_string(bytes / kKiB) + " KiB";
}

}  // namespace

Result<std::string, std::string> read_file(const std::string& path, std::size_t most) {
  constexpr std::size_t kStep = 64 * 1024;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (file.get() < 0) return fail(std::string(std::strerror(errno)));
  std::string bytes;
  for (;;) {
    const std::size_t have = bytes.size();
    bytes.resize(have + std::min(kStep, most + 1 - have));
    const ssize_t got = ::read(file.get(), bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno != EINTR) return fail(std::string(std::strerror(errno)));
    bytes.resize(have + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (bytes.size() > most) return fail("more than " + size_text(most));
    if (got == 0) return bytes;
  }
}

}  // namespace lingate
