#include "gateway/tls/server.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "base/fields.h"
#include "gateway/tls/certificate.h"
#include "gateway/tls/defaults.h"
#include "gateway/tls/tickets.h"

namespace lingate::tls {
namespace {

// What belongs to all certificates of a listener. The first one's context owns it, and every conversation begins on
// that and keeps it, whatever certificate it moves on to. An empty context stands for that first one, which may not be
// kept by what it owns.
struct Shared {
  std::map<std::string, Context, std::less<>> exact;
  std::map<std::string, Context, std::less<>> below;  // "*.example.com" under "example.com"
  TicketKeys tickets;

  const Context* find(std::string_view name) const {
    if (const auto found = exact.find(name); found != exact.end()) return &found->second;
    const std::size_t dot = name.find('.');
    const auto found = dot == std::string_view::npos ? below.end() : below.find(name.substr(dot + 1));
    return found == below.end() ? nullptr : &found->second;
  }
};

void free_shared(void*, void* shared, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Shared*>(shared);
}

Shared& own_shared(SSL_CTX* context) {
  static const int kIndex = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_shared);
  auto* shared = new Shared;
  SSL_CTX_set_ex_data(context, kIndex, shared);
  SSL_CTX_set_app_data(context, shared);  // what Conversation::accept() gives its callbacks
  return *shared;
}

int choose_certificate(SSL* conversation, int*, void* of) {
  const char* asked = SSL_get_servername(conversation, TLSEXT_NAMETYPE_host_name);
  if (!asked) return SSL_TLSEXT_ERR_NOACK;
  std::string name(asked);
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return fields::lower(c); });
  if (name.ends_with('.')) name.pop_back();
  const Context* chosen = static_cast<const Shared*>(of)->find(name);
  if (!chosen || !*chosen) return SSL_TLSEXT_ERR_OK;
  return SSL_set_SSL_CTX(conversation, chosen->get()) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

constexpr std::array<unsigned char, 12> kProtocols{2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
constexpr std::size_t kWithoutH2 = 3;

// Where the client names protocols at all; one that insists on others is refused (RFC 7301 section 3.2). `from` points
// at the first of ours.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void* from) {
  const auto* const ours = static_cast<const unsigned char*>(from);
  const auto ours_size = static_cast<unsigned int>(kProtocols.data() + kProtocols.size() - ours);
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, size, ours, ours_size, offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

bool prepare_mac(EVP_MAC_CTX* mac, TicketKeys::Key& key) {
  char digest[] = "SHA256";
  const std::array parameters{OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
                              OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                              OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

// 0: the ticket is not ours, a whole handshake follows; 1: done; 2: done, and the client gets a new one; -1: failed.
int ticket_key(SSL* conversation, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
               int seals) {
  TicketKeys& keys = static_cast<Shared*>(SSL_get_app_data(conversation))->tickets;
  const TicketKeys::Clock::time_point now = TicketKeys::Clock::now();
  const EVP_CIPHER* const how = EVP_aes_256_cbc();
  if (seals == 1) {
    auto key = keys.sealing(now);
    if (!key || RAND_bytes(iv, EVP_CIPHER_get_iv_length(how)) != 1) return -1;
    std::copy(key->name.begin(), key->name.end(), name);
    return EVP_EncryptInit_ex(cipher, how, nullptr, key->cipher.data(), iv) == 1 && prepare_mac(mac, *key) ? 1 : -1;
  }
  auto found = keys.opening(std::span<const unsigned char, 16>(name, 16), now);
  if (!found) return 0;
  if (EVP_DecryptInit_ex(cipher, how, nullptr, found->key.cipher.data(), iv) != 1 || !prepare_mac(mac, found->key))
    return -1;
  return found->current ? 1 : 2;
}

Context fresh_server(const ServerOptions& options) {
  Context context = fresh_context(TLS_server_method(), options.least);
  SSL_CTX* const made = context.get();
  // A client that ends with a bare FIN: what it asked has its own framing, so nothing can be mistaken for whole.
  SSL_CTX_set_options(made, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
  constexpr std::string_view kOurs = "lingate";
  SSL_CTX_set_session_id_context(made, reinterpret_cast<const unsigned char*>(kOurs.data()), kOurs.size());
  SSL_CTX_set_timeout(made, std::chrono::seconds(TicketKeys::kLife).count());
  const std::size_t first = options.protocols == Protocols::http1 ? kWithoutH2 : 0;
  SSL_CTX_set_alpn_select_cb(made, choose_protocol, const_cast<unsigned char*>(kProtocols.data() + first));
  SSL_CTX_set_tlsext_ticket_key_evp_cb(made, ticket_key);
  return context;
}

Result<void, Fault> ask_for_certificates(const Context& context, const ClientAuth& asked) {
  auto loaded = load_authorities(context, asked.ca);
  if (!loaded) return loaded;
  const int strict = asked.mode == ClientAuth::Mode::require ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | strict, nullptr);
  return {};
}

// The first certificate with a name has it.
void add_names(Shared& shared, const Names& names, const Context& context) {
  for (const std::string& name : names) {
    if (name.starts_with("*."))
      shared.below.emplace(name.substr(2), context);
    else
      shared.exact.emplace(name, context);
  }
}

}  // namespace

Result<Context, Fault> make_server_context(const ServerOptions& options, Faults& warnings) {
  const Context first = fresh_server(options);
  Shared& shared = own_shared(first.get());
  for (std::size_t index = 0; index < options.certificates.size(); ++index) {
    const Context context = index == 0 ? first : fresh_server(options);
    const std::size_t warned = warnings.size();
    auto names = load_certificate(context, options.certificates[index], warnings);
    for (std::size_t k = warned; k < warnings.size(); ++k)
      warnings[k].index = index;
    if (!names) {
      names.error().index = index;
      return fail(std::move(names.error()));
    }
    if (options.client_auth)
      if (auto asks = ask_for_certificates(context, *options.client_auth); !asks) return fail(std::move(asks.error()));
    add_names(shared, *names, index == 0 ? Context() : context);
  }
  SSL_CTX_callback_ctrl(first.get(), SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(choose_certificate));
  SSL_CTX_set_tlsext_servername_arg(first.get(), &shared);
  return first;
}

}  // namespace lingate::tls
