// Rows of the field table: the gateway itself, and the limits of scripts by language.
#include "gateway/config/fields.h"
#include "gateway/config/units.h"

namespace lingate::config {
namespace {

struct RuntimeDefaults {
  std::string_view section, budget, memory, isolation, instances;
};

void add_runtime(std::vector<Field>& rows, const RuntimeDefaults& is) {
  const std::string_view section = is.section;
  rows.insert(
      rows.end(),
      {{.section = section,
        .name = "budget",
        .type = Type::duration,
        .fallback = is.budget,
        .example = "25ms",
        .doc = "How long one call may run; time in which it waits for I/O does not count.",
        .least = kMillisecond / 10,
        .most = 60 * kSecond},
       {.section = section,
        .name = "memory",
        .type = Type::size,
        .fallback = is.memory,
        .example = "128MiB",
        .doc = "How much one instance may hold.",
        .least = kMiB,
        .most = 64 * kGiB},
       {.section = section,
        .name = "isolation",
        .type = Type::choice,
        .words = "inline|thread|process",
        .fallback = is.isolation,
        .example = "thread",
        .doc =
            "Where calls run: on the I/O thread, at no hand-over cost; on threads of their own; in processes of their "
            "own, which can be killed."},
       {.section = section,
        .name = "instances",
        .type = Type::integer,
        .words = "auto",
        .fallback = "auto",
        .says = is.instances,
        .example = "4",
        .doc =
            "How many instances with `isolation: thread` or `process`; `inline` has one in each worker, `process` at "
            "least one.",
        .least = 1,
        .most = 256},
       {.section = section,
        .name = "wait",
        .type = Type::duration,
        .fallback = "1s",
        .example = "200ms",
        .doc = "How long a call may wait for a free instance before it fails as `unavailable`.",
        .least = kMillisecond,
        .most = 60 * kSecond},
       {.section = section,
        .name = "timeout",
        .type = Type::duration,
        .fallback = "30s",
        .example = "5s",
        .doc = "How long the whole call may take, waiting included.",
        .least = kMillisecond,
        .most = kHour}});
}

void add_top(std::vector<Field>& rows) {
  rows.insert(rows.end(),
              {{.section = "",
                .name = "version",
                .type = Type::integer,
                .example = "1",
                .doc = "The version of this configuration format.",
                .least = 1,
                .most = 1,
                .required = true},
               {.section = "",
                .name = "include",
                .type = Type::file_pattern,
                .shape = Shape::one_or_list,
                .says = "none",
                .example = "[upstreams.yaml, routes/*.yaml]",
                .doc = "Files that hold more of this configuration: lists are added to, names joined, what can be said "
                       "once stands in one file. Anchors and relative paths belong to the file that they stand in. A "
                       "pattern may match nothing, and takes files in the order of their names."},
               {.section = "",
                .name = "listen",
                .type = Type::section,
                .shape = Shape::one_or_list,
                .of = "listen",
                .example = "0.0.0.0:8080",
                .doc = "Where clients connect.",
                .required = true},
               {.section = "",
                .name = "admin",
                .type = Type::section,
                .of = "admin",
                .says = "none",
                .example = "{address: 127.0.0.1:9901}",
                .doc = "A listener for operators: the admin API, /metrics and /healthz."},
               {.section = "",
                .name = "store",
                .type = Type::section,
                .of = "store",
                .fallback = "{}",
                .example = "{kind: embedded, path: data}",
                .doc = "Where sessions, keys and quotas are kept. Opened only where a step or the admin API uses it."},
               {.section = "",
                .name = "workers",
                .type = Type::integer,
                .words = "auto",
                .fallback = "auto",
                .says = "one a core",
                .example = "4",
                .doc = "I/O threads. Each has its own listeners, upstream connections and inline script instances.",
                .least = 1,
                .most = 1024},
               {.section = "",
                .name = "trusted",
                .type = Type::network,
                .shape = Shape::one_or_list,
                .says = "nobody",
                .example = "[10.0.0.0/8]",
                .doc = "Proxies in front of this one: they may set X-Forwarded-* and X-Request-Id and speak the PROXY "
                       "protocol. From anyone else these fields are replaced."},
               {.section = "",
                .name = "via",
                .type = Type::flag,
                .fallback = "true",
                .example = "false",
                .doc = "Names this gateway in the field Via of what it forwards, both ways (RFC 9110, 7.6.3)."},
               {.section = "",
                .name = "limits",
                .type = Type::section,
                .of = "limits",
                .fallback = "{}",
                .example = "{head: 64KiB}",
                .doc = "What a client may send, and how long it may take."},
               {.section = "",
                .name = "log",
                .type = Type::section,
                .of = "log",
                .fallback = "{}",
                .example = "{level: debug}",
                .doc = "The gateway's own log. Requests are logged by the step `access-log`."},
               {.section = "",
                .name = "runtimes",
                .type = Type::section,
                .of = "runtimes",
                .fallback = "{}",
                .example = "{lua: {budget: 25ms}}",
                .doc = "Limits of scripts by language; a script step may have its own."},
               {.section = "",
                .name = "upstreams",
                .type = Type::section,
                .shape = Shape::map,
                .of = "upstreams",
                .example = "{users: {targets: [\"http://127.0.0.1:9001\"]}}",
                .doc = "Services that requests are forwarded to, by name."},
               {.section = "",
                .name = "chains",
                .type = Type::chain,
                .shape = Shape::map,
                .example = "{base: [request-id, access-log]}",
                .doc = "Lists of steps by name, for the step `use`."},
               {.section = "",
                .name = "routes",
                .type = Type::section,
                .shape = Shape::list,
                .of = "routes",
                .example = "[{match: {path: /*}, upstream: users}]",
                .doc = "Which request goes where. The most specific match wins, whatever the order.",
                .required = true}});
}

void add_listeners(std::vector<Field>& rows) {
  rows.insert(rows.end(),
              {{.section = "listen",
                .name = "address",
                .type = Type::listen_address,
                .example = "0.0.0.0:8080",
                .doc = "IP:PORT, [IPV6]:PORT, localhost:PORT, :PORT for every interface, or unix:PATH. "
                       "Port 0 takes a free one.",
                .required = true},
               {.section = "listen",
                .name = "proxy_protocol",
                .type = Type::flag,
                .fallback = "false",
                .example = "true",
                .doc = "Connections from `trusted` proxies begin with a PROXY protocol header (1 or 2)."},
               {.section = "listen",
                .name = "http2",
                .type = Type::flag,
                .says = "true with `tls`, false without",
                .example = "true",
                .doc = "Speaks HTTP/2 beside HTTP/1.1: with `tls` to clients that ask for it (ALPN), without "
                       "to those that begin with it (h2c, prior knowledge)."},
               {.section = "admin",
                .name = "address",
                .type = Type::listen_address,
                .example = "127.0.0.1:9901",
                .doc = "Where the operators' listener is. Keep it off public interfaces.",
                .required = true},
               {.section = "admin",
                .name = "token",
                .type = Type::token,
                .says = "{file: data/admin.token}",
                .example = "{file: data/admin.token}",
                .doc = "What who uses the admin API must send as `Authorization: Bearer`. `run` makes a "
                       "file that is missing, with a random token that only its own user can read."},
               {.section = "admin",
                .name = "hosts",
                .type = Type::host_pattern,
                .shape = Shape::one_or_list,
                .says = "IP addresses and localhost only",
                .example = "[gateway.internal]",
                .doc = "Names that the admin API may be asked by; a request whose Host is neither one of "
                       "them nor an IP address nor localhost is refused, so that no page can reach it by a "
                       "name of its own."}});
}

void add_limits(std::vector<Field>& rows) {
  const auto size = [&rows](std::string_view name, std::string_view fallback, std::string_view doc) {
    rows.push_back({.section = "limits",
                    .name = name,
                    .type = Type::size,
                    .fallback = fallback,
                    .example = "64KiB",
                    .doc = doc,
                    .least = 256,
                    .most = kMiB});
  };
  const auto timeout = [&rows](std::string_view name, std::string_view fallback, std::string_view doc) {
    rows.push_back({.section = "limits.timeout",
                    .name = name,
                    .type = Type::duration,
                    .fallback = fallback,
                    .example = "20s",
                    .doc = doc,
                    .least = 10 * kMillisecond,
                    .most = 24 * kHour});
  };
  size("head", "32KiB", "A request head: request line and header fields together.");
  size("target", "8KiB", "The request target: path and query.");
  size("field", "16KiB", "One header field line.");
  rows.push_back({.section = "limits",
                  .name = "fields",
                  .type = Type::integer,
                  .fallback = "100",
                  .example = "200",
                  .doc = "Header fields in one head.",
                  .least = 1,
                  .most = 10'000});
  rows.push_back({.section = "limits",
                  .name = "connections_per_address",
                  .type = Type::integer,
                  .words = "off",
                  .fallback = "off",
                  .example = "200",
                  .doc =
                      "Connections that one client address (of IPv6, one /64) may hold; those beyond it are closed. "
                      "`trusted` proxies may hold any number. Each may carry `streams` requests of HTTP/2 at once: the "
                      "step `concurrency-limit` bounds requests.",
                  .least = 1,
                  .most = 1'000'000});
  rows.push_back({.section = "limits",
                  .name = "streams",
                  .type = Type::integer,
                  .fallback = "128",
                  .example = "64",
                  .doc = "Requests that one HTTP/2 connection may have in flight at once.",
                  .least = 1,
                  .most = 10'000});
  rows.push_back({.section = "limits",
                  .name = "timeout",
                  .type = Type::section,
                  .of = "limits.timeout",
                  .fallback = "{}",
                  .example = "{head: 5s}",
                  .doc = "How long a client may take."});
  timeout("head", "10s", "For the whole request head.");
  timeout("body", "30s", "Between two parts of a request body, while nothing of an answer goes out.");
  timeout("write", "30s", "Without taking anything of a response.");
  timeout("idle", "60s", "Between two requests of a keep-alive connection.");
  timeout("tunnel", "1h", "Without a byte in either direction of a tunnel (WebSocket).");
  timeout("drain", "30s", "For requests in flight after SIGTERM, until the gateway ends.");
}

void add_log(std::vector<Field>& rows) {
  rows.insert(rows.end(), {{.section = "log",
                            .name = "level",
                            .type = Type::choice,
                            .words = "debug|info|warn|error",
                            .fallback = "info",
                            .example = "debug",
                            .doc = "The least severe messages that are written."},
                           {.section = "log",
                            .name = "file",
                            .type = Type::output,
                            .words = "stdout|stderr",
                            .fallback = "stderr",
                            .example = "logs/gateway.log",
                            .doc = "Where the log goes."}});
}

void add_runtimes(std::vector<Field>& rows) {
  const auto language = [&rows](std::string_view name, std::string_view of, std::string_view doc) {
    rows.push_back({.section = "runtimes",
                    .name = name,
                    .type = Type::section,
                    .of = of,
                    .fallback = "{}",
                    .example = "{budget: 25ms}",
                    .doc = doc});
  };
  language("lua", "runtimes.lua", "Lua scripts (LuaJIT).");
  language("python", "runtimes.python", "Python scripts (CPython).");
  language("js", "runtimes.js", "JavaScript scripts (Duktape).");
  add_runtime(rows,
              {"runtimes.lua", "10ms", "64MiB", "inline", "as many threads as workers, as many processes as cores"});
  add_runtime(rows, {"runtimes.python", "100ms", "256MiB", "thread", "one thread, as many processes as cores"});
  add_runtime(rows,
              {"runtimes.js", "20ms", "64MiB", "inline", "as many threads as workers, as many processes as cores"});
}

}  // namespace

std::vector<Field> gateway_fields() {
  std::vector<Field> rows;
  add_top(rows);
  add_listeners(rows);
  add_limits(rows);
  add_log(rows);
  add_runtimes(rows);
  return rows;
}

}  // namespace lingate::config
