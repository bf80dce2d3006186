#include "gateway/data_path_options.h"

namespace lingate {
namespace {

http::Address data_path_options(const config::Address& address) {
  const bool tcp = address.kind == config::Address::Kind::tcp;
  return {.kind = tcp ? http::Address::Kind::tcp : http::Address::Kind::unix_socket,
          .host = address.host,
          .port = address.port,
          .path = address.path};
}

http::Balance data_path_options(config::Balance balance) {
  switch (balance) {
    case config::Balance::least_request: return http::Balance::least_request;
    case config::Balance::hash: return http::Balance::hash;
    case config::Balance::round_robin: break;
  }
  return http::Balance::round_robin;
}

http::HashKey data_path_options(const config::HashBy& by) {
  using From = config::HashBy::Source;
  using To = http::HashKey::Source;
  To source = To::client;
  switch (by.source) {
    case From::client: source = To::client; break;
    case From::host: source = To::host; break;
    case From::path: source = To::path; break;
    case From::header: source = To::header; break;
    case From::cookie: source = To::cookie; break;
    case From::query: source = To::query; break;
  }
  return {.source = source, .name = by.name};
}

http::TargetOptions data_path_options(const config::Target& target) {
  return {.address = data_path_options(target.address),
          .authority = target.authority,
          .weight = target.weight,
          .secure = target.secure,
          .http2 = target.http2};
}

http::HealthOptions data_path_options(const config::Health& health) {
  return {.path = health.path,
          .every = health.every,
          .timeout = health.timeout,
          .healthy = health.healthy,
          .unhealthy = health.unhealthy};
}

http::RetryOptions data_path_options(const config::Retry& retry) {
  return {.attempts = retry.attempts,
          .on_connect_failure = retry.on_connect_failure,
          .on_reset = retry.on_reset,
          .on_status = retry.on_status};
}

}  // namespace

http::ListenerOptions data_path_options(const config::Listener& listener) {
  http::ListenerOptions options;
  options.address = data_path_options(listener.address);
  options.proxy_protocol = listener.proxy_protocol;
  options.http2 = listener.http2;
  if (listener.tls) options.tls = listener.name;
  return options;
}

http::UpstreamOptions data_path_options(const config::Upstream& upstream) {
  http::UpstreamOptions options;
  options.name = upstream.name;
  for (const config::Target& target : upstream.targets)
    options.targets.push_back(data_path_options(target));
  options.balance = data_path_options(upstream.balance);
  options.hash_key = data_path_options(upstream.hash_by);
  if (upstream.health) options.health = data_path_options(*upstream.health);
  if (upstream.eject)
    options.eject = http::EjectOptions{.failures = upstream.eject->failures, .duration = upstream.eject->duration};
  options.connect_timeout = upstream.connect_timeout;
  options.response_timeout = upstream.response_timeout;
  options.retry = data_path_options(upstream.retry);
  options.host = upstream.host == config::Upstream::Host::target ? http::UpstreamOptions::Host::target
                                                                 : http::UpstreamOptions::Host::preserve;
  options.pool_max = upstream.pool_max;
  options.pool_idle = upstream.pool_idle;
  return options;
}

http::Limits data_path_options(const config::Limits& limits) {
  http::Limits options;
  options.head = limits.head;
  options.target = limits.target;
  options.field_line = limits.field;
  options.fields = limits.fields;
  options.streams = limits.streams;
  options.connections_per_address = limits.connections_per_address;
  options.head_timeout = limits.head_timeout;
  options.body_timeout = limits.body_timeout;
  options.write_timeout = limits.write_timeout;
  options.idle_timeout = limits.idle_timeout;
  options.tunnel_timeout = limits.tunnel_timeout;
  return options;
}

http::Network data_path_options(const config::Network& network) {
  return {.address = network.address, .prefix = network.prefix};
}

}  // namespace lingate
