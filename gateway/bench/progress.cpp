#include "gateway/bench/progress.h"

#include <algorithm>
#include <ostream>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace lingate::bench {
namespace {

constexpr int kBar = 30;
constexpr double kKnown = 0.02;  // before that, the time left is a guess

}  // namespace

Progress::~Progress() {
  clear();
}

void Progress::clear() {
  if (std::exchange(shown_, false)) out_ << "\r\x1b[K" << std::flush;
}

void Progress::show(double part, std::string_view what) {
  if (!terminal_) return;
  shown_ = true;
  part = std::clamp(part, 0.0, 1.0);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began_;
  const int filled = static_cast<int>(part * kBar);
  std::string line = fmt::format("\r\x1b[K[{}{}] {:3.0f} %", std::string(static_cast<std::size_t>(filled), '#'),
                                 std::string(static_cast<std::size_t>(kBar - filled), '.'), part * 100);
  if (part >= kKnown) line += fmt::format("  {:.0f} s left", passed.count() / part * (1 - part));
  line += "  ";
  line += what.substr(0, 24);
  out_ << line << std::flush;
}

}  // namespace lingate::bench
