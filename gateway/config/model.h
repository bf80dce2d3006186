// Model: one loaded configuration as plain data: names resolved, units converted, defaults filled in, `use` expanded,
// paths made absolute. Nothing of YAML is left but the place that each thing was written at. The composition root turns
// it into listeners, pools, chains and a router.
//
// Plain values that own their memory; immutable after load, any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/settings.h"
#include "gateway/routing/match.h"
#include "gateway/tls/client.h"
#include "gateway/tls/server.h"
#include "middleware/tracing/otlp_options.h"
#include "store/redis/options.h"

namespace lingate::config {

using Duration = Settings::Duration;

// "gw.yaml:41:7"; lines and columns count from 1.
struct Place {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

struct Address {
  enum class Kind { tcp, unix_socket };

  Kind kind = Kind::tcp;
  std::string host;        // tcp: IP address without brackets, or (upstream targets only) a name to resolve
  std::uint16_t port = 0;  // tcp
  std::string path;        // unix_socket: absolute

  bool operator==(const Address&) const = default;
};

struct Network {
  std::array<std::uint8_t, 16> address{};  // IPv4 as ::ffff:a.b.c.d
  std::uint8_t prefix = 128;               // of the 128 bits
};

struct Listener {
  Address address;
  std::string name;  // the address, and a number where it stands more than once (port 0)
  bool proxy_protocol = false;
  bool http2 = false;  // in clear; with TLS its options say so
  std::optional<tls::ServerOptions> tls;
  Place place;
};

// What the admin API asks for: a text, or a file that holds it and is made on the first start.
struct AdminToken {
  std::string file;  // absolute; empty: `text` is the token
  Secret text;
};

struct Admin {
  Address address;
  AdminToken token;
  std::vector<std::string> hosts;  // lower-case names or "*.suffix" that Host may have, besides IP addresses
};

struct Limits {
  std::uint64_t head = 0;
  std::uint64_t target = 0;
  std::uint64_t field = 0;
  std::uint32_t fields = 0;
  std::uint32_t connections_per_address = 0;  // 0: any number
  std::uint32_t streams = 0;                  // of one HTTP/2 connection at once
  Duration head_timeout{};                    // the whole request head
  Duration body_timeout{};                    // between two parts of a request body
  Duration write_timeout{};                   // the client takes nothing of a response
  Duration idle_timeout{};                    // keep-alive
  Duration tunnel_timeout{};                  // nothing passes either way through a tunnel
  Duration drain{};                           // after SIGTERM
};

struct Log {
  enum class Level { debug, info, warn, error };

  Level level = Level::info;
  std::string file;  // absolute; empty: standard error
};

struct Store {
  enum class Kind { embedded, memory, redis };

  Kind kind = Kind::embedded;
  std::string path;           // embedded: absolute
  store::RedisOptions redis;  // redis
  Duration stale{};           // redis: how long a known session is accepted while it is away

  bool operator==(const Store&) const = default;
};

struct Tracing {
  middleware::tracing::OtlpOptions otlp;
  std::uint32_t sample = 0;  // of a million requests
};

enum class Balance { round_robin, least_request, hash };

// What `hash` balances by.
struct HashBy {
  enum class Source { client, host, path, header, cookie, query };

  Source source = Source::client;
  std::string name;  // header, cookie, query
};

struct Target {
  Address address;
  std::string authority;  // the Host field with `host: target`
  std::uint32_t weight = 1;
  bool secure = false;  // https
  bool http2 = false;   // h2c
  Place place;
};

struct Health {
  std::string path;
  Duration every{};
  Duration timeout{};
  std::uint32_t healthy = 0;    // good answers in a row that take a target back
  std::uint32_t unhealthy = 0;  // bad answers in a row that put it out
};

struct Eject {
  std::uint32_t failures = 0;  // in a row
  Duration duration{};
};

struct Retry {
  std::uint32_t attempts = 1;  // in all: 1 never retries
  bool on_connect_failure = false;
  bool on_reset = false;
  std::vector<std::uint16_t> on_status;
};

// What `https` targets have to prove, and as what.
struct UpstreamTls {
  tls::ClientOptions options;
  std::string server_name;  // empty: each target's host
};

struct Upstream {
  enum class Host { preserve, target };

  std::string name;
  std::vector<Target> targets;
  Balance balance = Balance::round_robin;
  HashBy hash_by;
  std::optional<Health> health;
  std::optional<Eject> eject;
  Duration connect_timeout{};
  Duration response_timeout{};
  Duration resolve_every{};  // how often names are looked up again
  Retry retry;
  Host host = Host::preserve;
  std::optional<UpstreamTls> tls;  // absent: no target is `https`
  std::uint32_t pool_max = 0;      // connections per target and worker
  Duration pool_idle{};
  Place place;
};

// One element of a chain. `kind` is the name of a built-in step or "script"; never "use". Settings hold every option of
// the step's rows in the field table, defaults filled in; for scripts also what the section `runtimes` says, with
// `file` absolute, `runtime` always set, and `instances` 0 where it is "auto": as many as workers.
struct Step {
  std::string kind;
  Settings settings;
  Place place;
  std::vector<std::string> via;  // names of the chains that it came through, outermost first
};

struct Split {
  std::size_t upstream = 0;  // index into Model::upstreams
  std::uint32_t weight = 1;
};

struct Redirect {
  std::uint16_t status = 0;
  std::string to;  // may hold "{param}" and "{*}"
};

struct Route {
  std::string name;  // given, or derived from host and path; unique
  routing::Match match;
  std::vector<Step> chain;
  // Where a request goes that passed the chain: upstreams by weight, a fixed response (a step `respond`), a redirect.
  std::variant<std::vector<Split>, Step, Redirect> destination;
  std::string strip;                // "/prefix" taken off the path for the upstream; empty: nothing
  std::optional<Duration> timeout;  // for the whole exchange
  Place place;
};

// A file that a configuration includes.
struct WrittenFile {
  std::string name;  // as messages call it
  std::string path;  // absolute
  std::string text;

  bool operator==(const WrittenFile&) const = default;
};

// What the model was made from.
struct Written {
  std::string file;    // as the user gave it
  std::string folder;  // absolute: what paths are relative to
  std::string text;
  std::vector<WrittenFile> included{};  // in the order in which they were read
  std::vector<std::string> patterns{};  // where included files were looked for: absolute, with wildcards

  bool operator==(const Written&) const = default;
};

struct Model {
  Written written;
  std::vector<Listener> listen;
  std::optional<Admin> admin;
  std::uint32_t workers = 0;  // 0: one a core
  std::vector<Network> trusted;
  bool via = true;  // adds Via, both ways
  Limits limits;
  Log log;
  Store store;
  std::optional<Tracing> tracing;
  std::vector<Upstream> upstreams;
  std::vector<Route> routes;  // in the order written: index = routing::Found::route
};

}  // namespace lingate::config
