// What the gateway speaks TLS with to an upstream: which authorities it believes, whether it looks at the certificate
// at all, and the certificate that it shows of its own.
//
// Thread: any. Lifetime: the context's (context.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "gateway/tls/context.h"

namespace lingate::tls {

struct ClientOptions {
  enum class Verify : std::uint8_t { full, off };  // full: the chain, the dates and the name

  std::string ca;  // PEM file; empty: the authorities of the system
  Verify verify = Verify::full;
  std::optional<CertificateFiles> certificate;
  bool http2 = false;  // is offered, before HTTP/1.1
};

// Says whether two options stand for the same, what is in their files included; holds nothing of a key.
std::string fingerprint(const ClientOptions& options);

// Reads the files. `warnings` are added to.
Result<Context, Fault> make_client_context(const ClientOptions& options, Faults& warnings);

}  // namespace lingate::tls
