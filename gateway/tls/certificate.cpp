#include "gateway/tls/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "base/fields.h"
#include "base/read_file.h"
#include "gateway/tls/owned.h"

namespace lingate::tls {
namespace {

using About = Fault::About;

constexpr std::size_t kMostBytes = 4 * 1024 * 1024;

using X509Ptr = std::unique_ptr<X509, Freeing<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;

// The text of a file, wiped with it.
class Pem {
 public:
  explicit Pem(std::string text) : text_(std::move(text)) {}
  Pem(const Pem&) = delete;
  Pem& operator=(const Pem&) = delete;
  ~Pem() { OPENSSL_cleanse(text_.data(), text_.size()); }

  BioPtr reader() const { return BioPtr(BIO_new_mem_buf(text_.data(), static_cast<int>(text_.size()))); }

 private:
  std::string text_;
};

Fault fault(About about, std::string what, std::string cure) {
  return {.about = about, .what = std::move(what), .cure = std::move(cure)};
}

Fault unreadable(About about, const std::string& file, const std::string& why) {
  return fault(about, fmt::format("the file '{}' cannot be read: {}", file, why),
               "see that it is there and that the gateway's user may read it");
}

Fault no_certificate(About about, const std::string& file) {
  return fault(about, fmt::format("the file '{}' holds no certificate", file),
               "a PEM file is needed: '-----BEGIN CERTIFICATE-----'; of DER, 'openssl x509 -inform der' makes one");
}

bool at_the_end() {
  const unsigned long last = ERR_peek_last_error();
  const bool end = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  if (end) ERR_clear_error();
  return end;
}

void add_name(Names& names, const ASN1_STRING* text) {
  std::string name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                   static_cast<std::size_t>(ASN1_STRING_length(text)));
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return fields::lower(c); });
  names.push_back(std::move(name));
}

Names names_of(X509* certificate) {
  Names names;
  const NamesPtr alternatives = alternative_names(certificate);
  for (int k = 0; alternatives && k < sk_GENERAL_NAME_num(alternatives.get()); ++k) {
    const GENERAL_NAME* each = sk_GENERAL_NAME_value(alternatives.get(), k);
    if (each->type == GEN_DNS) add_name(names, each->d.dNSName);
  }
  if (alternatives) return names;
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (place >= 0) add_name(names, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)));
  return names;
}

std::string show(const ASN1_TIME* time) {
  const BioPtr out = text_out();
  ASN1_TIME_print(out.get(), time);
  return text_of(out);
}

void check_dates(X509* certificate, const std::string& file, Faults& warnings) {
  const ASN1_TIME* until = X509_get0_notAfter(certificate);
  const ASN1_TIME* from = X509_get0_notBefore(certificate);
  if (X509_cmp_current_time(until) < 0)
    warnings.push_back(fault(About::certificate, fmt::format("the certificate '{}' expired on {}", file, show(until)),
                             "clients will refuse it: renew it"));
  else if (X509_cmp_current_time(from) > 0)
    warnings.push_back(fault(About::certificate,
                             fmt::format("the certificate '{}' is not valid before {}", file, show(from)),
                             "clients will refuse it until then; see that the clock is right"));
}

// The leaf and what stands behind it.
Result<X509Ptr, Fault> load_chain(const Context& into, const std::string& file) {
  auto text = read_file(file, kMostBytes);
  if (!text) return fail(unreadable(About::certificate, file, text.error()));
  const Pem pem(std::move(*text));
  const BioPtr reader = pem.reader();
  X509Ptr leaf(PEM_read_bio_X509_AUX(reader.get(), nullptr, nullptr, nullptr));
  if (!leaf) return ERR_clear_error(), fail(no_certificate(About::certificate, file));
  if (SSL_CTX_use_certificate(into.get(), leaf.get()) != 1)
    return fail(fault(About::certificate, fmt::format("the certificate '{}' cannot be used: {}", file, take_reason()),
                      "make one of at least 2048 bits (RSA) or 256 bits (EC), signed with SHA-256 or better"));
  while (X509* next = PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr))
    SSL_CTX_add0_chain_cert(into.get(), next);
  if (!at_the_end())
    return fail(fault(About::certificate,
                      fmt::format("the chain behind the certificate in '{}' is broken: {}", file, take_reason()),
                      "the file holds the certificate, then those of its authorities, each whole"));
  return leaf;
}

// Asked for a password, it has none, and notes that it was asked.
int no_password(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Result<KeyPtr, Fault> load_key(const std::string& file) {
  auto text = read_file(file, kMostBytes);
  if (!text) return fail(unreadable(About::key, file, text.error()));
  const Pem pem(std::move(*text));
  bool encrypted = false;
  KeyPtr key(PEM_read_bio_PrivateKey(pem.reader().get(), nullptr, no_password, &encrypted));
  ERR_clear_error();
  if (key) return key;
  if (encrypted)
    return fail(fault(About::key, fmt::format("the key '{}' is encrypted", file),
                      "decrypt it into a file that only the gateway's user may read: 'openssl pkey -in FILE -out "
                      "NEW'"));
  return fail(fault(About::key, fmt::format("the file '{}' holds no private key", file),
                    "a PEM file is needed: '-----BEGIN PRIVATE KEY-----'"));
}

}  // namespace

std::string take_reason() {
  const unsigned long error = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(error);
  ERR_clear_error();
  return reason ? reason : "unknown reason";
}

Result<Names, Fault> load_certificate(const Context& into, const CertificateFiles& files, Faults& warnings) {
  ERR_clear_error();
  auto leaf = load_chain(into, files.cert);
  if (!leaf) return fail(std::move(leaf.error()));
  auto key = load_key(files.key);
  if (!key) return fail(std::move(key.error()));
  if (X509_check_private_key(leaf->get(), key->get()) != 1 || SSL_CTX_use_PrivateKey(into.get(), key->get()) != 1) {
    ERR_clear_error();
    return fail(fault(About::key,
                      fmt::format("the key '{}' does not belong to the certificate '{}'", files.key, files.cert),
                      "give the key that the certificate was made for; the file's first certificate must be its own, "
                      "those of authorities come behind it"));
  }
  check_dates(leaf->get(), files.cert, warnings);
  return names_of(leaf->get());
}

Result<void, Fault> load_authorities(const Context& into, const std::string& file) {
  ERR_clear_error();
  auto text = read_file(file, kMostBytes);
  if (!text) return fail(unreadable(About::authority, file, text.error()));
  const Pem pem(std::move(*text));
  const BioPtr reader = pem.reader();
  X509_STORE* store = SSL_CTX_get_cert_store(into.get());
  std::size_t count = 0;
  while (const X509Ptr next{PEM_read_bio_X509_AUX(reader.get(), nullptr, nullptr, nullptr)}) {
    X509_STORE_add_cert(store, next.get());
    SSL_CTX_add_client_CA(into.get(), next.get());  // a server names them when it asks
    ++count;
  }
  if (count > 0 && at_the_end()) return {};
  if (count == 0) return ERR_clear_error(), fail(no_certificate(About::authority, file));
  return fail(fault(About::authority, fmt::format("a certificate in '{}' is broken: {}", file, take_reason()),
                    "the file holds the certificates of authorities, each whole"));
}

}  // namespace lingate::tls
