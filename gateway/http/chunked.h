// Chunked: the decoder of RFC 9112 section 7.1 that the gateway reads both sides with, and the framing that it writes.
// The decoder is strict: sizes are hexadecimal digits that fit, lines end with CRLF, extensions and trailers must be
// well-formed and are then dropped, and what they may weigh is bounded by the limits of a head.
//
// Thread: one message, one decoder. Lifetime: slices are views into the bytes given to next().
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "gateway/http/head_scan.h"
#include "gateway/http/options.h"

namespace lingate::http {

class ChunkDecoder {
 public:
  enum class Step : std::uint8_t {
    data,    // `slice` is content; call next() again with what is left
    more,    // all bytes are used up, the content is not over
    over,    // the last chunk and its trailers were read; what is left belongs to the next message
    refused  // see refusal()
  };

  void reset(const Limits& limits) noexcept { *this = ChunkDecoder(limits); }
  explicit ChunkDecoder(const Limits& limits = kDefaultLimits) noexcept : limits_(&limits) {}

  // Consumes from the front of `input` up to the end of one slice.
  Step next(std::string_view& input, std::string_view& slice) noexcept;
  const Refusal& refusal() const noexcept { return refusal_; }
  bool over() const noexcept { return state_ == State::over; }

 private:
  enum class State : std::uint8_t {
    size_start,
    size,
    extension,  // between ';' and CR
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer,
    trailer_lf,
    end_lf,
    over,
    refused
  };
  enum class Extension : std::uint8_t {
    before_name,
    name,
    after_name,
    before_value,
    value,
    quoted,
    escaped,
    after_value
  };

  static const Limits kDefaultLimits;

  Step refuse(int code, std::string_view detail) noexcept;
  bool take(char c) noexcept;  // one byte outside of data; false: refused
  bool take_size(char c) noexcept;
  bool take_extension(char c) noexcept;
  bool take_trailer(char c) noexcept;
  bool end_of_size() noexcept;

  const Limits* limits_;
  Refusal refusal_{};
  std::uint64_t left_ = 0;    // of the current chunk
  std::size_t overhead_ = 0;  // bytes of the size line or the trailers
  std::uint32_t trailers_ = 0;
  State state_ = State::size_start;
  Extension extension_ = Extension::before_name;
  std::uint8_t digits_ = 0;
  enum class Trailer : std::uint8_t { name, value } trailer_ = Trailer::name;
  std::uint32_t trailer_name_ = 0;  // bytes of its name so far
};

// "1f40\r\n" in `space`; what follows the data is kChunkEnd, after the last chunk kLastChunk.
inline constexpr std::size_t kChunkHeadSpace = 18;
std::string_view write_chunk_head(std::uint64_t size, std::span<char, kChunkHeadSpace> space) noexcept;
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace lingate::http
