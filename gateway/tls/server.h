// What a listener speaks TLS with: one context for each certificate, chosen by the name that the client asks for
// (exact, then `*.suffix`, then the first), the versions and ciphers that are offered, and whether clients must show a
// certificate of their own.
//
// Only suites with forward secrecy and authenticated encryption, as Mozilla's "intermediate"; no renegotiation, no
// compression, no early data; session tickets under keys that rotate (tickets.h).
//
// Thread: any. Lifetime: the context's (context.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/tls/context.h"

namespace lingate::tls {

enum class Version : std::uint8_t { tls12, tls13 };

struct ClientAuth {
  enum class Mode : std::uint8_t { request, require };  // request: it may have none, but no bad one

  std::string ca;  // PEM: the authorities of clients
  Mode mode = Mode::require;
};

// What is offered by ALPN (RFC 7301); h2 first.
enum class Protocols : std::uint8_t { http1, h2_and_http1 };

struct ServerOptions {
  std::vector<CertificateFiles> certificates;  // at least one
  Version least = Version::tls12;
  Protocols protocols = Protocols::http1;
  std::optional<ClientAuth> client_auth;
};

// Reads the files. `warnings` are added to.
Result<Context, Fault> make_server_context(const ServerOptions& options, Faults& warnings);

}  // namespace lingate::tls
