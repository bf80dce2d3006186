// TlsChannel: stands between a Watch and its owner and speaks TLS: it makes the handshake by itself, and from then on
// tells the owner of edges as the Watch would, whatever TLS has to read in order to write, or the other way round.
//
// A listener may have the PROXY protocol in front of TLS: until begin() is called the bytes are the client's own, and
// read() looks at them without taking them away.
//
// Thread: the worker's. Lifetime: its Stream's. The owner may end it from within any call that it gets.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gateway/http/blocks.h"
#include "gateway/http/readiness.h"
#include "gateway/http/stream.h"
#include "gateway/tls/conversation.h"

namespace lingate::http {

// Who has a TlsChannel.
class TlsOwner : public Watcher {
 public:
  enum class Obstacle : std::uint8_t { plain_http, failed };

  virtual void secured() noexcept = 0;  // the handshake is over; there may be something to read
  // The handshake came to nothing. `why` is valid until the channel ends.
  virtual void not_secured(Obstacle obstacle, std::string_view why) noexcept = 0;

 protected:
  ~TlsOwner() = default;
};

class TlsChannel final : public Channel, public Watcher {
 public:
  enum class Role : std::uint8_t { server, client };

  TlsChannel(Role role, tls::Conversation conversation, Watch& watch, TlsOwner& owner, BlockPool& blocks)
      : conversation_(std::move(conversation)), watch_(watch), owner_(&owner), blocks_(blocks), role_(role) {}

  // Takes over: drops `skip` bytes that were looked at, and hears of edges from now on.
  void begin(std::size_t skip) noexcept;
  // The handshake as far as it goes now; the owner is told.
  void shake() noexcept;
  // The client has begun a handshake that is not over.
  bool under_way() const noexcept;
  // Who is told of edges from now on.
  void serve(TlsOwner& owner) noexcept { owner_ = &owner; }
  // The protocol agreed upon (ALPN); empty: none.
  std::string_view protocol() const noexcept { return conversation_.protocol(); }
  // What scripts see of the conversation (tls_facts.h); made when it is first asked for.
  std::string_view facts();

  // As Stream's.
  Received read(char* space, std::size_t room) noexcept override;
  std::ptrdiff_t write(std::span<const iovec> pieces) noexcept override;
  bool has_input() noexcept override;
  void say_end() noexcept override;
  TlsChannel* tls() noexcept override { return this; }

  Ahead read_ahead() noexcept override;
  void readable() noexcept override;
  void writable() noexcept override;

 private:
  enum class Stage : std::uint8_t { waiting, greeting, shaking, open };

  Received look(char* space, std::size_t room) noexcept;
  bool greets() noexcept;
  std::ptrdiff_t write_record(const char* bytes, std::size_t size) noexcept;

  tls::Conversation conversation_;
  Watch& watch_;
  TlsOwner* owner_;
  BlockPool& blocks_;
  std::string why_;
  std::string facts_;
  Role role_;
  Stage stage_ = Stage::waiting;
  bool read_wants_write_ = false;
  bool write_wants_read_ = false;
};

}  // namespace lingate::http
