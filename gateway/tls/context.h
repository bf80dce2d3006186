// Context: what many TLS conversations have in common: certificates, keys, protocol versions, ciphers. A counted handle
// to OpenSSL's SSL_CTX; a conversation keeps its own count, so a context may be replaced (a reload) while handshakes
// that began on it are under way.
//
// Thread: any, once made. Lifetime: as long as a handle or a conversation has it.
#pragma once

#include <string>
#include <utility>
#include <vector>

struct ssl_ctx_st;

namespace lingate::tls {

// Why certificates, keys or authorities cannot be used, and what to do. Never holds what a key file holds.
struct Fault {
  enum class About { certificate, key, authority };

  About about = About::certificate;
  std::size_t index = 0;  // of the certificate in its list
  std::string what;       // "the key 'site.key' does not belong to the certificate 'site.pem'"
  std::string cure;
};
using Faults = std::vector<Fault>;

// PEM files: a certificate with its chain behind it, and its key.
struct CertificateFiles {
  std::string cert;
  std::string key;
};

class Context {
 public:
  Context() = default;
  explicit Context(ssl_ctx_st* taken) noexcept : context_(taken) {}
  Context(const Context& other) noexcept;
  Context(Context&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
  Context& operator=(Context other) noexcept {
    std::swap(context_, other.context_);
    return *this;
  }
  ~Context();

  ssl_ctx_st* get() const noexcept { return context_; }
  explicit operator bool() const noexcept { return context_ != nullptr; }

 private:
  ssl_ctx_st* context_ = nullptr;
};

}  // namespace lingate::tls
