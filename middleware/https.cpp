#include "middleware/https.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>

#include <fmt/format.h>

namespace lingate::middleware {

namespace asio = boost::asio;
namespace ssl = asio::ssl;

Result<ssl::context, std::string> https_context(const std::string& authorities) {
  boost::system::error_code failed;
  try {
    ssl::context context(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    context.set_verify_mode(ssl::verify_peer, failed);
    if (authorities.empty())
      context.set_default_verify_paths(failed);
    else
      context.load_verify_file(authorities, failed);
    if (!failed) return context;
  } catch (const boost::system::system_error& error) {
    failed = error.code();
  }
  return fail(fmt::format("no authorities can be read from {}: {}",
                          authorities.empty() ? "the system" : "'" + authorities + "'", failed.message()));
}

bool expect_host(SSL* conversation, const std::string& host) {
  boost::system::error_code is_name;
  asio::ip::make_address(host, is_name);
  X509_VERIFY_PARAM* const wanted = SSL_get0_param(conversation);
  // An address is no name for SNI (RFC 6066, section 3).
  if (!is_name) return X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1;
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (SSL_set1_host(conversation, host.c_str()) != 1) return false;
  std::string name = host;  // what SSL_set_tlsext_host_name() does, in a cast of C
  return SSL_ctrl(conversation, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) == 1;
}

std::string distrust(const SSL* conversation) {
  const long result = SSL_get_verify_result(conversation);
  if (result == X509_V_OK) return {};
  return fmt::format("the certificate is not believed: {}", X509_verify_cert_error_string(result));
}

}  // namespace lingate::middleware
