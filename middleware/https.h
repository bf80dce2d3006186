// Https, for what fetches keys and what sends traces: what the client side of TLS asks of a server whose answers are
// believed: a chain to authorities that are trusted, the name that was asked for, a certificate of today, TLS 1.2 or
// later.
//
// Thread: any. Nothing is kept; a context is made for each conversation, so that a file of authorities may change.
#pragma once

#include <string>

#include <boost/asio/ssl/context.hpp>

#include "base/result.h"

namespace lingate::middleware {

// `authorities`: a file in PEM; empty: the system's. The error is for people.
Result<boost::asio::ssl::context, std::string> https_context(const std::string& authorities);

// Before the handshake: whom the certificate has to name; the server is told of it (SNI).
bool expect_host(SSL* conversation, const std::string& host);

// Why it was not believed, where that is what the handshake failed for; else empty.
std::string distrust(const SSL* conversation);

}  // namespace lingate::middleware
