// BodyFilter: makes other bytes of a response's content while it passes to the client: a coding. A step puts one into
// Response::filter and says in the head what that means; the connection then feeds it whatever the upstream or a step
// has made, block by block, and sends what comes out, so that a body streams and is never held whole.
//
// Content is held back only while more of it is there: when the source pauses the connection asks for all that was fed
// (Until::pause), so that slow streams arrive as they are made.
//
// Thread: the exchange's worker. Lifetime: until the exchange ends; whoever replaces the response takes it out.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lingate::middleware {

class BodyFilter {
 public:
  enum class Until : std::uint8_t {
    more,   // content follows at once
    pause,  // content may follow later: nothing is held back
    end,    // that was all
  };

  virtual void feed(std::string_view content) noexcept = 0;
  // What was made since the last call; may be empty. Valid until the next feed(). Nothing: it failed, for good.
  virtual std::optional<std::string_view> take(Until until) noexcept = 0;

 protected:
  ~BodyFilter() = default;
};

}  // namespace lingate::middleware
