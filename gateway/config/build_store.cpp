// The store: which keys go with which kind, and what is needed to speak to a Redis.
#include <algorithm>

#include <fmt/format.h>

#include "base/codes.h"
#include "gateway/config/build.h"
#include "gateway/config/values.h"

namespace lingate::config {
namespace {

constexpr std::string_view kOfRedis[] = {"url", "username", "password", "db", "prefix", "budget", "stale", "tls"};

Store::Kind kind_of(std::string_view word) {
  if (word == "memory") return Store::Kind::memory;
  return word == "redis" ? Store::Kind::redis : Store::Kind::embedded;
}

void refuse_key(const BuildContext& context, const View& store, std::string_view key, std::string_view kind) {
  if (!store.given(key)) return;
  context.report.error({code::kConflictingKeys, store.key_span(key),
                        fmt::format("'{}' is of `kind: {}`, and this store is of another", key, kind),
                        fmt::format("remove it, or write 'kind: {}'", kind)});
}

void check_keys(const BuildContext& context, const View& store, Store::Kind kind) {
  if (kind != Store::Kind::embedded) refuse_key(context, store, "path", "embedded");
  if (kind == Store::Kind::redis) return;
  for (const std::string_view key : kOfRedis)
    refuse_key(context, store, key, "redis");
}

std::vector<store::RedisServer> build_servers(const BuildContext& context, const View& store) {
  std::vector<store::RedisServer> servers;
  if (!store.given("url")) {
    context.report.error({code::kMissingKey, store.span(), "a store of `kind: redis` has no 'url'",
                          "for example: url: \"redis://127.0.0.1:6379\""});
    return servers;
  }
  for (const View& each : store.at("url").items()) {
    if (!each.valid()) continue;
    auto server = parse_redis_url(each.settings().as_text(), context.report.folder(each.span()));
    if (server)
      servers.push_back(*std::move(server));
    else
      context.report.error({server.error().code, each.span(), server.error().what, server.error().cure});
  }
  return servers;
}

store::RedisTls build_tls(const BuildContext& context, const View& store, bool used) {
  const View tls = store.at("tls");
  if (!store.given("tls") || !tls.valid()) return {};
  if (!used)
    context.report.error({code::kConflictingKeys, store.key_span("tls"), "'tls' is given, and no URL is 'rediss://'",
                          "write 'rediss://HOST:PORT', or remove 'tls'"});
  const UpstreamTls built = build_upstream_tls(context, tls);
  const tls::CertificateFiles own = built.options.certificate.value_or(tls::CertificateFiles{});
  return {.ca = built.options.ca, .cert = own.cert, .key = own.key, .server_name = built.server_name};
}

}  // namespace

Store build_store(const BuildContext& context) {
  const View store = context.root.at("store");
  const Settings& settings = store.settings();
  Store result;
  result.kind = kind_of(settings.text("kind"));
  check_keys(context, store, result.kind);
  if (result.kind == Store::Kind::embedded) result.path = settings.text("path");
  if (result.kind != Store::Kind::redis) return result;
  store::RedisOptions& redis = result.redis;
  redis.servers = build_servers(context, store);
  redis.username = settings.text("username");
  redis.password = settings.text("password");
  redis.db = static_cast<std::uint32_t>(settings.integer("db"));
  redis.prefix = settings.text("prefix");
  redis.budget = std::chrono::duration_cast<std::chrono::milliseconds>(settings.duration("budget"));
  redis.tls =
      build_tls(context, store,
                std::any_of(redis.servers.begin(), redis.servers.end(), [](const auto& each) { return each.tls; }));
  result.stale = settings.duration("stale");
  return result;
}

}  // namespace lingate::config
