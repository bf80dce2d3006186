// A configuration that uses a good part of what there is, as a user would write it.
#pragma once

#include <string>

namespace lingate::config {

inline const std::string kContractExample = R"(version: 1
listen:
  - address: 0.0.0.0:8080
  - {address: "[::1]:8081", proxy_protocol: true}
admin: {address: 127.0.0.1:9901, token: {file: data/admin.token}}
workers: auto                              # I/O threads
trusted: [10.0.0.0/8, "fd00::/8"]
runtimes:
  lua:    {budget: 10ms,  memory: 64MiB}
  python: {budget: 100ms, memory: 256MiB, isolation: thread, instances: 1}
  js:     {budget: 20ms,  memory: 64MiB}
upstreams:
  users:
    targets: [{url: "http://127.0.0.1:9001", weight: 3}, {url: "http://127.0.0.1:9002"}]
    balance: least-request                 # round-robin | least-request | hash
    health:  {path: /healthz, every: 2s}
    timeout: {connect: 300ms, response: 10s}
    retry:   {attempts: 2, on: [connect-failure, 503]}
  orders:
    targets: unix:run/orders.sock
    balance: hash
    hash_by: header.X-Tenant
    eject: off
    host: target
x-tenant: &tenant
  script: {file: scripts/tenant.lua, config: {header: X-Tenant, key: {env: TENANT_KEY}}}
chains:
  base: [request-id, access-log]
  secure: [use: base, *tenant]
routes:
  - name: users
    match: {host: API.example.com, path: "/users/{id}", methods: [GET, PATCH]}
    chain:
      - use: secure
      - headers: {request: {set: {X-A: [a, b], X-Key: {file: key.txt}}, remove: Cookie}}
      - cors: {origins: ["https://app.example.com"], max_age: 10m}
    upstream: users
    timeout: 15s
  - name: orders
    match: {path: "/orders/*", methods: [POST], headers: {X-Version: "2", X-Debug: false}, query: {dry: true}}
    chain:
      - script: {file: scripts/sign.py, body: request, max_body: 64KiB, on_error: deny}
      - script: {file: scripts/mask.js, body: response, on_error: continue, budget: 5ms}
    upstream: [{name: users, weight: 9}, orders]
    strip: /orders
  - {name: hello, match: {path: /hello}, respond: {status: 200, json: {ok: true, n: [1, 2.5, null]}}}
  - match: {path: "/old/{id}"}
    redirect: {to: "/users/{id}", status: 308}
)";

}  // namespace lingate::config
