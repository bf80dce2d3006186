// What a certificate says, as texts for scripts.
#include <openssl/bn.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <memory>

#include <fmt/format.h>

#include "gateway/tls/certificate.h"
#include "gateway/tls/owned.h"

namespace lingate::tls {
namespace {

constexpr int kMostNames = 100;
constexpr std::size_t kLongestName = 1024;

std::string show(const X509_NAME* name) {
  const BioPtr out = text_out();
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  return text_of(out);
}

std::string serial_of(X509* certificate) {
  const std::unique_ptr<BIGNUM, Freeing<BN_free>> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  char* text = number ? BN_bn2hex(number.get()) : nullptr;
  std::string serial = text ? text : "";
  OPENSSL_free(text);
  return serial;
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  std::string text;
  for (unsigned int k = 0; k < size; ++k)
    text += fmt::format("{:02x}", digest[k]);
  return text;
}

void add_names(X509* certificate, std::vector<std::string>& names) {
  const NamesPtr all = alternative_names(certificate);
  for (int k = 0; all && k < sk_GENERAL_NAME_num(all.get()) && k < kMostNames; ++k) {
    const BioPtr out = text_out();
    GENERAL_NAME_print(out.get(), sk_GENERAL_NAME_value(all.get(), k));
    std::string name = text_of(out);
    if (name.size() <= kLongestName) names.push_back(std::move(name));
  }
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<std::int64_t>(::timegm(&parts)) : 0;
}

}  // namespace

PeerCertificate describe(X509* certificate) {
  PeerCertificate facts;
  facts.subject = show(X509_get_subject_name(certificate));
  facts.issuer = show(X509_get_issuer_name(certificate));
  facts.serial = serial_of(certificate);
  facts.fingerprint = fingerprint_of(certificate);
  add_names(certificate, facts.names);
  facts.not_after = seconds_of(X509_get0_notAfter(certificate));
  return facts;
}

}  // namespace lingate::tls
