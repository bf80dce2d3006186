// Gate: what the head of a request must be before anything of its body is read: asked by a name of this address (DNS
// rebinding), not for a page of another origin, an operation that there is, with the token, with a body of a kind and a
// size that the operation takes.
//
// Immutable; any thread. Lifetime: owns the token.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/admin/operations.h"

namespace lingate::admin {

// Borrowed from the request. Absent fields are empty.
struct Head {
  std::string_view method;
  std::string_view target;
  std::vector<std::string_view> hosts;  // each line of Host
  std::string_view authorization{};
  std::string_view origin{};
  std::string_view fetch_site{};
  std::string_view content_type{};
  std::string_view if_match{};
  std::optional<std::uint64_t> content_length{};
  bool chunked = false;

  bool has_body() const noexcept { return chunked || content_length.value_or(0) > 0; }
};

struct Admitted {
  const Operation* operation = nullptr;
  Call call;  // its parameters
};

class Gate {
 public:
  Gate(std::string token, std::vector<std::string> hosts);

  Result<Admitted, Refusal> admit(const Head& head) const;

  // The parts of it, for tests.
  bool takes_host(std::string_view host) const;            // a Host field
  bool takes_token(std::string_view authorization) const;  // in constant time, whatever its length

 private:
  std::optional<Refusal> check_source(const Head& head, Access access) const;

  std::string token_hash_;  // SHA-256: of one length, so that a comparison tells none
  std::vector<std::string> hosts_;
};

}  // namespace lingate::admin
