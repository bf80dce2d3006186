// Signed tokens for tests: a secret, the RSA key of RFC 7515's example, and what signs with the secret.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include <openssl/hmac.h>

#include "middleware/sessions/session.h"
#include "middleware/sessions/session_json.h"
#include "runtimes/module.h"

namespace lingate::middleware::test {

inline constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

inline constexpr std::string_view kRsaKey =
    R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})";

// The same as SubjectPublicKeyInfo: a fixed prefix, the modulus, the exponent.
inline std::string pem_of_rsa_key() {
  using runtimes::module::Base64;
  constexpr std::string_view kBefore(
      "\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03\x82"
      "\x01\x0f\x00\x30\x82\x01\x0a\x02\x82\x01\x01\x00",
      33);
  const std::size_t begin = kRsaKey.find("\"n\":\"") + 5;
  const auto modulus =
      runtimes::module::base64_decode(kRsaKey.substr(begin, kRsaKey.find('"', begin) - begin), Base64::url);
  const std::string der = std::string(kBefore) + *modulus + "\x02\x03" + std::string("\x01\x00\x01", 3);
  return "-----BEGIN PUBLIC KEY-----\n" + runtimes::module::base64_encode(der, Base64::standard) +
         "\n-----END PUBLIC KEY-----\n";
}

inline std::string without_padding(std::string_view bytes) {
  std::string text = runtimes::module::base64_encode(bytes, runtimes::module::Base64::url);
  while (text.ends_with('='))
    text.pop_back();
  return text;
}

// By HS256, whatever the head says.
inline std::string signed_with_secret(std::string_view head, std::string_view claims, std::string_view secret) {
  std::string token = without_padding(head) + "." + without_padding(claims);
  std::array<unsigned char, 32> mac;
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(token.data()), token.size(), mac.data(), &size);
  return token + "." + without_padding({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

inline std::string as_json(const Session& session) {
  return session_to_json(session.wire())->dump();
}

}  // namespace lingate::middleware::test
