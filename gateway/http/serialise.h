// Serialise: writes the heads that go out, in one walk over the edited array of fields. Lines that nobody touched are
// copied as they came; hop-by-hop fields and what the peer's Connection named stay behind; framing is the gateway's
// own. Nothing can put a CR, LF, NUL or other control byte into a head here: edited names and values are checked again
// on their way out, and a field that fails is dropped.
//
// Thread: the worker's. Lifetime: the text lies in the scratch that was given, until it is used again.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "gateway/http/head_scan.h"
#include "middleware/exchange.h"

namespace lingate::http {

// How the content of an outgoing message is framed.
struct OutFraming {
  enum class Kind : std::uint8_t {
    none,         // no content and nothing to say about it
    length,       // Content-Length
    chunked,      // Transfer-Encoding: chunked
    until_close,  // ends with the connection; the head says nothing
    as_received   // no content follows; the peer's Content-Length describes what would have been (HEAD, 304)
  };

  Kind kind = Kind::none;
  std::uint64_t length = 0;
};

struct RequestOut {
  std::string_view strip;       // prefix taken off the path
  std::string_view host;        // replaces Host; empty: as it is
  std::string_view spare_host;  // where the request has no Host (HTTP/1.0)
  OutFraming framing;
  bool websocket = false;
  bool identity = false;  // ask for an uncoded body
};

// Empty: it does not fit.
std::string_view write_request(const middleware::Request& request, const ConnectionTokens& tokens,
                               const RequestOut& out, std::span<char> scratch) noexcept;

enum class Persist : std::uint8_t {
  implied,     // HTTP/1.1 keep-alive: nothing to say
  keep_alive,  // HTTP/1.0 that asked for it
  close,
  websocket  // 101
};

inline constexpr std::string_view kVia = "1.1 lingate";
inline constexpr std::string_view kViaLine = "Via: 1.1 lingate\r\n";

struct ResponseOut {
  OutFraming framing;
  Persist persist = Persist::implied;
  std::string_view reason;  // of the upstream; empty: the usual phrase
  std::string_view date;    // a whole line, for a head without one
  std::string_view via;     // a whole line, for what an upstream sent; empty: none
};

std::string_view write_response(const middleware::Response& response, const ConnectionTokens& tokens,
                                const ResponseOut& out, std::span<char> scratch) noexcept;

std::string_view reason_of(std::uint16_t status) noexcept;

}  // namespace lingate::http
