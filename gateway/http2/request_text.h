// RequestText: one request's fields as HTTP/2 has them, on their way to the text of an HTTP/1.1 head. Whatever could
// mean something else there is refused: bytes that end a line or a word, pseudo-fields twice or behind others, fields
// of a connection (RFC 9113 sections 8.2 and 8.3). The head says nothing about the content's framing but a
// Content-Length that the client gave.
//
// Thread: one at a time. Lifetime: its conversation's; one request after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lingate::http2 {

class RequestText {
 public:
  void begin(std::size_t limit);

  // False: malformed. What is beyond the limit is counted and not kept.
  bool add(std::string_view name, std::string_view value);
  // Whether the fields are larger than the limit, each counted with 32 bytes more (RFC 9113 section 6.5.2).
  bool too_large() const noexcept { return size_ > limit_; }
  std::size_t size() const noexcept { return size_; }
  // The whole head; the request line and Host only, if it is too large. Empty: malformed.
  std::string take();

  bool is_head() const noexcept { return method_ == "HEAD"; }
  bool has_length() const noexcept { return has_length_; }
  bool takes_trailers() const noexcept { return trailers_; }  // TE: trailers

 private:
  bool add_pseudo(std::string_view name, std::string_view value);
  std::string compose();

  std::string method_, scheme_, authority_, path_, fields_, cookie_;
  std::size_t limit_ = 0;
  std::size_t size_ = 0;
  std::uint32_t seen_ = 0;  // pseudo-fields, a bit each
  bool regular_ = false;    // a field that is none was there
  bool has_length_ = false;
  bool trailers_ = false;
};

// Fields that belong to one connection of HTTP/1.1 and have no place in HTTP/2 (RFC 9113 section 8.2.2).
bool is_connection_specific(std::string_view name) noexcept;

}  // namespace lingate::http2
