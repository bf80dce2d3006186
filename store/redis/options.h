// RedisOptions: where a Redis is, as whom to speak to it, and how long an answer may take.
//
// Plain values. Thread: any.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace lingate::store {

struct RedisServer {
  std::string host;  // a name, an IP address without brackets, or the absolute path of a Unix socket
  std::uint16_t port = 6379;
  bool tls = false;

  bool operator==(const RedisServer&) const = default;
  bool is_path() const noexcept { return host.starts_with('/'); }
};

struct RedisTls {
  std::string ca;           // a file of authorities; empty: the system's
  std::string cert;         // what the gateway shows of itself; empty: nothing
  std::string key;          // of `cert`
  std::string server_name;  // what the certificate must name; empty: the server's host

  bool operator==(const RedisTls&) const = default;
};

struct RedisOptions {
  std::vector<RedisServer> servers;  // asked in turn for the one that is a master
  std::string username;              // empty: Redis' own "default"
  std::string password;              // empty: none
  std::uint32_t db = 0;
  RedisTls tls;
  std::string prefix = "lingate";              // of all keys
  std::chrono::milliseconds budget{50};        // of one answer
  std::chrono::milliseconds again_every{250};  // how often it is tried while it is away

  bool operator==(const RedisOptions&) const = default;
};

}  // namespace lingate::store
