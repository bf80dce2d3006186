// Session: the authenticated caller's record (never a connection), kept as the bytes that cross to scripts
// (plugin.Session), so handing it over is a copy. A script sets one with `req.session = …`; a key store will fill the
// same type.
//
// Immutable: an edit makes a new one. Thread: any. Lifetime: an exchange keeps its session until its log side is over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace lingate::runtimes {
struct SessionEdits;
}

namespace lingate::middleware {

// Why a session cannot be; for the log.
struct SessionFault {
  std::string message;
};

class Session {
 public:
  static constexpr std::size_t kMaxBytes = 128 * 1024;

  // From an encoded plugin.Session whose fields are known to be valid (read_verdict() checks them, a store writes them
  // itself). A fault where it has no id, is too large or is no message at all.
  static Result<Session, SessionFault> from_wire(std::string wire);

  std::string_view wire() const noexcept { return wire_; }
  std::string_view id() const noexcept { return id_.of(wire_); }
  std::string_view alias() const noexcept { return alias_.of(wire_); }

 private:
  // Views into wire_ would not survive a move of a short string.
  struct Span {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    std::string_view of(std::string_view text) const noexcept { return text.substr(offset, size); }
  };

  explicit Session(std::string wire) : wire_(std::move(wire)) {}
  Span span_of(std::string_view part) const noexcept;

  std::string wire_;
  Span id_;
  Span alias_;
};

// What a verdict does to the session of an exchange.
struct SessionChange {
  bool changed = false;
  std::optional<Session> session{};  // after the change; nothing: anonymous
};

// `assigned` or `cleared` first, then all tags, then metadata by key. Edits of tags or metadata without a session to
// edit are a fault.
Result<SessionChange, SessionFault> apply_session_edits(const Session* session, const runtimes::SessionEdits& edits);

}  // namespace lingate::middleware
