// BodyReader: cuts the content of one message out of the bytes of its connection, whatever its framing: a length,
// chunks, or the connection's end. It copies nothing but the small pieces of tiny chunks, which it moves together in
// place.
//
// Thread: the worker's. Lifetime: slices are views into the block, valid until it is refilled.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/http/blocks.h"
#include "gateway/http/chunked.h"
#include "gateway/http/head_scan.h"

namespace lingate::http {

struct Slices {
  static constexpr std::size_t kMost = 16;

  std::array<std::string_view, kMost> at;
  std::size_t count = 0;
  std::size_t total = 0;

  void add(std::string_view slice) noexcept;         // may move it to the end of the one before
  void add_stored(std::string_view slice) noexcept;  // from elsewhere: first, and nothing is moved behind it

 private:
  std::size_t fixed_ = 0;  // slices that nothing may be moved to
};

class BodyReader {
 public:
  enum class Step : std::uint8_t { more, over, refused };

  void begin(const Framing& framing, const Limits& limits) noexcept;
  // Takes all content that `in` holds.
  Step take(Block& in, Slices& slices) noexcept;
  // The peer has closed. True: the content ends there; false: it is cut.
  bool closed() noexcept;

  bool over() const noexcept { return over_; }
  Framing::Kind kind() const noexcept { return kind_; }
  std::uint64_t left() const noexcept { return left_; }  // kind length
  // How much may be read at most without reading into the next message; SIZE_MAX: unknown.
  std::size_t wanted() const noexcept {
    return kind_ == Framing::Kind::length ? static_cast<std::size_t>(left_) : SIZE_MAX;
  }
  const Refusal& refusal() const noexcept { return decoder_.refusal(); }

 private:
  Framing::Kind kind_ = Framing::Kind::none;
  bool over_ = true;
  std::uint64_t left_ = 0;
  ChunkDecoder decoder_;
};

}  // namespace lingate::http
