#include "gateway/http/tls_facts.h"

#include <string_view>

#include "base/utf8.h"
#include "runtimes/value.h"

namespace lingate::http {
namespace {

using runtimes::WireWriter;

void put(WireWriter& writer, std::string_view key, std::string_view text) {
  if (text.empty() || !utf8::is_valid(text)) return;
  writer.key(key);
  writer.text(text);
}

void put(WireWriter& writer, const tls::PeerCertificate& certificate) {
  writer.key("certificate");
  writer.begin_map();
  put(writer, "subject", certificate.subject);
  put(writer, "issuer", certificate.issuer);
  put(writer, "serial", certificate.serial);
  put(writer, "fingerprint", certificate.fingerprint);
  writer.key("san");
  writer.begin_list();
  for (const std::string& name : certificate.names)
    if (utf8::is_valid(name)) writer.text(name);
  writer.end_list();
  writer.key("not_after");
  writer.number(static_cast<double>(certificate.not_after));
  writer.end_map();
}

}  // namespace

std::string encode_facts(const tls::Facts& facts) {
  WireWriter writer;
  writer.begin_map();
  put(writer, "version", facts.version);
  put(writer, "cipher", facts.cipher);
  put(writer, "sni", facts.name);
  if (facts.certificate) put(writer, *facts.certificate);
  writer.end_map();
  if (!writer.failed()) return std::string(writer.members());
  tls::Facts less = facts;  // more than a value may hold
  less.certificate.reset();
  return facts.certificate ? encode_facts(less) : std::string();
}

}  // namespace lingate::http
