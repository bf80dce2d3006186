#include "base/codes.h"

#include <algorithm>

#include <fmt/format.h>

namespace lingate {
namespace {

constexpr CodeInfo kCodes[] = {
    // ---- LG1xxx: what a client sent ----
    {code::kBadRequest, 400, "bad request",
     "The request line or a header line breaks the syntax of RFC 9112: a byte that may not stand there, a space before "
     "the colon, a folded line, a bare CR or LF.",
     "Send well-formed HTTP/1.1; with `log: {level: debug}` the application log says what was refused."},
    {code::kBadFraming, 400, "bad message framing",
     "Content-Length and Transfer-Encoding contradict each other or themselves, or a chunk is malformed. Two readers "
     "could see two different requests, so the connection is closed.",
     "Send one Content-Length of digits, or `Transfer-Encoding: chunked` alone."},
    {code::kUnknownTransferCoding, 501, "unknown transfer coding",
     "Transfer-Encoding names something else than `chunked`, which is the only transfer coding of this gateway.",
     "Use `chunked`; compress with Content-Encoding instead."},
    {code::kTargetTooLong, 414, "request target too long", "The request target is longer than `limits.target`.",
     "Shorten the URL, move data into the body, or raise `limits.target`."},
    {code::kHeadTooLarge, 431, "request head too large",
     "The head is larger than `limits.head`, a line larger than `limits.field`, or there are more than `limits.fields` "
     "fields.",
     "Send fewer or shorter fields (often cookies), or raise the limit."},
    {code::kVersionNotSupported, 505, "HTTP version not supported",
     "The request line names a major version of HTTP that is not 1.", "Use HTTP/1.1."},
    {code::kBadHost, 400, "bad host",
     "Host is missing, given twice, malformed, or carries user information; HTTP/1.1 demands exactly one.",
     "Send one `Host: name[:port]`."},
    {code::kBadPath, 400, "bad path",
     "The path holds a cut or malformed percent triplet, an encoded NUL, or does not begin with a slash.",
     "Percent-encode the path once, with two hexadecimal digits after each `%`."},
    {code::kRequestTimeout, 408, "request timed out",
     "The request did not arrive whole within `limits.timeout.head` or `limits.timeout.body`.",
     "Send faster, or raise the time-out."},
    {code::kRequestBodyTooLarge, 413, "request body too large",
     "A script step reads the request body and it is larger than that step's `max_body`.",
     "Send less, or raise `max_body` of the script step."},
    {code::kNoRoute, 404, "no route", "No route matches host, path, and conditions of the request.",
     "`lingate route METHOD URL -c FILE` shows the near misses."},
    {code::kMethodNotAllowed, 405, "method not allowed",
     "Routes match host and path, but none of them takes this method. Allow lists those they take.",
     "Use a method that Allow lists, or add it to `match.methods`."},
    {code::kExpectationFailed, 417, "expectation failed", "Expect holds something else than `100-continue`.",
     "Leave Expect out, or send `100-continue`."},
    {code::kMethodNotImplemented, 501, "method not implemented",
     "CONNECT asks for a tunnel to an address of the client's choice; a reverse proxy gives none.",
     "Ask for a path of this gateway."},
    {code::kClientGone, 499, "client closed the request",
     "The client went away before its response was complete. Nobody reads this status but the log and the `log` hooks.",
     "Nothing to do; many of them mean that clients give up sooner than the upstream answers."},
    {code::kBadProxyProtocol, 400, "bad PROXY protocol header",
     "The listener has `proxy_protocol: true` and a trusted peer's connection does not begin with a well-formed PROXY "
     "header, version 1 or 2.",
     "Switch the PROXY protocol on in the load balancer, or off in the listener."},
    {code::kPlainHttp, 400, "plain HTTP on an HTTPS port",
     "The listener has `tls` and the connection begins with a request in plain text.",
     "Ask for `https://`, or ask a listener without `tls`."},
    {code::kTlsHandshake, 0, "TLS handshake failed",
     "A client and this listener found no common version or cipher, the client did not believe the certificate, or its "
     "own was missing or not accepted. Only the log says so, with `log: {level: debug}`.",
     "Follow what the message names: the authorities of the client, its certificate, or `min_version`."},
    {code::kHttp2Closed, 0, "HTTP/2 connection closed for what its client did",
     "A client broke the protocol, or did without end what is cheap to send and dear to serve: streams opened and "
     "reset, pings, settings, empty frames, heads that never end. Its connection was closed with GOAWAY; others are "
     "not concerned. Counted in `lingate_http2_closed_total`.",
     "A client of your own: mend it. One that is not: limit its address (`limits.connections_per_address`), or close "
     "it out before it reaches the gateway."},
    {code::kInternal, 500, "internal error", "The gateway itself is at fault; the log holds the details.",
     "Report it with the log lines of this request id."},
    {code::kUpgradeFailed, 0, "upgrade came to nothing",
     "After SIGUSR2 the process that was to take the gateway's place could not be started, or ended before it served. "
     "The gateway serves on as before, with the program and the configuration that it has.",
     "See to what the log says: `lingate check` tries the configuration with the new program; then send SIGUSR2 "
     "again."},

    // ---- LG2xxx: configuration ----
    {code::kUnknownKey, 0, "unknown key",
     "The key is not one that lingate knows at this place; it is refused because a misspelt setting would silently "
     "keep "
     "its default.",
     "Correct the name; `lingate explain KEY` and `lingate schema --markdown` list all keys. Top-level keys that begin "
     "with `x-` are ignored and may hold anchors."},
    {code::kDuplicateKey, 0, "duplicate key",
     "The same key stands twice in one mapping, which YAML allows once, or one that can be said once stands in two "
     "files of a configuration.",
     "Remove one of the two."},
    {code::kYamlSyntax, 0, "not well-formed YAML",
     "The file is no YAML 1.2 document; nothing after this place was read.",
     "Check indentation, quotes and brackets at and just before the place."},
    {code::kWrongType, 0, "wrong type", "A value of another type stands where the key takes, say, a number or a list.",
     "Give the type that the message names. YAML 1.2: `yes`, `no`, `on` and `off` are texts, only `true` and `false` "
     "are booleans; quote a number that is meant as a text."},
    {code::kMissingKey, 0, "missing key", "A key without a default is missing.", "Add it."},
    {code::kNotAChoice, 0, "not one of the choices", "The key takes one of a few words and this is none of them.",
     "Use one of the words listed."},
    {code::kOutOfRange, 0, "out of range", "The number, duration or size is smaller or larger than the key takes.",
     "Stay within the range that the message names."},
    {code::kBadDuration, 0, "not a duration",
     "A duration is an integer and a unit, without a space: `us`, `ms`, `s`, `m` or `h`. A bare number is refused: it "
     "does not say what it counts.",
     "Write `250ms`, `10s`, `5m`."},
    {code::kBadSize, 0, "not a size",
     "A size is an integer and a unit, without a space: `B`, `KiB`, `MiB` or `GiB`. A bare number is refused: it does "
     "not say what it counts.",
     "Write `512B`, `64KiB`, `10MiB`."},
    {code::kUnknownName, 0, "unknown name", "An upstream or a chain is named that is not defined.",
     "Correct the name or define it."},
    {code::kDuplicateName, 0, "duplicate name", "Two things of a kind have the same name.", "Rename one of them."},
    {code::kCyclicUse, 0, "cyclic use", "A chain contains itself by way of `use`, so it would never end.",
     "Take one `use` out of the circle."},
    {code::kUnreachableRoute, 0, "route can never match",
     "Two routes match the same requests with the same rank: the same host, the same path, as many conditions, and a "
     "method in common. The order of routes does not matter, so nothing says which one is meant.",
     "Tell them apart by host, path, method or one more condition, or remove one."},
    {code::kBadPattern, 0, "bad pattern",
     "A path pattern is literal segments, `{param}` segments and at most one trailing `/*`; a host is a name, or "
     "`*.suffix`.",
     "Follow the form that the message names."},
    {code::kBadHeader, 0, "bad header field",
     "A header name must be a token (letters, digits and !#$%&'*+-.^_`|~) and a value must not hold CR, LF, NUL or "
     "another control byte.",
     "Correct the name or the value."},
    {code::kBadAddress, 0, "bad address",
     "An address is `IP:PORT`, `[IPV6]:PORT`, `localhost:PORT`, `:PORT` for every interface, or `unix:PATH`.",
     "Write it in one of these forms; port 0 asks for a free one."},
    {code::kBadUrl, 0, "bad upstream URL", "An upstream is `http://HOST[:PORT]` or `unix:PATH`, without path or query.",
     "Write it in one of these forms; change paths with `strip` or the step `rewrite`."},
    {code::kBadCidr, 0, "bad network", "A network is an IP address, or an address and a prefix length.",
     "Write `10.0.0.0/8`, `192.168.1.7` or `fd00::/8`."},
    {code::kBadSecret, 0, "secret not available",
     "The environment variable or the file that a secret points to does not exist or cannot be read.",
     "Set the variable or create the file; the path is relative to the configuration file."},
    {code::kFileNotFound, 0, "file not found", "A file that the configuration names does not exist or is no file.",
     "Correct the path; it is relative to the configuration file that names it."},
    {code::kLaterRelease, 0, "not in this release",
     "The key belongs to lingate's configuration, but this release does not have what it configures; it is refused "
     "rather than ignored.",
     "Remove it, or use a release that has it."},
    {code::kConflictingKeys, 0, "keys that exclude each other", "Two keys are given of which only one can count.",
     "Keep one of them."},
    {code::kYamlTooLarge, 0, "too large or too deep",
     "The file is too large, nested too deeply, or its aliases expand to too many values or to themselves.",
     "Split it, or use fewer aliases of aliases."},
    {code::kBadMethod, 0, "bad method", "A method must be a token; methods are case-sensitive and usually upper-case.",
     "Write it as clients send it: `GET`, `POST`."},
    {code::kUnknownRuntime, 0, "unknown script language",
     "A script's runtime comes from its extension: `.lua`, `.py` or `.js`; this file has none of them.",
     "Rename the file or say `runtime: lua`, `python` or `js`."},
    {code::kUnknownPlaceholder, 0, "unknown placeholder",
     "A `{name}` is substituted by the path parameter of that name, and the route's path has no such parameter.",
     "Use a parameter of `match.path`, or `{*}` for what its trailing `/*` matched."},
    {code::kCannotRead, 0, "cannot read the file", "The configuration file cannot be opened or read.",
     "Check the path and its permissions."},
    {code::kCannotListen, 0, "cannot listen", "The address is taken, or this user may not use it.",
     "Stop what holds it, choose another port, or use port 0."},
    {code::kBadValue, 0, "bad value", "The value has the right type but not the form that the key takes.",
     "Follow the form that the message names."},
    {code::kBadAdminToken, 0, "admin token not usable",
     "The file that `admin.token` names can be read by other users, holds no token, or can neither be read nor made.",
     "`chmod 600` it, or remove it: the next start makes a new one, in a folder that it may write to."},
    {code::kBadCertificate, 0, "certificate or key not usable",
     "A file of `tls` cannot be read, holds no certificate or key, is encrypted or broken, or the key belongs to "
     "another "
     "certificate.",
     "Follow what the message names; `openssl x509 -in FILE -noout -text` shows a certificate."},
    {code::kCyclicInclude, 0, "cyclic include",
     "A file of the configuration includes itself, directly or by way of others, so it would never end.",
     "Take one `include` out of the circle. A pattern passes over files that are being read."},
    {code::kUnused, 0, "defined but not used",
     "A warning: a chain or an upstream is defined and nothing refers to it, often because a name is misspelt "
     "elsewhere.",
     "Use it or remove it."},
    {code::kInlinePython, 0, "Python on the I/O thread",
     "A warning: `isolation: inline` runs Python on the thread that serves connections. C code that holds on cannot be "
     "stopped there, and every connection of the worker waits.",
     "Use `isolation: thread` unless the script is trusted and quick."},
    {code::kSuspiciousValue, 0, "probably not what is meant",
     "A warning: the value is valid but does something that is seldom wanted.", "The message says what to look at."},
    {code::kExpiredCertificate, 0, "certificate not valid today",
     "A warning: a certificate of `tls` has expired or is not valid yet; clients will refuse it.",
     "Renew it, or see that the clock is right."},

    // ---- LG3xxx: scripts ----
    {code::kScriptException, 500, "script failed", "The script raised an error that it did not catch.",
     "The log has file, line, message and stack under the request id."},
    {code::kScriptTimeout, 504, "script timed out",
     "The script ran past its `budget`, or the whole call past its `timeout`.",
     "Make it quicker, or raise `budget` or `timeout` of the step."},
    {code::kScriptMemory, 500, "script out of memory", "The script's instance reached its memory limit.",
     "Keep less between calls and in one call, or raise `memory`."},
    {code::kScriptInvalid, 500, "script returned something invalid",
     "The hook returned what is no verdict, or a value that may not go out: a bad status, a header with a line break, "
     "a "
     "body that was not asked for.",
     "The log names the value; return nothing or `lingate.respond(status, body, headers)`."},
    {code::kScriptUnavailable, 503, "script not available",
     "No instance became free within `wait`, or the instance was replaced while the call was in it.",
     "Retry; raise `instances` or `wait`, or make the script quicker."},
    {code::kScriptLoad, 0, "script failed to load",
     "The script does not compile, its top level or its `init` failed, or it exports no hook.",
     "Correct it at the place named; `lingate check FILE` tries it without serving."},

    // ---- LG4xxx: upstreams ----
    {code::kConnectFailed, 502, "upstream refused the connection",
     "No connection to the upstream could be made: it refused, or there is no way to it.",
     "Check that it runs and listens where `targets` says."},
    {code::kResetBeforeResponse, 502, "upstream closed before responding",
     "The upstream closed or reset the connection before its response head was complete.",
     "Look into the upstream's log; it probably crashed or restarted."},
    {code::kBadResponse, 502, "bad upstream response",
     "The upstream's response breaks HTTP/1.1's syntax or framing, or its head is over the limits.",
     "Correct the upstream; the log names what was refused."},
    {code::kConnectTimeout, 504, "upstream connection timed out",
     "The upstream did not accept a connection within `timeout.connect`.",
     "Check the network and the upstream's load, or raise the time-out."},
    {code::kResponseTimeout, 504, "upstream response timed out",
     "The upstream did not begin or go on with its response within `timeout.response`.",
     "Look into the upstream, or raise the time-out."},
    {code::kNoHealthyUpstream, 503, "no healthy upstream",
     "Every target of the upstream fails its health check, is ejected after failures in a row, or is drained.",
     "Restore a target; it is probed and taken back by itself. One that was drained comes back by `resume` of the "
     "admin "
     "API; `GET /upstreams` tells which is which."},
    {code::kPoolExhausted, 503, "upstream connections exhausted", "All connections that `pool.max` allows are in use.",
     "Raise `pool.max`, or add targets."},
    {code::kResponseBodyTooLarge, 502, "upstream response body too large",
     "A script step reads the response body and it is larger than that step's `max_body`.",
     "Raise `max_body`, or use `on_error: continue` to let large bodies pass untouched."},
    {code::kRouteTimeout, 504, "route timed out", "The whole exchange took longer than the route's `timeout`.",
     "Look for the slow part in the access log's step durations, or raise the time-out."},
    {code::kNameNotResolved, 502, "upstream name not resolved", "The upstream's host name has no address at present.",
     "Correct the name or DNS."},
    {code::kResponseCut, 502, "upstream cut its response",
     "The upstream broke off in the middle of a response body. The client's connection is closed so that it sees the "
     "cut; this code is only logged.",
     "Look into the upstream's log."},

    {code::kUpstreamTls, 502, "TLS with the upstream failed",
     "The connection was made and the TLS handshake was not: the upstream's certificate is not believed (its "
     "authority, "
     "its name, its dates), it asks for one of the gateway's, or it speaks another protocol. The log says which.",
     "Set `tls.ca` or `tls.server_name` of the upstream, or mend its certificate."},

    // ---- LG5xxx: policy ----
    {code::kBodyOverLimit, 413, "body over the route's limit",
     "The request body is larger than the step `body-limit` of this route allows.", "Send less, or raise the limit."},
    {code::kOriginNotAllowed, 403, "origin not allowed",
     "The step `cors` of this route does not list the origin that asks.", "Add the origin to `origins` of the step."},
    {code::kCredentialsMissing, 401, "credentials required",
     "The route asks who calls, and the request carries nothing that says so at any of the places that its "
     "authenticating step looks at.",
     "Send a key, a token or a name and password as the step's `from` and kind say."},
    {code::kCredentialsWrong, 401, "credentials not accepted",
     "The key, token or password is unknown, revoked, expired or malformed. Which of them, only the log says.",
     "Ask for new credentials; `lingate keys list` shows the sessions that there are."},
    {code::kAddressNotAllowed, 403, "address not allowed",
     "The step `ip` of this route does not let the client's address pass.",
     "Change `allow` or `deny` of the step; behind a proxy see that it is in `trusted`."},
    {code::kRateLimited, 429, "too many requests",
     "The caller has used up the rate that the step `rate-limit` or its session gives; Retry-After says when to come "
     "again.",
     "Send more slowly, or raise `rate` or `burst`."},
    {code::kQuotaUsedUp, 429, "quota used up",
     "The caller has used up the requests of this period; Retry-After says when the next begins.",
     "Wait for the renewal, or raise the quota."},
    {code::kTooManyAtOnce, 429, "too many requests at once",
     "As many requests of this caller are in flight as the step `concurrency-limit` allows.",
     "Wait for answers before sending more, or raise `max`."},
    {code::kPasswordsBusy, 503, "too many passwords to check",
     "As many passwords as may wait are waiting for their hashes to be computed, which takes long on purpose.",
     "Retry; put `rate-limit` by client.ip before `basic-auth`, or use cheaper hashes."},
    {code::kTokenKeysMissing, 503, "no keys to check tokens with",
     "The keys that `jwks.url` of the step `jwt-auth` names could not be fetched since the start, so no token can be "
     "checked and none is accepted.",
     "The log says why, under this code; see that the URL answers 200 with a JSON Web Key Set. It is tried again by "
     "itself."},
    {code::kStoreUnavailable, 503, "store not available",
     "The store of sessions and keys cannot be read or written; the log has what it said.",
     "See to the disk or the folder of `store.path`: its space, its permissions, and that no other process has it."},
    {code::kAdminTokenWrong, 401, "admin token required",
     "The admin API was asked without `Authorization: Bearer`, or with another token than `admin.token` says.",
     "Send the token; `lingate keys` and `config` find it with `-c FILE` or `--token-file`."},
    {code::kAdminHost, 421, "not a name of the admin API",
     "Host is neither an IP address nor localhost nor one of `admin.hosts`: a page of somebody else may have pointed "
     "its "
     "own name at this address.",
     "Ask by the address, or add the name to `admin.hosts`."},
    {code::kAdminOrigin, 403, "page of another origin",
     "A browser sent the request for a page of another origin; the admin API answers none of them.",
     "Ask from a program, or from a page that the admin address itself serves."},
    {code::kNoSuchOperation, 404, "no such operation", "The admin API has nothing at this path.",
     "`/openapi.json` on the admin address lists what there is."},
    {code::kBadAdminRequest, 400, "malformed request to the admin API",
     "The body is no JSON of the form that the operation takes, or a parameter is unknown or has a wrong form.",
     "Follow `/openapi.json`; `detail` and `field` say what is wrong."},
    {code::kAdminBodyTooLarge, 413, "body too large for the admin API", "The admin API takes bodies of at most 1 MiB.",
     "Send less."},
    {code::kAdminMediaType, 415, "media type not taken by the admin API",
     "The operation takes JSON, or where it says so YAML, and Content-Type names something else.",
     "Send `Content-Type: application/json`."},
    {code::kNoSuchSession, 404, "no such session",
     "The store has no session of this id; it may have been revoked or over.",
     "`lingate keys list` shows those that there are."},
    {code::kSessionTaken, 409, "session or key taken",
     "The id or the key is in use already, or others change the session at the same time.",
     "Choose another one, or change the session that there is."},
    {code::kBadSession, 422, "session with a wrong field",
     "A field of the session is unknown, has a wrong type or a value that cannot be; `field` names it.",
     "Correct the field; `/openapi.json` describes them."},
    {code::kConfigRefused, 422, "configuration not applied",
     "The new configuration has errors, a script of it does not load, or an address of it cannot be had. What ran "
     "before runs on.",
     "Correct what `detail` and `diagnostics` say; `lingate check` says the same of a file."},
    {code::kConfigChanged, 412, "configuration changed meanwhile",
     "`If-Match` names another configuration than the one that runs: somebody has changed it.",
     "Get the configuration again, make the change in that, and send its ETag."},
    {code::kConfigUnmatched, 428, "If-Match required",
     "A configuration can only be replaced by who says which one: two at once must not undo each other's change.",
     "Send the ETag of `GET /config` as `If-Match`, or `If-Match: *`."},
    {code::kConfigFileChanged, 409, "configuration file changed",
     "The file has been edited since it was loaded, and saving the new configuration would undo that.",
     "Reload the file first, or send `?save=false` to leave the file alone."},
    {code::kConfigNotSaved, 409, "configuration file cannot be written",
     "The new configuration could not be saved where the gateway loads it from, so it was not applied.",
     "Let the gateway's user write the file and its folder, or send `?save=false`: then it lasts until the next "
     "reload or start."},
    {code::kNoSuchGeneration, 404, "no such generation",
     "The configuration of that number has been forgotten, or never ran: the last 20 are kept until the gateway ends.",
     "`GET /config/history` lists those that there are."},
    {code::kEnding, 503, "this process takes no changes now",
     "The gateway drains, or another process is taking its place (SIGUSR2), which would know nothing of the change.",
     "Ask again on a new connection when that is over: `GET /readyz` answers 200 then. A gateway that was told to "
     "end has to be started again."},
    {code::kNoSuchTarget, 404, "no such target",
     "The configuration that runs has no upstream of that name, or the upstream no target of that address.",
     "`GET /upstreams` lists them; a `/` in an address of the path is written `%2F`."},
};

constexpr bool ascending() {
  for (std::size_t i = 1; i < std::size(kCodes); ++i)
    if (kCodes[i - 1].code >= kCodes[i].code) return false;
  return true;
}
static_assert(ascending());

}  // namespace

std::span<const CodeInfo> all_codes() noexcept {
  return kCodes;
}

const CodeInfo* find_code(int code) noexcept {
  const auto* found = std::lower_bound(std::begin(kCodes), std::end(kCodes), code,
                                       [](const CodeInfo& info, int wanted) { return info.code < wanted; });
  return found != std::end(kCodes) && found->code == code ? found : nullptr;
}

int status_of(int code) noexcept {
  const CodeInfo* info = find_code(code);
  return info && info->status != 0 ? info->status : 500;
}

std::string code_name(int code) {
  return fmt::format("LG{:04}", code);
}

}  // namespace lingate
