#include "gateway/last_resort.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>

namespace lingate {
namespace {

using std::chrono::ceil;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

int to_poll(LastResort::Moment deadline) {
  const auto left = std::max(deadline - steady_clock::now(), steady_clock::duration::zero());
  return static_cast<int>(ceil<milliseconds>(left).count());
}

}  // namespace

LastResort::~LastResort() {
  if (!thread_.joinable()) return;
  ::eventfd_write(over_.get(), 1);
  thread_.join();
}

void LastResort::arm(int code, Moment deadline) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  signals_ = Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  over_ = Descriptor(::eventfd(0, EFD_CLOEXEC));
  thread_ = std::thread([this, code, deadline] { wait(code, deadline); });
}

void LastResort::wait(int code, Moment deadline) noexcept {
  std::array<pollfd, 2> watched{{{over_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
  for (;;) {
    const int ready = ::poll(watched.data(), watched.size(), to_poll(deadline));
    if (watched[0].revents != 0) return;
    if (ready == 0 && steady_clock::now() >= deadline) break;
    if (signalfd_siginfo signal{}; ::read(signals_.get(), &signal, sizeof signal) > 0)
      deadline = std::min(deadline, steady_clock::now() + kGrace);
  }
  std::fputs(
      "lingate: ended without waiting for a thread that does not come back: a name server that is silent, or a script "
      "that nothing can stop\n",
      stderr);
  ::_exit(code);
}

}  // namespace lingate
