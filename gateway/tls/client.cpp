#include "gateway/tls/client.h"

#include <openssl/sha.h>
#include <openssl/ssl.h>

#include <array>

#include "base/read_file.h"
#include "gateway/tls/certificate.h"
#include "gateway/tls/conversation.h"
#include "gateway/tls/defaults.h"

namespace lingate::tls {
namespace {

int remember(SSL* conversation, SSL_SESSION* session) {
  auto* ticket = static_cast<Ticket*>(SSL_get_app_data(conversation));
  if (!ticket) return 0;
  *ticket = Ticket(session);
  return 1;  // the ticket has it now
}

constexpr std::size_t kMostBytes = 4 * 1024 * 1024;

}  // namespace

std::string fingerprint(const ClientOptions& options) {
  const CertificateFiles own = options.certificate.value_or(CertificateFiles{});
  std::string all = options.verify == ClientOptions::Verify::off ? "off" : "full";
  if (options.http2) all += " h2";
  for (const std::string* file : {&options.ca, &own.cert, &own.key}) {
    all.append(1, '\0').append(*file).append(1, '\0');
    auto text = file->empty() ? Result<std::string, std::string>() : read_file(*file, kMostBytes);
    if (text) all.append(*text);
    if (text) OPENSSL_cleanse(text->data(), text->size());
  }
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(all.data()), all.size(), digest.data());
  OPENSSL_cleanse(all.data(), all.size());
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Result<Context, Fault> make_client_context(const ClientOptions& options, Faults& warnings) {
  Context context = fresh_context(TLS_client_method(), Version::tls12);
  SSL_CTX* const made = context.get();
  SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(made, remember);
  static constexpr std::array<unsigned char, 12> kOurs{2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  constexpr unsigned int kH2 = 3;
  const unsigned int skipped = options.http2 ? 0 : kH2;
  SSL_CTX_set_alpn_protos(made, kOurs.data() + skipped, static_cast<unsigned int>(kOurs.size()) - skipped);
  if (options.certificate)
    if (auto loaded = load_certificate(context, *options.certificate, warnings); !loaded)
      return fail(std::move(loaded.error()));
  if (options.verify == ClientOptions::Verify::off) return context;
  SSL_CTX_set_verify(made, SSL_VERIFY_PEER, nullptr);
  if (options.ca.empty())
    SSL_CTX_set_default_verify_paths(made);
  else if (auto loaded = load_authorities(context, options.ca); !loaded)
    return fail(std::move(loaded.error()));
  return context;
}

}  // namespace lingate::tls
