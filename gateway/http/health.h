// HealthCheck: asks one target every so often whether it is well: GET on a connection of its own; a 2xx within the
// time-out is good, anything else bad. So many in a row of either kind put the target out or take it back.
//
// Thread: the worker's; each worker checks for itself. Lifetime: its upstream's.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/loop.h"
#include "gateway/http/options.h"
#include "gateway/http/target.h"
#include "gateway/http/upstream_connection.h"

namespace lingate::http {

class Upstream;

class HealthCheck final : public Timer, private UpstreamUser {
 public:
  HealthCheck(Upstream& upstream, Target& target);
  ~HealthCheck();

 private:
  void expired() noexcept override;  // time for the next one, or the one under way took too long
  void start() noexcept;
  void finish(bool good, std::string_view why) noexcept;

  void upstream_connected() noexcept override;
  void upstream_unreachable(const Unreachable& why) noexcept override;
  void upstream_readable() noexcept override;
  void upstream_writable() noexcept override {}

  Upstream& upstream_;
  Target& target_;
  const HealthOptions& options_;
  std::string request_;
  UpstreamConnection* connection_ = nullptr;
  std::array<char, 12> start_{};  // of the answer: "HTTP/1.1 200"
  std::size_t got_ = 0;
  std::size_t interim_ = 0;  // bytes of the responses before the final one
  bool line_empty_ = false;  // so far, of an interim response's head
  Clock::time_point started_{};
  std::uint32_t good_in_a_row_ = 0;
  std::uint32_t bad_in_a_row_ = 0;
};

}  // namespace lingate::http
