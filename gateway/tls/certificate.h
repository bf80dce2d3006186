// Certificates and keys out of PEM files into a context, with what is wrong said in words: no such file, no certificate
// in it, an encrypted key, a key of another certificate. What is expired loads, and is a warning.
//
// Thread: any; while loading. A key's text is wiped once it was read.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/tls/context.h"
#include "gateway/tls/conversation.h"

struct x509_st;

namespace lingate::tls {

// The names that the certificate stands for, lower-case, "*.example.com" included.
using Names = std::vector<std::string>;

Result<Names, Fault> load_certificate(const Context& into, const CertificateFiles& files, Faults& warnings);

// The authorities in `file` are those that the other side's certificate must come from.
Result<void, Fault> load_authorities(const Context& into, const std::string& file);

PeerCertificate describe(x509_st* certificate);

// What OpenSSL has last complained about in this thread, in its words; the list of complaints is empty then.
std::string take_reason();

}  // namespace lingate::tls
