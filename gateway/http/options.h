// Options: what the data path needs to know of a configuration, as plain values. The composition root fills them in
// from the loaded configuration; nothing here depends on how that is written.
//
// Plain data that owns its memory; immutable once a Snapshot or a Worker has it.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/tls/context.h"

namespace lingate::http {

using Duration = std::chrono::nanoseconds;

struct Address {
  enum class Kind : std::uint8_t { tcp, unix_socket };

  Kind kind = Kind::tcp;
  std::string host;        // tcp: an IP address without brackets, or (targets only) a name to resolve
  std::uint16_t port = 0;  // tcp; 0 in a listener: the kernel picks one
  std::string path;        // unix_socket

  bool operator==(const Address&) const = default;
};

// Where workers listen together: the first binds, and refuses an address that somebody else has; the others join it.
struct ListenerOptions {
  std::uint32_t id = 0;  // by which a worker is told to change or remove it
  Address address;
  bool join = false;
  int joined_path = -1;         // joining a `unix:` address: the first one's socket, of which there can be only one
  bool proxy_protocol = false;  // trusted peers begin with a PROXY header (proxy_protocol.h)
  bool http2 = false;           // plain: clients may begin with HTTP/2's preface
  std::string tls;              // the name of its context in the snapshot (Snapshot::find_tls); empty: plain
  int backlog = 4096;
};

// An IP network; IPv4 as ::ffff:a.b.c.d.
struct Network {
  std::array<std::uint8_t, 16> address{};
  std::uint8_t prefix = 128;  // of the 128 bits
};

// What a client may send and how long it may take. The defaults are those of the configuration reference.
struct Limits {
  std::size_t head = 32 * 1024;
  std::size_t target = 8 * 1024;
  std::size_t field_line = 16 * 1024;
  std::size_t fields = 100;
  std::uint32_t connections_per_address = 0;          // 0: any number
  std::uint32_t streams = 128;                        // of one HTTP/2 connection at once
  Duration head_timeout = std::chrono::seconds(10);   // the whole request head
  Duration body_timeout = std::chrono::seconds(30);   // between two parts of a request body
  Duration write_timeout = std::chrono::seconds(30);  // the client takes nothing of a response
  Duration idle_timeout = std::chrono::seconds(60);   // keep-alive
  Duration tunnel_timeout = std::chrono::hours(1);    // nothing passes either way through a tunnel
};

enum class Balance : std::uint8_t { round_robin, least_request, hash };

// What Balance::hash balances by.
struct HashKey {
  enum class Source : std::uint8_t { client, host, path, header, cookie, query };

  Source source = Source::client;
  std::string name;  // header, cookie, query

  bool operator==(const HashKey&) const = default;
};

struct TargetOptions {
  Address address;
  std::string authority;  // the Host field where the upstream says `host: target`, and in health checks
  std::uint32_t weight = 1;
  bool secure = false;  // through TLS (UpstreamTls)
  bool http2 = false;   // in clear; through TLS both sides agree upon it

  bool operator==(const TargetOptions&) const = default;
};

struct HealthOptions {
  std::string path;
  Duration every = std::chrono::seconds(5);
  Duration timeout = std::chrono::seconds(1);
  std::uint32_t healthy = 2;    // good answers in a row that take a target back
  std::uint32_t unhealthy = 3;  // bad answers in a row that put it out

  bool operator==(const HealthOptions&) const = default;
};

struct EjectOptions {
  std::uint32_t failures = 5;  // in a row
  Duration duration = std::chrono::seconds(10);

  bool operator==(const EjectOptions&) const = default;
};

struct RetryOptions {
  std::uint32_t attempts = 1;  // in all: 1 never retries
  bool on_connect_failure = false;
  bool on_reset = false;
  std::vector<std::uint16_t> on_status;

  bool operator==(const RetryOptions&) const = default;
};

// What targets have to prove. Two are the same if the files were, too: then a reload keeps the connections.
struct UpstreamTls {
  tls::Context context;
  std::string fingerprint;
  std::string server_name;  // empty: each target's host

  bool operator==(const UpstreamTls& other) const {
    return fingerprint == other.fingerprint && server_name == other.server_name;
  }
};

struct UpstreamOptions {
  enum class Host : std::uint8_t { preserve, target };

  std::string name;
  std::vector<TargetOptions> targets;
  Balance balance = Balance::round_robin;
  HashKey hash_key;
  std::optional<HealthOptions> health;
  std::optional<EjectOptions> eject;
  Duration connect_timeout = std::chrono::seconds(2);
  Duration response_timeout = std::chrono::seconds(30);
  Duration resolve_every = std::chrono::seconds(30);  // how often names are looked up again
  RetryOptions retry;
  Host host = Host::preserve;
  UpstreamTls tls;
  std::uint32_t pool_max = 1024;  // connections per target and worker
  Duration pool_idle = std::chrono::seconds(60);

  bool operator==(const UpstreamOptions&) const = default;
};

}  // namespace lingate::http
