#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/codes.h"
#include "gateway/config/build.h"
#include "gateway/config/values.h"

namespace lingate::config {
namespace {

std::uint32_t count(const Settings& settings, std::string_view key) {
  return static_cast<std::uint32_t>(settings.integer(key));
}

std::vector<Target> build_targets(const BuildContext& context, const View& targets, std::string_view upstream) {
  std::vector<Target> result;
  for (const View& each : targets.items()) {
    const View url = each.at("url");
    if (!url.valid()) continue;
    auto parsed = parse_target_url(url.settings().as_text(), context.report.folder(url.span()));
    if (!parsed) continue;
    result.push_back({.address = std::move(parsed->address),
                      .authority = std::move(parsed->authority),
                      .weight = count(each.settings(), "weight"),
                      .secure = parsed->secure,
                      .http2 = parsed->http2,
                      .place = context.report.place(each.span())});
  }
  if (targets.valid() && targets.items().empty())
    context.report.error({code::kMissingKey, targets.span(), fmt::format("upstream '{}' has no target", upstream),
                          "for example: [{url: \"http://127.0.0.1:9001\"}]"});
  return result;
}

Balance balance_of(std::string_view word) {
  if (word == "least-request") return Balance::least_request;
  return word == "hash" ? Balance::hash : Balance::round_robin;
}

std::optional<Health> build_health(const View& health) {
  const Settings& settings = health.settings();
  if (!settings.as<Settings::Map>()) return std::nullopt;
  return Health{std::string(settings.text("path")), settings.duration("every"), settings.duration("timeout"),
                count(settings, "healthy"), count(settings, "unhealthy")};
}

std::optional<Eject> build_eject(const View& eject) {
  const Settings& settings = eject.settings();
  if (!settings.as<Settings::Map>()) return std::nullopt;
  return Eject{count(settings, "failures"), settings.duration("for")};
}

Retry build_retry(const View& retry) {
  Retry result;
  result.attempts = count(retry.settings(), "attempts");
  for (const Settings& each : retry.settings().list("on")) {
    const std::string_view word = each.as_text();
    std::uint16_t status = 0;
    if (word == "connect-failure") {
      result.on_connect_failure = true;
    } else if (word == "reset") {
      result.on_reset = true;
    } else if (std::from_chars(word.data(), word.data() + word.size(), status).ec == std::errc()) {
      result.on_status.push_back(status);
    }
  }
  return result;
}

Upstream build_upstream(const BuildContext& context, const View::Named& named) {
  const View& view = named.value;
  const Settings& settings = view.settings();
  Upstream upstream;
  upstream.name = named.name;
  upstream.place = context.report.place(named.span);
  upstream.targets = build_targets(context, view.at("targets"), named.name);
  upstream.balance = balance_of(settings.text("balance"));
  upstream.hash_by = parse_hash_key(settings.text("hash_by")).value_or(HashBy{});
  upstream.health = build_health(view.at("health"));
  upstream.eject = build_eject(view.at("eject"));
  upstream.connect_timeout = view.at("timeout").settings().duration("connect");
  upstream.response_timeout = view.at("timeout").settings().duration("response");
  upstream.resolve_every = settings.duration("resolve");
  upstream.retry = build_retry(view.at("retry"));
  upstream.host = settings.text("host") == "target" ? Upstream::Host::target : Upstream::Host::preserve;
  const bool secure =
      std::any_of(upstream.targets.begin(), upstream.targets.end(), [](const Target& t) { return t.secure; });
  if (secure) upstream.tls = build_upstream_tls(context, view.at("tls"));
  if (secure) upstream.tls->options.http2 = settings.flag("http2");
  if (!secure && view.given("http2") && !upstream.targets.empty())
    context.report.warning({code::kSuspiciousValue, view.key_span("http2"),
                            fmt::format("'http2' has no effect in upstream '{}'", named.name),
                            "it goes with targets of 'https://'; in clear, write 'h2c://HOST:PORT'"});
  if (!secure && view.given("tls") && !upstream.targets.empty())
    context.report.warning({code::kSuspiciousValue, view.key_span("tls"),
                            fmt::format("'tls' has no effect in upstream '{}'", named.name),
                            "it goes with targets of 'https://'"});
  upstream.pool_max = count(view.at("pool").settings(), "max");
  upstream.pool_idle = view.at("pool").settings().duration("idle");
  if (view.given("hash_by") && view.at("hash_by").valid() && upstream.balance != Balance::hash)
    context.report.warning({code::kSuspiciousValue, view.key_span("hash_by"),
                            fmt::format("'hash_by' has no effect in upstream '{}'", named.name),
                            "it goes with 'balance: hash'"});
  return upstream;
}

}  // namespace

void build_upstreams(const BuildContext& context, Model& model) {
  for (const View::Named& named : context.root.at("upstreams").members())
    model.upstreams.push_back(build_upstream(context, named));
}

}  // namespace lingate::config
