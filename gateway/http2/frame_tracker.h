// FrameTracker: where in its frames a peer's bytes have come to, and no more than that: whether a head (HEADERS and the
// CONTINUATIONs behind it, RFC 9113 section 4.3) has begun and not come to its end. nghttp2 does not tell.
//
// Thread: one at a time. A plain value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lingate::http2 {

class FrameTracker {
 public:
  explicit FrameTracker(std::size_t preface) noexcept : left_(preface) {}

  void pass(std::string_view bytes) noexcept {
    while (!bytes.empty()) {
      const std::size_t part = std::min(left_, bytes.size());
      left_ -= part;
      bytes.remove_prefix(part);
      if (left_ == 0 && ends_head_) in_head_ = ends_head_ = false;
      while (left_ == 0 && !bytes.empty()) {
        const auto byte = static_cast<std::uint8_t>(bytes.front());
        bytes.remove_prefix(1);
        take_header_byte(byte);
      }
    }
  }

  bool in_head() const noexcept { return in_head_; }
  std::uint64_t heads() const noexcept { return heads_; }  // begun

 private:
  static constexpr std::uint8_t kHeaders = 1, kContinuation = 9, kEndHeaders = 4;

  void take_header_byte(std::uint8_t byte) noexcept {
    if (at_ < 3) length_ = (length_ << 8U) | byte;
    if (at_ == 3) type_ = byte;
    if (at_ == 4) flags_ = byte;
    if (++at_ < 9) return;
    left_ = length_;
    if (type_ == kHeaders) {
      in_head_ = true;
      ++heads_;
    }
    ends_head_ = in_head_ && (type_ == kHeaders || type_ == kContinuation) && (flags_ & kEndHeaders) != 0;
    if (left_ == 0 && ends_head_) in_head_ = ends_head_ = false;
    at_ = 0;
    length_ = 0;
  }

  std::size_t left_;  // of what is passed over
  std::uint32_t length_ = 0;
  std::uint64_t heads_ = 0;
  std::uint8_t at_ = 0;
  std::uint8_t type_ = 0;
  std::uint8_t flags_ = 0;
  bool in_head_ = false;
  bool ends_head_ = false;
};

}  // namespace lingate::http2
