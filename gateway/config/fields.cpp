#include "gateway/config/fields.h"

#include <algorithm>
#include <array>
#include <map>

namespace lingate::config {
namespace {

constexpr Section kSections[] = {
    {"", "the configuration", "",
     "The top of the file. Keys that begin with `x-` are ignored; anchors may live there."},
    {"listen", "listener", "address", "One listener; a bare address will do."},
    {"listen.tls", "", "", "TLS on a listener."},
    {"listen.tls.certificates", "certificate", "", "A certificate and its key."},
    {"listen.tls.client_auth", "", "ca", "Certificates of clients; a bare file of authorities will do."},
    {"admin", "", "", "The operators' listener."},
    {"store", "", "kind", "Where sessions, keys and quotas are kept."},
    {"store.tls", "", "", "TLS with Redis."},
    {"limits", "", "", "Limits on clients."},
    {"limits.timeout", "", "", "Time-outs on clients."},
    {"log", "", "", "The gateway's own log."},
    {"tracing", "", "", "Which requests are traced, and where their spans go."},
    {"tracing.otlp", "", "url", "A collector of OpenTelemetry; a bare URL will do."},
    {"runtimes", "", "", "Limits of scripts by language."},
    {"runtimes.lua", "", "", "Lua."},
    {"runtimes.python", "", "", "Python."},
    {"runtimes.js", "", "", "JavaScript."},
    {"upstreams", "upstream", "", "One upstream."},
    {"upstreams.targets", "target", "url", "One server; a bare URL will do."},
    {"upstreams.health", "", "path", "Health checks; a bare path will do."},
    {"upstreams.eject", "", "", "Ejection after failures."},
    {"upstreams.timeout", "", "", "Time-outs on upstreams."},
    {"upstreams.retry", "", "", "Retries."},
    {"upstreams.pool", "", "", "Kept connections, in each worker."},
    {"upstreams.tls", "", "", "TLS with targets of `https://`."},
    {"routes", "route", "", "One route: a match, a chain, and one of upstream, respond and redirect."},
    {"routes.match", "", "", "What a route asks of a request."},
    {"routes.upstream", "upstream", "name", "One upstream of a split; a bare name will do."},
    {"routes.redirect", "", "to", "A redirect; a bare location will do."},
    {"step.request-id", "step 'request-id'", "header",
     "Gives every request an id (UUIDv7), upstream, back to the client and in logs; keeps what a trusted proxy sent."},
    {"step.access-log", "step 'access-log'", "file", "Writes one JSON line for every request."},
    {"step.headers", "step 'headers'", "", "Sets, adds and removes header fields."},
    {"step.headers.edits", "", "", "Edits of one side."},
    {"step.rewrite", "step 'rewrite'", "", "Changes what the upstream sees; it does not route again."},
    {"step.respond", "step 'respond'", "", "Answers by itself; nothing goes upstream."},
    {"step.cors", "step 'cors'", "", "Lets pages of other origins read responses, and answers their preflights."},
    {"step.compress", "step 'compress'", "",
     "Codes responses for clients that accept it (zstd, br, gzip), while they stream. What is coded already, partial "
     "or "
     "marked no-transform passes as it is."},
    {"step.body-limit", "step 'body-limit'", "size", "Refuses request bodies over a size; a bare size will do."},
    {"step.key-auth", "step 'key-auth'", "", "Asks for a key, and finds the session that it names in the store."},
    {"step.key-auth.from", "", "", "One place to look for the key."},
    {"step.basic-auth", "step 'basic-auth'", "",
     "Asks for a name and a password (RFC 7617). The user becomes the session: its id and alias are the name."},
    {"step.jwt-auth", "step 'jwt-auth'", "",
     "Asks for a signed token (JWT, RFC 7519) of an issuer whose keys it has. The token's claims make the session; all "
     "of them are its metadata."},
    {"step.jwt-auth.from", "", "", "One place to look for the token."},
    {"step.jwt-auth.jwks", "", "", "A JSON Web Key Set: where it is."},
    {"step.jwt-auth.claims", "", "",
     "Which claims become fields of the session: a claim's name, or a JSON pointer that begins with '/'."},
    {"step.ip", "step 'ip'", "", "Lets requests pass, or refuses them with 403, by the client's address."},
    {"step.rate-limit", "step 'rate-limit'", "rate",
     "Refuses what a caller sends too quickly, with 429; a bare rate will do. By session.id a session's own rate comes "
     "first."},
    {"step.concurrency-limit", "step 'concurrency-limit'", "max",
     "Refuses with 429 what a caller sends while as many requests are in flight; a bare number will do."},
    {"step.quota", "step 'quota'", "", "Refuses with 429 what a caller sends beyond the requests of a period."},
    {"step.server-timing", "step 'server-timing'", "",
     "Adds Server-Timing to responses: what the steps after it, the upstream and the whole took, for a browser's "
     "tools."},
    {"step.use", "step 'use'", "name", "Puts the steps of a named chain here; a bare name will do."},
    {"step.script", "step 'script'", "file", "Runs a script; a bare file will do."},
    {"step.script.cache", "", "", "Which answers of a script are kept, and for how long."},
    {"step.script.grant", "", "", "What a worker process may have beyond its folder and the system's libraries."},
};

constexpr std::string_view kSteps[] = {"request-id", "access-log", "headers",      "rewrite",           "respond",
                                       "cors",       "compress",   "body-limit",   "key-auth",          "jwt-auth",
                                       "basic-auth", "ip",         "rate-limit",   "concurrency-limit", "quota",
                                       "use",        "script",     "server-timing"};

// Keys and words that this release knows of and does not have.
constexpr std::array<Later, 0> kLater{};

struct Table {
  std::vector<Field> rows;
  std::map<std::string_view, std::vector<Field>> by_section;

