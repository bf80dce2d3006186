// Head scan: reads a request head or a response head in place, strictly, before anything acts on it. What two readers
// could understand differently is refused: bare CR or LF, folded lines, space before the colon, control bytes, repeated
// or contradicting framing (RFC 9112 sections 2.2, 3, 5, 6; RFC 9110 sections 5, 7.2). The result is a set of views
// into the buffer; nothing is copied.
//
// Pure functions on the caller's buffer; any thread. Lifetime: views live as long as the buffer's bytes stay in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/http/options.h"
#include "middleware/headers.h"

namespace lingate::http {

// How the end of a message's content is found (RFC 9112 section 6.3).
struct Framing {
  enum class Kind : std::uint8_t { none, length, chunked, until_close };

  Kind kind = Kind::none;
  std::uint64_t length = 0;  // kind length
};

// Members of all Connection lines of a head, empty ones included; a head with more is refused. Every field is looked up
// among them, so a long list beside many fields would be seconds of work.
inline constexpr std::size_t kMostConnectionOptions = 64;

// What the Connection field says about this connection, and whether it names other fields.
struct ConnectionTokens {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  bool names = false;
};

struct RequestHead {
  std::string_view method;
  std::string_view target;  // as received
  std::string_view path;    // of the target; "*" in asterisk form
  std::string_view query;   // without '?'
  bool has_query = false;
  bool absolute_form = false;
  std::string_view authority;  // of the absolute form, else the value of Host
  std::uint8_t minor_version = 1;
  Framing framing;
  bool length_given = false;  // Content-Length was there, if only "0"
  ConnectionTokens connection;
  bool upgrade_websocket = false;  // one Upgrade field that says exactly `websocket`
  bool expects_continue = false;   // Expect: 100-continue
  bool expects_unknown = false;    // any other expectation
  std::size_t size = 0;            // bytes of the head, skipped empty lines included
};

struct ResponseHead {
  std::uint16_t status = 0;
  std::string_view reason;
  std::uint8_t minor_version = 1;
  Framing framing;            // for a response to the method that scan_response was told
  bool length_given = false;  // Content-Length was there (also where there is no content: HEAD, 304)
  ConnectionTokens connection;
  bool upgrade_websocket = false;
  std::size_t size = 0;
};

enum class Scan : std::uint8_t { done, more, refused };

// Why a head was refused: an LG code and where to look.
struct Refusal {
  int code = 0;
  std::string_view detail;
};

// Scans the head at the beginning of `data`. Fields go to `headers` (cleared first), but for those whose name holds an
// underscore. `more`: the head is not complete; call again with more data.
Scan scan_request(std::string_view data, const Limits& limits, RequestHead& head, middleware::Headers& headers,
                  Refusal& refusal);

enum class ForMethod : std::uint8_t { head, other };

Scan scan_response(std::string_view data, const Limits& limits, ForMethod method, ResponseHead& head,
                   middleware::Headers& headers, Refusal& refusal);

// Where a head that was not complete may be complete now: skips the search through what was searched before.
// `searched` is the state of one head, 0 at its beginning.
bool may_be_complete(std::string_view data, std::size_t& searched) noexcept;

}  // namespace lingate::http
