// Negotiation of content codings (RFC 9110, section 12.5.3): what a client accepts against what is offered.
//
// Pure functions; any thread.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "middleware/coding/coder.h"

namespace lingate::middleware::coding {

// What a request's Accept-Encoding lines weigh each coding with, 0 to 1000; nothing: not named.
class Accepted {
 public:
  void read(std::string_view value) noexcept;  // of one line; several add up

  // The offered coding with the greatest weight, the first of those that weigh the same; nothing: none is accepted, or
  // the client would rather have the content as it is.
  std::optional<Coding> best_of(std::span<const Coding> offered) const noexcept;

 private:
  std::array<std::optional<int>, kCodings> named_{};
  std::optional<int> identity_{};
  std::optional<int> others_{};  // "*"
};

}  // namespace lingate::middleware::coding
