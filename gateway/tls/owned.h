// Owners of OpenSSL's objects. Internal to this box: whoever includes it includes OpenSSL's headers.
//
// Thread: the owner's.
#pragma once

#include <openssl/bio.h>
#include <openssl/x509v3.h>

#include <cstddef>
#include <memory>
#include <string>

namespace lingate::tls {

template <auto kFree>
struct Freeing {
  template <class T>
  void operator()(T* each) const noexcept {
    kFree(each);
  }
};

using BioPtr = std::unique_ptr<BIO, Freeing<BIO_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Freeing<GENERAL_NAMES_free>>;

inline BioPtr text_out() {
  return BioPtr(BIO_new(BIO_s_mem()));
}

inline std::string text_of(const BioPtr& out) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

// nullptr: it has no alternative names.
inline NamesPtr alternative_names(const X509* certificate) {
  return NamesPtr(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

}  // namespace lingate::tls
