// Rows of the field table: TLS, of listeners and to upstreams.
#include "gateway/config/fields.h"

namespace lingate::config {
namespace {

void add_listener_tls(std::vector<Field>& rows) {
  rows.insert(
      rows.end(),
      {{.section = "listen",
        .name = "tls",
        .type = Type::section,
        .of = "listen.tls",
        .says = "plain HTTP",
        .example = "{cert: site.pem, key: site.key}",
        .doc = "Serves HTTPS, and nothing else, on this address."},
       {.section = "listen.tls",
        .name = "cert",
        .type = Type::existing_path,
        .says = "in `certificates`",
        .example = "site.pem",
        .doc = "The certificate, PEM; those of its intermediate authorities stand behind it."},
       {.section = "listen.tls",
        .name = "key",
        .type = Type::existing_path,
        .says = "in `certificates`",
        .example = "site.key",
        .doc = "The certificate's private key, PEM, not encrypted."},
       {.section = "listen.tls",
        .name = "certificates",
        .type = Type::section,
        .shape = Shape::list,
        .of = "listen.tls.certificates",
        .says = "the one of `cert` and `key`",
        .example = "[{cert: a.pem, key: a.key}, {cert: b.pem, key: b.key}]",
        .doc = "Several of them, in place of `cert` and `key`. The name that a client asks for chooses: one that "
               "a certificate holds, then a `*.suffix`, then the first of the list."},
       {.section = "listen.tls",
        .name = "min_version",
        .type = Type::choice,
        .words = "1.2|1.3",
        .fallback = "1.2",
        .example = "1.3",
        .doc = "The oldest version of TLS that clients may speak."},
       {.section = "listen.tls",
        .name = "client_auth",
        .type = Type::section,
        .of = "listen.tls.client_auth",
        .says = "clients show no certificate",
        .example = "{ca: clients.pem, mode: require}",
        .doc = "Mutual TLS: asks clients for a certificate."},
       {.section = "listen.tls.certificates",
        .name = "cert",
        .type = Type::existing_path,
        .example = "site.pem",
        .doc = "The certificate, PEM; those of its intermediate authorities stand behind it.",
        .required = true},
       {.section = "listen.tls.certificates",
        .name = "key",
        .type = Type::existing_path,
        .example = "site.key",
        .doc = "The certificate's private key, PEM, not encrypted.",
        .required = true},
       {.section = "listen.tls.client_auth",
        .name = "ca",
        .type = Type::existing_path,
        .example = "clients.pem",
        .doc = "The authorities that clients' certificates must come from, PEM.",
        .required = true},
       {.section = "listen.tls.client_auth",
        .name = "mode",
        .type = Type::choice,
        .words = "require|request",
        .fallback = "require",
        .example = "request",
        .doc = "`require`: none is served without one. `request`: a client may have none; one that is not from "
               "`ca` is refused all the same."}});
}

void add_upstream_tls(std::vector<Field>& rows) {
  rows.push_back({.section = "upstreams",
                  .name = "http2",
                  .type = Type::flag,
                  .fallback = "false",
                  .example = "true",
                  .doc = "Offers HTTP/2 to targets of `https://` (ALPN); those that do not speak it are asked in "
                         "HTTP/1.1. In clear, the URL says it: `h2c://HOST:PORT`. gRPC needs it."});
  rows.insert(rows.end(),
              {{.section = "upstreams.tls",
                .name = "ca",
                .type = Type::existing_path,
                .words = "system",
                .fallback = "system",
                .example = "ca.pem",
                .doc = "The authorities that the certificates of targets must come from, PEM; `system`: those that the "
                       "operating system believes."},
               {.section = "upstreams.tls",
                .name = "verify",
                .type = Type::flag,
                .fallback = "true",
                .example = "false",
                .doc = "Whether a target must prove who it is. With false anybody on the way can be the target."},
               {.section = "upstreams.tls",
                .name = "server_name",
                .type = Type::name,
                .says = "the host of the target's URL",
                .example = "users.internal",
                .doc = "The name that targets are asked for (SNI) and that their certificates must hold."},
               {.section = "upstreams.tls",
                .name = "cert",
                .type = Type::existing_path,
                .says = "none",
                .example = "gateway.pem",
                .doc = "The gateway's own certificate, for targets that ask for one, PEM."},
               {.section = "upstreams.tls",
                .name = "key",
                .type = Type::existing_path,
                .says = "none",
                .example = "gateway.key",
                .doc = "Its private key, PEM, not encrypted."}});
}

}  // namespace

std::vector<Field> tls_fields() {
  std::vector<Field> rows;
  add_listener_tls(rows);
  add_upstream_tls(rows);
  return rows;
}

}  // namespace lingate::config
