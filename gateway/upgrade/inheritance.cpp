#include "gateway/upgrade/inheritance.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace lingate {

Result<std::optional<Inheritance>, std::string> Inheritance::take() {
  const char* const found = std::getenv(kEstateVariable);
  if (!found) return std::optional<Inheritance>();
  const std::string text = found;
  ::unsetenv(kEstateVariable);
  if (::fcntl(kUpgradeChannel, F_SETFD, FD_CLOEXEC) != 0)
    return fail(std::string(kEstateVariable) + " is set, and no gateway is there that has started this one; unset it");
  Descriptor channel(kUpgradeChannel);
  auto estate = Estate::read(text, kUpgradeChannel + 1);
  if (!estate) return fail(std::move(estate.error()));
  return Inheritance{.estate = std::move(*estate), .channel = std::move(channel), .predecessor = ::getppid()};
}

void Inheritance::tell_serving() const noexcept {
  static_cast<void>(::send(channel.get(), &kServes, sizeof kServes, MSG_NOSIGNAL));
}

}  // namespace lingate
