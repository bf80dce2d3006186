// ClientConversation: the client's side of HTTP/2 on one connection to an upstream, one request after the other: frames
// in, frames out, over nghttp2. What an upstream may send is checked as strictly as what a client may.
//
// Thread: one at a time. Lifetime: its user's. From within a call to the user it may not be fed or emptied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/http2/response_fields.h"

struct nghttp2_session;

namespace lingate::http2 {

class ClientUser {
 public:
  struct Portion {
    std::size_t size = 0;  // 0 and no end: nothing for now, see ClientConversation::resume()
    bool end = false;
  };
  enum class Content : std::uint8_t { none, length, unknown };

  enum class Fault : std::uint8_t { reset, malformed };

  // A head in HTTP/1.1's text, without its last, empty line; interim ones as well, with Content::none. False: there is
  // no room for it, the response is given up.
  virtual bool head(std::string text, std::uint16_t status, Content content) noexcept = 0;
  virtual void content(std::string_view bytes) noexcept = 0;
  virtual void trailers(std::string fields) noexcept = 0;                    // lines, and the empty one
  virtual void over() noexcept = 0;                                          // the response is whole
  virtual void failed(Fault fault) noexcept = 0;                             // it will never be
  virtual Portion take_content(char* space, std::size_t room) noexcept = 0;  // of the request

 protected:
  ~ClientUser() = default;
};

class ClientConversation {
 public:
  // `head`: the most that a response's head may hold.
  ClientConversation(ClientUser& user, std::size_t head);
  ~ClientConversation();
  ClientConversation(const ClientConversation&) = delete;
  ClientConversation& operator=(const ClientConversation&) = delete;

  bool feed(std::string_view bytes) noexcept;  // false: the conversation is broken
  std::string_view output() noexcept;          // the next bytes to send; empty: nothing for now
  // Another request may be sent: the upstream has not said that it goes.
  bool usable() const noexcept;

  // Nothing comes or goes any more.
  bool over() const noexcept;

  struct Request {
    std::string_view method;
    std::string_view scheme;
    std::string_view authority;
    std::string_view path;
    const ResponseFields& fields;
    bool content = false;  // follows by ClientUser::take_content()
  };
  // What is left of the one before is reset.
  bool request(const Request& request) noexcept;
  void resume() noexcept;
  void consume(std::size_t size) noexcept;

 private:
  struct Callbacks;
  friend struct Callbacks;
  struct Free {
    void operator()(nghttp2_session* session) const noexcept;
  };

  bool take_head(bool ends) noexcept;
  void give_up(ClientUser::Fault fault) noexcept;
  void reset_stream(std::uint32_t code) noexcept;

  ClientUser& user_;
  const std::size_t limit_;
  std::int32_t stream_ = 0;  // of the request that is under way; 0: none is
  std::string fields_;       // of the head that comes in
  std::uint16_t status_ = 0;
  bool bad_ = false;
  bool has_length_ = false;
  bool final_ = false;  // the response's head has come
  bool head_only_ = false;
  bool broken_ = false;
  std::unique_ptr<nghttp2_session, Free> session_;
};

}  // namespace lingate::http2
