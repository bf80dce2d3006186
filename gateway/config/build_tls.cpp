// TLS: from the validated keys to what the tls box takes. The files are read here once, so that `check` and `run` say
// what is wrong with them at the place that names them; what is served is read again when it is put together.
#include <fmt/format.h>

#include "base/codes.h"
#include "gateway/config/build.h"

namespace lingate::config {
namespace {

using tls::CertificateFiles;

CertificateFiles files_of(const View& view) {
  return {.cert = std::string(view.settings().text("cert")), .key = std::string(view.settings().text("key"))};
}

// Where a certificate of the list stands: an item of `certificates`, or the section itself.
View written(const View& tls, std::size_t index) {
  const auto items = tls.at("certificates").items();
  return index < items.size() ? items[index] : tls;
}

Span span_of(const View& tls, const tls::Fault& fault) {
  using About = tls::Fault::About;
  const View pair = written(tls, fault.index);
  switch (fault.about) {
    case About::certificate: return pair.at("cert").span();
    case About::key: return pair.at("key").span();
    case About::authority: break;
  }
  return tls.given("client_auth") ? tls.at("client_auth").at("ca").span() : tls.at("ca").span();
}

// A file that is not there was reported already, and its name is empty.
bool names_files(const tls::ServerOptions& options) {
  for (const CertificateFiles& each : options.certificates)
    if (each.cert.empty() || each.key.empty()) return false;
  return !options.client_auth || !options.client_auth->ca.empty();
}

void report_missing(const BuildContext& context, const View& tls, std::string_view has, std::string_view lacks) {
  context.report.error({code::kMissingKey, tls.span(), fmt::format("'tls' has '{}' and no '{}'", has, lacks),
                        fmt::format("add '{}: FILE'", lacks)});
}

void report_half_a_pair(const BuildContext& context, const View& tls) {
  if (!tls.given("key")) report_missing(context, tls, "cert", "key");
  if (!tls.given("cert")) report_missing(context, tls, "key", "cert");
}

std::vector<CertificateFiles> build_certificates(const BuildContext& context, const View& tls) {
  std::vector<CertificateFiles> result;
  const bool one = tls.given("cert") || tls.given("key");
  if (tls.given("certificates")) {
    if (one)
      context.report.error({code::kConflictingKeys, tls.key_span("certificates"),
                            "'tls' has 'certificates', and 'cert' or 'key' as well",
                            "one certificate: 'cert' and 'key'; several: a list of pairs"});
    for (const View& each : tls.at("certificates").items())
      result.push_back(files_of(each));
  } else if (one) {
    report_half_a_pair(context, tls);
    result.push_back(files_of(tls));
  }
  if (result.empty() && (!tls.given("certificates") || tls.at("certificates").valid()))
    context.report.error(
        {code::kMissingKey, tls.span(), "'tls' names no certificate", "for example: {cert: site.pem, key: site.key}"});
  return result;
}

void report_tls(const BuildContext& context, const View& tls, const tls::Faults& warnings, const tls::Fault* fault) {
  for (const tls::Fault& each : warnings)
    context.report.warning({code::kExpiredCertificate, span_of(tls, each), each.what, each.cure});
  if (fault) context.report.error({code::kBadCertificate, span_of(tls, *fault), fault->what, fault->cure});
}

}  // namespace

std::optional<tls::ServerOptions> build_listener_tls(const BuildContext& context, const View& tls) {
  if (!tls.valid()) return std::nullopt;
  const std::size_t errors = context.report.errors();
  tls::ServerOptions options;
  options.certificates = build_certificates(context, tls);
  options.least = tls.settings().text("min_version") == "1.3" ? tls::Version::tls13 : tls::Version::tls12;
  if (const View asked = tls.at("client_auth"); asked.valid())
    options.client_auth =
        tls::ClientAuth{.ca = std::string(asked.settings().text("ca")),
                        .mode = asked.settings().text("mode") == "request" ? tls::ClientAuth::Mode::request
                                                                           : tls::ClientAuth::Mode::require};
  if (context.report.errors() != errors || !names_files(options)) return options;
  tls::Faults warnings;
  const auto made = tls::make_server_context(options, warnings);
  report_tls(context, tls, warnings, made ? nullptr : &made.error());
  return options;
}

UpstreamTls build_upstream_tls(const BuildContext& context, const View& tls) {
  const Settings& settings = tls.settings();
  UpstreamTls built;
  built.server_name = settings.text("server_name");
  if (const std::string_view ca = settings.text("ca"); ca != "system") built.options.ca = ca;
  if (!settings.flag("verify", true)) built.options.verify = tls::ClientOptions::Verify::off;
  const std::size_t errors = context.report.errors();
  if (tls.given("cert") || tls.given("key")) {
    report_half_a_pair(context, tls);
    built.options.certificate = files_of(tls);
  }
  const bool lacks_file = (settings.text("ca").empty()) ||
                          (built.options.certificate &&
                           (built.options.certificate->cert.empty() || built.options.certificate->key.empty()));
  if (context.report.errors() != errors || lacks_file) return built;
  tls::Faults warnings;
  const auto made = tls::make_client_context(built.options, warnings);
  report_tls(context, tls, warnings, made ? nullptr : &made.error());
  return built;
}

}  // namespace lingate::config
