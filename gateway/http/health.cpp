#include "gateway/http/health.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gateway/http/upstream.h"
#include "gateway/http/worker_parts.h"

namespace lingate::http {
namespace {

constexpr std::size_t kMostInterim = 64 * 1024;  // bytes of interim responses before the final one

}  // namespace

HealthCheck::HealthCheck(Upstream& upstream, Target& target)
    : upstream_(upstream), target_(target), options_(*upstream.options().health) {
  request_ = "GET " + options_.path + " HTTP/1.1\r\nHost: " + target.options->authority +
             "\r\nUser-Agent: lingate-health\r\nConnection: close\r\n\r\n";
  upstream.parts().loop.arm(*this, Duration::zero());
}

HealthCheck::~HealthCheck() {
  upstream_.parts().loop.disarm(*this);
  if (connection_) upstream_.discard(*connection_);
}

void HealthCheck::expired() noexcept {
  if (connection_) return finish(false, "no answer in time");
  start();
}

void HealthCheck::start() noexcept {
  Loop& loop = upstream_.parts().loop;
  started_ = loop.now();
  loop.arm(*this, options_.timeout);
  int code = 0;
  int error = 0;
  connection_ = upstream_.acquire(target_, *this, Upstream::Reuse::fresh, code, error);
  if (!connection_) return finish(false, std::strerror(error));
  if (connection_->state() == UpstreamConnection::State::in_use) upstream_connected();
}

void HealthCheck::upstream_connected() noexcept {
  const iovec piece{request_.data(), request_.size()};
  const std::ptrdiff_t sent = connection_->stream().write({&piece, 1});
  if (sent != static_cast<std::ptrdiff_t>(request_.size())) return finish(false, "the request could not be sent");
  got_ = 0;
  interim_ = 0;
  connection_->watch().await_read();
}

void HealthCheck::upstream_unreachable(const Unreachable& why) noexcept {
  finish(false, std::string(why.what));  // it ends with the connection
}

// The status line is all that counts, of the final response: interim ones may come before it (RFC 9110, 15.2).
void HealthCheck::upstream_readable() noexcept {
  std::array<char, 512> space;
  const std::ptrdiff_t got = connection_->stream().read(space.data(), space.size()).got;
  if (got < 0) return finish(false, "closed without an answer");
  if (got == 0) return connection_->watch().await_read();
  for (const char each : std::string_view(space.data(), static_cast<std::size_t>(got))) {
    if (got_ < start_.size()) {
      start_[got_++] = each;
      if (got_ < start_.size()) continue;
      const std::string_view line(start_.data(), start_.size());
      const bool http = line.starts_with("HTTP/1.");
      if (!http || line[9] != '1') return finish(http && line[9] == '2', "not a 2xx answer");
      line_empty_ = false;
    } else if (each == '\n') {  // the end of a line of an interim head; of the whole head, if the line is empty
      if (std::exchange(line_empty_, true)) got_ = 0;
    } else if (each != '\r') {
      line_empty_ = false;
    }
  }
  interim_ += static_cast<std::size_t>(got);
  if (interim_ > kMostInterim) return finish(false, "no answer behind its interim responses");
  connection_->watch().read_again();
}

void HealthCheck::finish(bool good, std::string_view why) noexcept {
  if (connection_) upstream_.discard(*connection_);
  connection_ = nullptr;
  good_in_a_row_ = good ? good_in_a_row_ + 1 : 0;
  bad_in_a_row_ = good ? 0 : bad_in_a_row_ + 1;
  if (good && !target_.healthy && good_in_a_row_ >= options_.healthy)
    upstream_.set_healthy(target_, "health checks pass");
  if (!good && target_.healthy && bad_in_a_row_ >= options_.unhealthy) upstream_.set_unhealthy(target_, why);
  Loop& loop = upstream_.parts().loop;
  const Duration spent = loop.now() - started_;
  loop.arm(*this, std::max<Duration>(options_.every - spent, Duration::zero()));
}

}  // namespace lingate::http
