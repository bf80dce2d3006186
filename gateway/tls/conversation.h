// Conversation: TLS over one socket, from the first byte of the handshake to close_notify. It never waits: each call
// does what the socket allows now and says what it would have to wait for. It owns no socket and knows no loop
// (gateway/http/tls_channel.h maps it to readiness).
//
// Thread: one at a time. Lifetime: the socket and the Ticket outlive it; the context need not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/tls/context.h"
#include "gateway/tls/socket_bio.h"

struct ssl_st;
struct ssl_session_st;

namespace lingate::tls {

// What a client remembers of a server, so that the next handshake with it is short.
class Ticket {
 public:
  Ticket() = default;
  explicit Ticket(ssl_session_st* taken) noexcept : session_(taken) {}
  Ticket(Ticket&& other) noexcept : session_(std::exchange(other.session_, nullptr)) {}
  Ticket& operator=(Ticket&& other) noexcept {
    std::swap(session_, other.session_);
    return *this;
  }
  ~Ticket();

  ssl_session_st* get() const noexcept { return session_; }

 private:
  ssl_session_st* session_ = nullptr;
};

// A certificate that the other side has shown, and that was accepted.
struct PeerCertificate {
  std::string subject;  // "CN=ada,O=Example", RFC 2253
  std::string issuer;
  std::string serial;              // hexadecimal
  std::string fingerprint;         // SHA-256 of the whole, hexadecimal
  std::vector<std::string> names;  // "DNS:ada.test", "email:…", "URI:…", "IP Address:…"
  std::int64_t not_after = 0;      // Unix seconds
};

// What was agreed upon.
struct Facts {
  std::string version;  // "TLSv1.3"
  std::string cipher;   // "TLS_AES_128_GCM_SHA256"
  std::string name;     // that the client asked for; empty: none
  std::optional<PeerCertificate> certificate;
};

enum class Step : std::uint8_t {
  done,
  wants_read,   // nothing more until the socket is readable
  wants_write,  // the same, writable
  again,        // the allowance is spent: more may be there
  closed,       // the other side has said that no more comes
  failed        // the conversation is broken
};

class Conversation {
 public:
  // As the server; as the client of a server that has to prove that it is `name`, a host name or an IP address.
  static Conversation accept(const Context& context, int fd);
  static Conversation connect(const Context& context, int fd, const std::string& name, Ticket& ticket);

  Conversation(Conversation&& other) noexcept = default;
  Conversation& operator=(Conversation&&) = delete;

  // How many bytes of the socket the calls that follow may read, until this is said anew.
  void allow(std::size_t bytes) noexcept { socket_->allowance = bytes; }

  Step handshake() noexcept;
  // One record at most; `done` is followed by another call until it is not: no edge tells of what is held in here.
  Step read(char* space, std::size_t room, std::size_t& got) noexcept;
  // After wants_write the next call must offer the same bytes again, more of them if you like.
  Step write(const char* bytes, std::size_t size, std::size_t& taken) noexcept;
  // Whether there is something to read; wants_read: nothing.
  Step peek() noexcept;
  // Says that no more will be sent, as far as the socket takes it now.
  void say_end() noexcept;

  bool resumed() const noexcept;
  std::string_view protocol() const noexcept;  // agreed upon by ALPN; empty: none
  Facts facts() const;
  // Why it failed, in words; after a call that did.
  std::string reason() const;

 private:
  struct Free {
    void operator()(ssl_st* each) const noexcept;
  };

  Conversation(const Context& context, int fd);
  Step outcome(int result) noexcept;

  std::unique_ptr<Socket> socket_;
  std::unique_ptr<ssl_st, Free> ssl_;
  bool broken_ = false;
};

}  // namespace lingate::tls
