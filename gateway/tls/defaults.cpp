#include "gateway/tls/defaults.h"

#include <openssl/ssl.h>

namespace lingate::tls {
namespace {

constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kSuites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";

}  // namespace

Context::Context(const Context& other) noexcept : context_(other.context_) {
  if (context_) SSL_CTX_up_ref(context_);
}

Context::~Context() {
  SSL_CTX_free(context_);
}

Context fresh_context(const SSL_METHOD* method, Version least) {
  Context context(SSL_CTX_new(method));
  SSL_CTX* const made = context.get();
  SSL_CTX_set_min_proto_version(made, least == Version::tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(made, kCiphers);
  SSL_CTX_set_ciphersuites(made, kSuites13);
  SSL_CTX_set1_groups_list(made, kGroups);
  SSL_CTX_set_options(made, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(made,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(made, 1);  // a record in one system call instead of two
  return context;
}

}  // namespace lingate::tls
