#include "gateway/http/body_reader.h"

#include <algorithm>
#include <cstring>

namespace lingate::http {
namespace {

constexpr std::size_t kSmall = 512;  // cheaper to move than to list

}  // namespace

void Slices::add(std::string_view slice) noexcept {
  if (slice.empty()) return;
  total += slice.size();
  if (count > fixed_ && (slice.size() < kSmall || count == kMost)) {
    std::string_view& last = at[count - 1];
    char* end = const_cast<char*>(last.data() + last.size());  // in the same block, before `slice`
    if (end != slice.data()) std::memmove(end, slice.data(), slice.size());
    last = {last.data(), last.size() + slice.size()};
    return;
  }
  at[count++] = slice;
}

void Slices::add_stored(std::string_view slice) noexcept {
  at[count++] = slice;
  fixed_ = count;
  total += slice.size();
}

void BodyReader::begin(const Framing& framing, const Limits& limits) noexcept {
  kind_ = framing.kind;
  over_ = kind_ == Framing::Kind::none;
  left_ = kind_ == Framing::Kind::length ? framing.length : 0;
  if (kind_ == Framing::Kind::chunked) decoder_.reset(limits);
}

BodyReader::Step BodyReader::take(Block& in, Slices& slices) noexcept {
  if (over_) return Step::over;
  if (kind_ == Framing::Kind::chunked) {
    std::string_view input = in.bytes();
    std::string_view slice;
    ChunkDecoder::Step step = decoder_.next(input, slice);
    for (; step == ChunkDecoder::Step::data; step = decoder_.next(input, slice))
      slices.add(slice);
    in.begin = in.end - static_cast<std::uint32_t>(input.size());
    over_ = step == ChunkDecoder::Step::over;
    return over_ ? Step::over : step == ChunkDecoder::Step::more ? Step::more : Step::refused;
  }
  std::string_view bytes = in.bytes();
  if (kind_ == Framing::Kind::length) {
    bytes = bytes.substr(0, std::min<std::uint64_t>(bytes.size(), left_));
    left_ -= bytes.size();
    over_ = left_ == 0;
  }
  slices.add(bytes);
  in.begin += static_cast<std::uint32_t>(bytes.size());
  return over_ ? Step::over : Step::more;
}

bool BodyReader::closed() noexcept {
  if (kind_ == Framing::Kind::until_close) over_ = true;
  return over_;
}

}  // namespace lingate::http
