// Rows of the field table: the options of the steps that ask who calls.
#include "gateway/config/fields.h"
#include "gateway/config/units.h"

namespace lingate::config {
namespace {

// Where a credential may stand.
void add_places(std::vector<Field>& rows, std::string_view section) {
  const auto place = [&rows, section](Field row) {
    row.section = section;
    row.says = "not looked at";
    rows.push_back(row);
  };
  place({.name = "header", .type = Type::header_name, .example = "X-Api-Key", .doc = "The value of this field."});
  place({.name = "bearer", .type = Type::flag, .example = "true", .doc = "The token of `Authorization: Bearer`."});
  place({.name = "query", .type = Type::text, .example = "api_key", .doc = "This parameter of the query."});
  place({.name = "cookie", .type = Type::text, .example = "api_key", .doc = "The cookie of this name."});
}

void add_key_auth(std::vector<Field>& rows) {
  rows.insert(rows.end(),
              {{.section = "step.key-auth",
                .name = "from",
                .type = Type::section,
                .shape = Shape::one_or_list,
                .of = "step.key-auth.from",
                .says = "the field X-Api-Key, then a bearer token",
                .example = "[{header: X-Api-Key}, {query: api_key}]",
                .doc = "Where the key may stand; the first place of these that has one counts."},
               {.section = "step.key-auth",
                .name = "required",
                .type = Type::flag,
                .fallback = "true",
                .example = "false",
                .doc = "Whether a request without a key is refused; a wrong key always is."},
               {.section = "step.key-auth",
                .name = "hide",
                .type = Type::flag,
                .fallback = "false",
                .example = "true",
                .doc = "Whether what stands in any place of `from` is taken out of what goes upstream; logs and traces "
                       "show `***` for parameters among them."}});
  add_places(rows, "step.key-auth.from");
}

void add_token_keys(std::vector<Field>& rows) {
  const std::string_view section = "step.jwt-auth";
  rows.insert(
      rows.end(),
      {{.section = section,
        .name = "algorithms",
        .type = Type::choice,
        .shape = Shape::one_or_list,
        .words = "HS256|HS384|HS512|RS256|RS384|RS512|PS256|PS384|PS512|ES256|ES384|ES512|EdDSA",
        .example = "[RS256]",
        .doc = "The algorithms that the issuer signs with; no token gets in with another one.",
        .required = true},
       {.section = section,
        .name = "secret",
        .type = Type::text,
        .says = "none",
        .example = "{file: jwt.secret}",
        .doc = "What the issuer shares, for HS256, HS384, HS512: as many bytes as the hash has, or more. "
               "Exactly one of secret, key and jwks."},
       {.section = section,
        .name = "key",
        .type = Type::text,
        .says = "none",
        .example = "{file: issuer.pem}",
        .doc = "The issuer's public key in PEM."},
       {.section = section,
        .name = "jwks",
        .type = Type::section,
        .of = "step.jwt-auth.jwks",
        .says = "none",
        .example = "{file: keys.json}",
        .doc = "The issuer's key set (RFC 7517)."},
       {.section = "step.jwt-auth.jwks",
        .name = "file",
        .type = Type::existing_path,
        .says = "none",
        .example = "keys.json",
        .doc = "A file, read at load. Exactly one of file and url."},
       {.section = "step.jwt-auth.jwks",
        .name = "url",
        .type = Type::text,
        .says = "none",
        .example = "\"https://login.example.com/jwks.json\"",
        .doc = "Fetched in the background, by http:// over a network that is trusted; a start and a reload wait up to "
               "five seconds for the first fetch. Until keys have come, tokens are answered with 503."},
       {.section = "step.jwt-auth.jwks",
        .name = "ca",
        .type = Type::existing_path,
        .words = "system",
        .fallback = "system",
        .example = "ca.pem",
        .doc = "The authorities that the certificate of an https:// `url` must come from, PEM; read with each "
               "fetch."},
       {.section = "step.jwt-auth.jwks",
        .name = "refresh",
        .type = Type::duration,
        .fallback = "5m",
        .example = "1m",
        .doc = "How often `url` is fetched again; a token with an unknown key id has it fetched early, at most "
               "every ten seconds.",
        .least = kSecond,
        .most = 24 * kHour}});
}

void add_token_claims(std::vector<Field>& rows) {
  const std::string_view section = "step.jwt-auth";
  rows.insert(rows.end(), {{.section = section,
                            .name = "issuer",
                            .type = Type::text,
                            .says = "any",
                            .example = "\"https://login.example.com\"",
                            .doc = "What `iss` must be."},
                           {.section = section,
                            .name = "audience",
                            .type = Type::text,
                            .shape = Shape::one_or_list,
                            .says = "any",
                            .example = "[api]",
                            .doc = "One of these must be `aud`, or in it. Without it tokens for others get in too."},
                           {.section = section,
                            .name = "skew",
                            .type = Type::duration,
                            .fallback = "60s",
                            .example = "10s",
                            .doc = "How much the issuer's clock may differ, for `exp`, `nbf` and `iat`.",
                            .most = 10 * kMinute},
                           {.section = section,
                            .name = "claims",
                            .type = Type::section,
                            .of = "step.jwt-auth.claims",
                            .says = "id: sub",
                            .example = "{id: sub, org: tenant, tags: /realm_access/roles}",
                            .doc = "Which claims become which fields of the session."}});
  const auto claim = [&rows](Field row) {
    row.section = "step.jwt-auth.claims";
    row.type = Type::text;
    rows.push_back(row);
  };
  claim({.name = "id", .fallback = "sub", .example = "client_id", .doc = "The session's id; a token must have it."});
  claim({.name = "alias", .says = "none", .example = "email", .doc = "The session's alias."});
  claim({.name = "org", .says = "none", .example = "tenant", .doc = "The session's org."});
  claim({.name = "tags",
         .says = "none",
         .example = "scope",
         .doc = "The session's tags: a list of texts, or one text with spaces between."});
}

void add_jwt_auth(std::vector<Field>& rows) {
  const std::string_view section = "step.jwt-auth";
  add_token_keys(rows);
  add_token_claims(rows);
  rows.insert(rows.end(),
              {{.section = section,
                .name = "from",
                .type = Type::section,
                .shape = Shape::one_or_list,
                .of = "step.jwt-auth.from",
                .says = "a bearer token",
                .example = "[{bearer: true}, {cookie: token}]",
                .doc = "Where the token may stand; the first place of these that has one counts."},
               {.section = section,
                .name = "required",
                .type = Type::flag,
                .fallback = "true",
                .example = "false",
                .doc = "Whether a request without a token is refused; a wrong token always is."},
               {.section = section,
                .name = "hide",
                .type = Type::flag,
                .fallback = "false",
                .example = "true",
                .doc = "Whether what stands in any place of `from` is taken out of what goes upstream; logs and traces "
                       "show `***` for parameters among them."}});
  add_places(rows, "step.jwt-auth.from");
}

void add_basic_auth(std::vector<Field>& rows) {
  const std::string_view section = "step.basic-auth";
  rows.insert(rows.end(),
              {{.section = section,
                .name = "users",
                .type = Type::users,
                .example = "{file: users.htpasswd}",
                .doc = "Names and password hashes of crypt(3) (bcrypt, yescrypt, scrypt, SHA-2), as `htpasswd -B` and "
                       "`mkpasswd` make them: a mapping, a list of NAME:HASH, or a file in htpasswd's format.",
                .required = true},
               {.section = section,
                .name = "realm",
                .type = Type::text,
                .fallback = "lingate",
                .example = "\"the archive\"",
                .doc = "What the password is for; browsers show it."},
               {.section = section,
                .name = "required",
                .type = Type::flag,
                .fallback = "true",
                .example = "false",
                .doc = "Whether a request without a password is refused; a wrong one always is."},
               {.section = section,
                .name = "hide",
                .type = Type::flag,
                .fallback = "false",
                .example = "true",
                .doc = "Whether Authorization is taken out of what goes upstream."}});
}

}  // namespace

std::vector<Field> auth_fields() {
  std::vector<Field> rows;
  add_key_auth(rows);
  add_jwt_auth(rows);
  add_basic_auth(rows);
  return rows;
}

}  // namespace lingate::config