  Table() {
    for (auto* part : {gateway_fields, store_fields, tracing_fields, tls_fields, route_fields, step_fields, auth_fields,
                       policy_fields}) {
      const std::vector<Field> more = part();
      rows.insert(rows.end(), more.begin(), more.end());
    }
    for (const Field& row : rows)
      by_section[row.section].push_back(row);
  }
};

const Table& table() {
  static const Table all;
  return all;
}

void locate(std::string_view section, const std::string& prefix, std::vector<Located>& all) {
  for (const Field& field : fields_of(section)) {
    const std::string path = prefix.empty() ? std::string(field.name) : prefix + "." + std::string(field.name);
    all.push_back({path, &field});
    const bool elsewhere = field.type != Type::section || field.of.starts_with("step.respond");
    if (elsewhere) continue;
    const std::string_view more = field.shape == Shape::map ? ".NAME" : field.shape == Shape::one ? "" : "[]";
    locate(field.of, path + std::string(more), all);
  }
}

}  // namespace

std::span<const Field> all_fields() {
  return table().rows;
}

std::span<const Section> all_sections() {
  return kSections;
}

std::span<const Field> fields_of(std::string_view section) {
  const auto found = table().by_section.find(section);
  return found == table().by_section.end() ? std::span<const Field>() : std::span<const Field>(found->second);
}

const Section& section(std::string_view name) {
  const auto* found = std::find_if(std::begin(kSections), std::end(kSections),
                                   [name](const Section& each) { return each.name == name; });
  return found == std::end(kSections) ? kSections[0] : *found;
}

const Field* find_field(std::string_view section, std::string_view name) {
  for (const Field& field : fields_of(section))
    if (field.name == name) return &field;
  return nullptr;
}

bool is_later(std::string_view section, std::string_view name, std::string_view word) {
  return std::any_of(std::begin(kLater), std::end(kLater), [&](const Later& later) {
    return later.section == section && later.name == name && later.word == word;
  });
}

std::span<const std::string_view> step_names() {
  return kSteps;
}

std::vector<std::string_view> split_words(std::string_view words) {
  std::vector<std::string_view> all;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find('|'), words.size());
    all.push_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return all;
}

std::vector<Located> locate_all() {
  std::vector<Located> all;
  locate("", "", all);
  for (const std::string_view step : kSteps)
    locate("step." + std::string(step), std::string(step), all);
  return all;
}

}  // namespace lingate::config
