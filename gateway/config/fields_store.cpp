// Rows of the field table: the store of sessions, keys and quotas.
#include "gateway/config/fields.h"

namespace lingate::config {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMillisecond;

void add_kinds(std::vector<Field>& rows) {
  rows.insert(
      rows.end(),
      {{.section = "store",
        .name = "kind",
        .type = Type::choice,
        .words = "embedded|memory|redis",
        .fallback = "embedded",
        .example = "memory",
        .doc = "`embedded`: a folder of this machine, crash-safe. `memory`: gone when the gateway ends. `redis`: a "
               "Redis 7 that several gateways share; limits are counted by all of them together."},
       {.section = "store",
        .name = "path",
        .type = Type::folder,
        .fallback = "data",
        .example = "/var/lib/lingate",
        .doc = "The folder of the embedded store; it is made where it is missing. One gateway has it "
               "at a time."}});
}

void add_redis(std::vector<Field>& rows) {
  rows.insert(
      rows.end(),
      {{.section = "store",
        .name = "url",
        .type = Type::text,
        .shape = Shape::one_or_list,
        .says = "needed for `redis`",
        .example = "\"redis://10.0.0.5:6379\"",
        .doc =
            "Where Redis is: `redis://HOST:PORT`, `rediss://HOST:PORT` for TLS, or `unix:PATH`. Of several the first "
            "is taken that answers and is a master."},
       {.section = "store",
        .name = "username",
        .type = Type::text,
        .says = "Redis' user `default`",
        .example = "lingate",
        .doc = "As whom to speak to Redis."},
       {.section = "store",
        .name = "password",
        .type = Type::text,
        .says = "none",
        .example = "{file: redis.password}",
        .doc = "The user's password; best a secret: `{env: NAME}` or `{file: PATH}`."},
       {.section = "store",
        .name = "db",
        .type = Type::integer,
        .fallback = "0",
        .example = "3",
        .doc = "The number of Redis' database.",
        .most = 1'000'000},
       {.section = "store",
        .name = "prefix",
        .type = Type::name,
        .fallback = "lingate",
        .example = "staging",
        .doc = "What all keys in Redis begin with. Gateways with the same prefix share what they keep."},
       {.section = "store",
        .name = "budget",
        .type = Type::duration,
        .fallback = "50ms",
        .example = "20ms",
        .doc =
            "The most that a request waits for one answer of Redis. When answers are late or errors for a third of a "
            "second, nobody waits any more until it is well.",
        .least = kMillisecond,
        .most = 10 * kSecond},
       {.section = "store",
        .name = "stale",
        .type = Type::duration,
        .fallback = "30s",
        .example = "5m",
        .doc =
            "How long a session that this gateway knows is still accepted while Redis is away; others are refused with "
            "503. `0s`: none is.",
        .most = 24 * 3600 * kSecond},
       {.section = "store",
        .name = "tls",
        .type = Type::section,
        .of = "store.tls",
        .says = "the system's authorities",
        .example = "{ca: ca.pem}",
        .doc = "TLS with a `rediss://` server, whose certificate is always verified."}});
}

void add_tls(std::vector<Field>& rows) {
  rows.insert(rows.end(),
              {{.section = "store.tls",
                .name = "ca",
                .type = Type::existing_path,
                .words = "system",
                .fallback = "system",
                .example = "ca.pem",
                .doc = "The authorities that Redis' certificate must come from, PEM; `system`: those that the "
                       "operating system believes."},
               {.section = "store.tls",
                .name = "server_name",
                .type = Type::name,
                .says = "the host of the URL",
                .example = "redis.internal",
                .doc = "The name that Redis is asked for (SNI) and that its certificate must hold."},
               {.section = "store.tls",
                .name = "cert",
                .type = Type::existing_path,
                .says = "none",
                .example = "gateway.pem",
                .doc = "The gateway's own certificate, for a Redis that asks for one, PEM."},
               {.section = "store.tls",
                .name = "key",
                .type = Type::existing_path,
                .says = "none",
                .example = "gateway.key",
                .doc = "Its private key, PEM, not encrypted."}});
}

}  // namespace

std::vector<Field> store_fields() {
  std::vector<Field> rows;
  add_kinds(rows);
  add_redis(rows);
  add_tls(rows);
  return rows;
}

}  // namespace lingate::config
