// Session: the authenticated caller's record (never a connection), kept as the bytes that cross to scripts, so handing
// it over is a copy. A script sets one with `req.session = …`; a key store will fill the same type.
//
// Immutable: an edit makes a new one. Thread: any. Lifetime: an exchange keeps its session until its log side is over.
#pragma once

#include <string>
#include <string_view>

namespace lingate::middleware {

class Session {
 public:
  // `wire` is an encoded plugin.Session that has been checked: a non-empty id, known fields, valid values.
  explicit Session(std::string wire);

  std::string_view wire() const noexcept { return wire_; }
  std::string_view id() const noexcept { return id_; }

 private:
  std::string wire_;
  std::string_view id_;
};

}  // namespace lingate::middleware
