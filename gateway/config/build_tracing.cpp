// Tracing: the collector's URL, and what is sent to it beside spans.
#include <fmt/format.h>

#include "base/codes.h"
#include "gateway/config/build.h"
#include "gateway/config/values.h"
#include "middleware/https.h"

namespace lingate::config {
namespace {

using middleware::tracing::OtlpOptions;

void build_url(const BuildContext& context, const View& url, OtlpOptions& options) {
  if (!url.valid()) return;
  const std::string_view text = url.settings().as_text();
  auto parsed = middleware::tracing::parse_otlp_url(text);
  if (parsed)
    options.url = *std::move(parsed);
  else
    context.report.error({code::kBadUrl, url.span(),
                          fmt::format("'url' in 'tracing.otlp': '{}': {}", text, parsed.error().what),
                          parsed.error().cure});
}

void build_authorities(const BuildContext& context, const View& otlp, OtlpOptions& options) {
  const View ca = otlp.at("ca");
  if (!ca.valid() || ca.settings().as_text() == "system") return;
  options.authorities = ca.settings().as_text();
  if (!options.url.secure && otlp.at("url").valid())
    return context.report.error({code::kConflictingKeys, otlp.key_span("ca"),
                                 "'ca' in 'tracing.otlp' is given, and the URL is not https://",
                                 "write https://, or remove 'ca'"});
  if (auto usable = middleware::https_context(options.authorities); !usable)
    context.report.error({code::kBadCertificate, ca.span(), "'ca' in 'tracing.otlp': " + usable.error(),
                          "it is a file of certificates in PEM: those of the authorities that the collector's comes "
                          "from"});
}

void build_headers(const BuildContext& context, const View& headers, OtlpOptions& options) {
  if (!headers.valid()) return;
  if (!headers.settings().as<Settings::Map>())
    return context.report.error({code::kWrongType, headers.span(), "'headers' in 'tracing.otlp' is no mapping",
                                 "for example: {Authorization: {env: OTLP_AUTHORIZATION}}"});
  for (const View::Named& each : headers.members()) {
    if (!each.value.valid()) continue;  // what is wrong with it was said
    const Settings& value = each.value.settings();
    auto good = check_header_name(each.name);
    if (good) good = check_header_value(value.as_text());
    if (good && value.as_text().empty())
      good = fail(Fault{code::kWrongType, fmt::format("'{}' has no text", each.name), "write a text, or {env: NAME}"});
    if (good)
      options.headers.emplace_back(each.name, value.as_text());
    else
      context.report.error({good.error().code, each.span, good.error().what, good.error().cure});
  }
}

}  // namespace

std::optional<Tracing> build_tracing(const BuildContext& context) {
  if (!context.root.given("tracing")) return std::nullopt;
  const View tracing = context.root.at("tracing");
  if (!tracing.valid()) return std::nullopt;
  const View otlp = tracing.at("otlp");
  Tracing result;
  build_url(context, otlp.at("url"), result.otlp);
  build_authorities(context, otlp, result.otlp);
  build_headers(context, otlp.given("headers") ? otlp.at("headers") : otlp.with(Settings()), result.otlp);
  result.otlp.timeout = otlp.settings().duration("timeout");
  result.otlp.service = tracing.settings().text("service");
  result.sample = static_cast<std::uint32_t>(tracing.settings().integer("sample"));
  return result;
}

}  // namespace lingate::config
