#include "gateway/tls/conversation.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstring>

#include "gateway/tls/certificate.h"

namespace lingate::tls {

Ticket::~Ticket() {
  SSL_SESSION_free(session_);
}

Conversation::Conversation(const Context& context, int fd)
    : socket_(std::make_unique<Socket>(Socket{.fd = fd})), ssl_(SSL_new(context.get())) {
  BIO* const bio = make_bio(*socket_);
  SSL_set_bio(ssl_.get(), bio, bio);
}

Conversation Conversation::accept(const Context& context, int fd) {
  Conversation made(context, fd);
  SSL_set_accept_state(made.ssl_.get());
  SSL_set_app_data(made.ssl_.get(), SSL_CTX_get_app_data(context.get()));
  return made;
}

Conversation Conversation::connect(const Context& context, int fd, const std::string& name, Ticket& ticket) {
  Conversation made(context, fd);
  SSL* const ssl = made.ssl_.get();
  SSL_set_connect_state(ssl);
  SSL_set_app_data(ssl, &ticket);
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // An address is looked for among the certificate's addresses, and is no name to ask for (RFC 6066 section 3).
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) != 1) {
    SSL_set1_host(ssl, name.c_str());
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(name.c_str()));
  }
  if (ticket.get()) SSL_set_session(ssl, ticket.get());
  ERR_clear_error();
  return made;
}

// To OpenSSL, an end that nobody announced spoils the session for resumption; after an error it has done that already.
void Conversation::Free::operator()(SSL* each) const noexcept {
  SSL_set_shutdown(each, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(each);
}

Step Conversation::outcome(int result) noexcept {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_NONE: return Step::done;
    case SSL_ERROR_WANT_READ: return socket_->spent() ? Step::again : Step::wants_read;
    case SSL_ERROR_WANT_WRITE: return Step::wants_write;
    case SSL_ERROR_ZERO_RETURN: return Step::closed;
    default: broken_ = true; return Step::failed;
  }
}

// Each call begins with an empty list of complaints: OpenSSL takes what is on it for the call's own.
Step Conversation::handshake() noexcept {
  ERR_clear_error();
  errno = 0;
  return outcome(SSL_do_handshake(ssl_.get()));
}

Step Conversation::read(char* space, std::size_t room, std::size_t& got) noexcept {
  ERR_clear_error();
  return outcome(SSL_read_ex(ssl_.get(), space, room, &got));
}

Step Conversation::write(const char* bytes, std::size_t size, std::size_t& taken) noexcept {
  ERR_clear_error();
  return outcome(SSL_write_ex(ssl_.get(), bytes, size, &taken));
}

Step Conversation::peek() noexcept {
  char byte = 0;
  std::size_t got = 0;
  ERR_clear_error();
  return outcome(SSL_peek_ex(ssl_.get(), &byte, 1, &got));
}

void Conversation::say_end() noexcept {
  if (broken_ || (SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) != 0 || !SSL_is_init_finished(ssl_.get())) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

bool Conversation::resumed() const noexcept {
  return SSL_session_reused(ssl_.get()) == 1;
}

std::string_view Conversation::protocol() const noexcept {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

Facts Conversation::facts() const {
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  Facts facts{.version = SSL_get_version(ssl_.get()),
              .cipher = SSL_get_cipher_name(ssl_.get()),
              .name = name ? name : "",
              .certificate = {}};
  if (X509* shown = SSL_get0_peer_certificate(ssl_.get())) facts.certificate = describe(shown);
  return facts;
}

std::string Conversation::reason() const {
  const int error = errno;
  const long verified = SSL_get_verify_result(ssl_.get());
  const unsigned long complaint = ERR_peek_last_error();
  if (ERR_GET_REASON(complaint) == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK)
    return std::string("the certificate is not accepted: ") + X509_verify_cert_error_string(verified);
  if (complaint != 0) return take_reason();
  return error != 0 ? std::strerror(error) : "the other side closed in the middle of the handshake";
}

}  // namespace lingate::tls
