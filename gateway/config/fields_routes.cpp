// Rows of the field table: upstreams and routes.
#include "gateway/config/fields.h"
#include "gateway/config/units.h"

namespace lingate::config {
namespace {

void add_upstreams(std::vector<Field>& rows) {
  const std::string_view section = "upstreams";
  rows.insert(rows.end(),
              {{.section = section,
                .name = "targets",
                .type = Type::section,
                .shape = Shape::one_or_list,
                .of = "upstreams.targets",
                .example = "[{url: \"http://127.0.0.1:9001\", weight: 3}, \"http://127.0.0.1:9002\"]",
                .doc = "The servers that share the work.",
                .required = true},
               {.section = section,
                .name = "balance",
                .type = Type::choice,
                .words = "round-robin|least-request|hash",
                .fallback = "round-robin",
                .example = "least-request",
                .doc = "How a target is chosen: in turn, the one with the fewest requests, or by `hash_by`."},
               {.section = section,
                .name = "hash_by",
                .type = Type::hash_key,
                .fallback = "client",
                .example = "header.X-Tenant",
                .doc = "What `balance: hash` keeps together: client (address), host, path, header.NAME, cookie.NAME or "
                       "query.NAME."},
               {.section = section,
                .name = "health",
                .type = Type::section,
                .of = "upstreams.health",
                .words = "off",
                .fallback = "off",
                .example = "{path: /healthz, every: 2s}",
                .doc = "Asks every target regularly and uses those that answer 2xx."},
               {.section = section,
                .name = "eject",
                .type = Type::section,
                .of = "upstreams.eject",
                .words = "off",
                .fallback = "{}",
                .example = "{failures: 3, for: 30s}",
                .doc = "Leaves a target alone for a while after failures in a row."},
               {.section = section,
                .name = "timeout",
                .type = Type::section,
                .of = "upstreams.timeout",
                .fallback = "{}",
                .example = "{connect: 300ms, response: 10s}",
                .doc = "How long an upstream may take."},
               {.section = section,
                .name = "retry",
                .type = Type::section,
                .of = "upstreams.retry",
                .fallback = "{}",
                .example = "{attempts: 2, on: [connect-failure, 503]}",
                .doc = "Tries again with another target. A request that may have had an effect (bytes of it were sent "
                       "and its method is not idempotent) is never sent twice."},
               {.section = section,
                .name = "host",
                .type = Type::choice,
                .words = "preserve|target",
                .fallback = "preserve",
                .example = "target",
                .doc = "Which Host the upstream sees: the client's, or the target's name and port."},
               {.section = section,
                .name = "pool",
                .type = Type::section,
                .of = "upstreams.pool",
                .fallback = "{}",
                .example = "{max: 200}",
                .doc = "Connections that are kept open."},
               {.section = section,
                .name = "tls",
                .type = Type::section,
                .of = "upstreams.tls",
                .fallback = "{}",
                .example = "{ca: ca.pem}",
                .doc = "What targets of `https://` have to prove, and what the gateway shows them."},
               {.section = section,
                .name = "resolve",
                .type = Type::duration,
                .fallback = "30s",
                .example = "5s",
                .doc = "How often host names of targets are looked up again.",
                .least = kSecond,
                .most = 24 * kHour}});
}

void add_upstream_parts(std::vector<Field>& rows) {
  const auto duration = [&rows](std::string_view section, std::string_view name, std::string_view fallback,
                                std::string_view doc) {
    rows.push_back({.section = section,
                    .name = name,
                    .type = Type::duration,
                    .fallback = fallback,
                    .example = "5s",
                    .doc = doc,
                    .least = kMillisecond,
                    .most = 24 * kHour});
  };
  const auto count = [&rows](std::string_view section, std::string_view name, std::string_view fallback,
                             std::string_view doc) {
    rows.push_back({.section = section,
                    .name = name,
                    .type = Type::integer,
                    .fallback = fallback,
                    .example = "4",
                    .doc = doc,
                    .least = 1,
                    .most = 1000});
  };
  rows.push_back({.section = "upstreams.targets",
                  .name = "url",
                  .type = Type::target_url,
                  .example = "\"http://127.0.0.1:9001\"",
                  .doc = "http://HOST[:PORT], https://HOST[:PORT] or unix:PATH.",
                  .required = true});
  count("upstreams.targets", "weight", "1", "Its share of the work, beside those of the others.");
  rows.push_back({.section = "upstreams.health",
                  .name = "path",
                  .type = Type::request_path,
                  .example = "/healthz",
                  .doc = "What is asked for, with GET.",
                  .required = true});
  duration("upstreams.health", "every", "5s", "The pause between two questions.");
  duration("upstreams.health", "timeout", "1s", "How long an answer may take.");
  count("upstreams.health", "healthy", "2", "Good answers in a row that take a target back.");
  count("upstreams.health", "unhealthy", "3", "Bad answers in a row that put a target out.");
  count("upstreams.eject", "failures", "5", "Failures in a row that put a target out.");
  duration("upstreams.eject", "for", "10s", "How long it is left alone.");
  duration("upstreams.timeout", "connect", "2s", "For a connection.");
  duration("upstreams.timeout", "response", "30s", "Until the response begins, and between two parts of it.");
  rows.push_back({.section = "upstreams.retry",
                  .name = "attempts",
                  .type = Type::integer,
                  .fallback = "2",
                  .example = "3",
                  .doc = "Attempts in all; 1 never tries again.",
                  .least = 1,
                  .most = 10});
  rows.push_back({.section = "upstreams.retry",
                  .name = "on",
                  .type = Type::choice,
                  .shape = Shape::one_or_list,
                  .words = "connect-failure|reset|502|503|504",
                  .fallback = "[connect-failure, reset]",
                  .example = "[connect-failure, 503]",
                  .doc = "Which failures are worth another attempt."});
  rows.push_back({.section = "upstreams.pool",
                  .name = "max",
                  .type = Type::integer,
                  .fallback = "1024",
                  .example = "200",
                  .doc = "Connections to one target from one worker, busy ones included.",
                  .least = 1,
                  .most = 65'535});
  duration("upstreams.pool", "idle", "60s", "How long an unused connection is kept.");
}

void add_routes(std::vector<Field>& rows) {
  const std::string_view section = "routes";
  rows.insert(rows.end(),
              {{.section = section,
                .name = "name",
                .type = Type::name,
                .says = "made from host and path",
                .example = "users",
                .doc = "What logs and metrics call the route."},
               {.section = section,
                .name = "match",
                .type = Type::section,
                .of = "routes.match",
                .example = "{path: \"/users/{id}\", methods: [GET]}",
                .doc = "Which requests it takes; all that is given must hold.",
                .required = true},
               {.section = section,
                .name = "chain",
                .type = Type::chain,
                .says = "no steps",
                .example = "[use: base, script: {file: scripts/tenant.lua}]",
                .doc = "The steps that a request and its response pass, an onion: the response passes them backwards."},
               {.section = section,
                .name = "upstream",
                .type = Type::section,
                .shape = Shape::one_or_list,
                .of = "routes.upstream",
                .example = "users",
                .doc = "Where requests go: a name, or several with weights. Or give `respond` or `redirect`."},
               {.section = section,
                .name = "respond",
                .type = Type::section,
                .of = "step.respond",
                .example = "{status: 200, json: {ok: true}}",
                .doc = "A fixed answer instead of an upstream."},
               {.section = section,
                .name = "redirect",
                .type = Type::section,
                .of = "routes.redirect",
                .example = "\"https://example.com/users/{id}\"",
                .doc = "A redirect instead of an upstream."},
               {.section = section,
                .name = "strip",
                .type = Type::path_prefix,
                .example = "/api",
                .doc = "A prefix of the path that the upstream does not see."},
               {.section = section,
                .name = "timeout",
                .type = Type::duration,
                .says = "none",
                .example = "15s",
                .doc = "For the whole exchange, from the request's head to the response's last byte.",
                .least = kMillisecond,
                .most = 24 * kHour}});
}

void add_route_parts(std::vector<Field>& rows) {
  rows.insert(
      rows.end(),
      {{.section = "routes.match",
        .name = "host",
        .type = Type::host_pattern,
        .says = "any host",
        .example = "\"*.example.com\"",
        .doc = "A host name without port, or `*.` and a suffix."},
       {.section = "routes.match",
        .name = "path",
        .type = Type::path_pattern,
        .fallback = "/*",
        .example = "\"/users/{id}\"",
        .doc =
            "Literal segments, {param} segments, and at most one `/*` at the end, which takes the path before it and "
            "all below."},
       {.section = "routes.match",
        .name = "methods",
        .type = Type::method,
        .shape = Shape::one_or_list,
        .says = "any method",
        .example = "[GET, POST]",
        .doc = "GET serves HEAD too; with the step `cors`, its preflights as well."},
       {.section = "routes.match",
        .name = "headers",
        .type = Type::header_conditions,
        .example = "{X-Version: \"2\", X-Debug: false}",
        .doc = "Header fields by name: the value of the first line, true for any, false for none."},
       {.section = "routes.match",
        .name = "query",
        .type = Type::query_conditions,
        .example = "{version: \"2\"}",
        .doc = "Query parameters by name: the first value, true for any, false for none."},
       {.section = "routes.upstream",
        .name = "name",
        .type = Type::upstream_name,
        .example = "users",
        .doc = "One of `upstreams`.",
        .required = true},
       {.section = "routes.upstream",
        .name = "weight",
        .type = Type::integer,
        .fallback = "1",
        .example = "9",
        .doc = "Its share of the requests, beside those of the others.",
        .least = 1,
        .most = 1000},
       {.section = "routes.redirect",
        .name = "to",
        .type = Type::location,
        .example = "\"https://example.com/users/{id}\"",
        .doc = "A URL or an absolute path; {name} is a parameter of the path, {*} what its `/*` took. The request's "
               "query is appended unless there is a `?`.",
        .required = true},
       {.section = "routes.redirect",
        .name = "status",
        .type = Type::choice,
        .words = "301|302|303|307|308",
        .fallback = "302",
        .example = "308",
        .doc = "301 and 308 are permanent; 307 and 308 keep the method."}});
}

}  // namespace

std::vector<Field> route_fields() {
  std::vector<Field> rows;
  add_upstreams(rows);
  add_upstream_parts(rows);
  add_routes(rows);
  add_route_parts(rows);
  return rows;
}

}  // namespace lingate::config
