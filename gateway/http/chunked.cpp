#include "gateway/http/chunked.h"

#include <algorithm>
#include <charconv>

#include "base/codes.h"
#include "base/fields.h"

namespace lingate::http {
namespace {

constexpr std::size_t kMaxSizeLine = 1024;  // size and extensions of one chunk
constexpr std::uint8_t kMaxDigits = 15;     // 60 bits: no sum of it can wrap

int hex(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = fields::lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

bool is_space(char c) noexcept {
  return c == ' ' || c == '\t';
}

bool is_control(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

}  // namespace

const Limits ChunkDecoder::kDefaultLimits{};

ChunkDecoder::Step ChunkDecoder::refuse(int code, std::string_view detail) noexcept {
  if (refusal_.code == 0) refusal_ = {code, detail};
  state_ = State::refused;
  return Step::refused;
}

ChunkDecoder::Step ChunkDecoder::next(std::string_view& input, std::string_view& slice) noexcept {
  while (state_ != State::over) {
    if (state_ == State::refused) return Step::refused;
    if (input.empty()) return Step::more;
    if (state_ == State::data) {
      slice = input.substr(0, std::min<std::uint64_t>(input.size(), left_));
      input.remove_prefix(slice.size());
      left_ -= slice.size();
      if (left_ == 0) state_ = State::data_cr;
      return Step::data;
    }
    if (!take(input.front())) return refuse(code::kBadFraming, "a malformed chunk");
    input.remove_prefix(1);
  }
  return Step::over;
}

bool ChunkDecoder::take(char c) noexcept {
  switch (state_) {
    case State::size_start:
      overhead_ = 0;
      digits_ = 0;
      left_ = 0;
      state_ = State::size;
      return hex(c) >= 0 && take_size(c);
    case State::size: return take_size(c);
    case State::extension: return ++overhead_ <= kMaxSizeLine && take_extension(c);
    case State::size_lf: return c == '\n' && end_of_size();
    case State::data_cr: return state_ = State::data_lf, c == '\r';
    case State::data_lf: return state_ = State::size_start, c == '\n';
    case State::trailer_start:
    case State::trailer:
      if (++overhead_ <= limits_->head) return take_trailer(c);
      refuse(code::kHeadTooLarge, "the trailers are larger than the limit of a head");
      return false;
    case State::trailer_lf: return state_ = State::trailer_start, c == '\n';
    case State::end_lf: return state_ = State::over, c == '\n';
    default: return false;
  }
}

bool ChunkDecoder::take_size(char c) noexcept {
  if (const int digit = hex(c); digit >= 0) {
    left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
    return ++digits_ <= kMaxDigits;
  }
  if (c == '\r') return state_ = State::size_lf, true;
  if (c != ';' && !is_space(c)) return false;
  state_ = State::extension;
  extension_ = c == ';' ? Extension::before_name : Extension::after_value;
  return true;
}

// *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ); RFC 9112 section 7.1.1. White space before the
// line's end is refused.
bool ChunkDecoder::take_extension(char c) noexcept {
  const bool token = fields::is_token_char(c);
  const bool space = is_space(c);
  switch (extension_) {
    case Extension::before_name:
      if (token) extension_ = Extension::name;
      return token || space;
    case Extension::name:
    case Extension::after_name:
      if (token) return extension_ == Extension::name;
      if (space) return extension_ = Extension::after_name, true;
      if (c == '=') return extension_ = Extension::before_value, true;
      break;
    case Extension::before_value:
      if (token) extension_ = Extension::value;
      if (c == '"') extension_ = Extension::quoted;
      return token || space || c == '"';
    case Extension::quoted:
      if (c == '"') extension_ = Extension::after_value, digits_ = 0;
      if (c == '\\') extension_ = Extension::escaped;
      return !is_control(c);
    case Extension::escaped: return extension_ = Extension::quoted, !is_control(c);
    case Extension::value:
      if (token) return true;
      if (space) return extension_ = Extension::after_value, digits_ = 1, true;
      break;
    case Extension::after_value:
      if (space) return digits_ = 1, true;
      break;
  }
  if (c == ';') return extension_ = Extension::before_name, true;
  // digits_ is free by now: it notes white space that no ';' followed.
  const bool dangling = extension_ == Extension::after_name || (extension_ == Extension::after_value && digits_ > 0);
  if (c != '\r' || dangling) return false;
  state_ = State::size_lf;
  return true;
}

bool ChunkDecoder::end_of_size() noexcept {
  state_ = left_ > 0 ? State::data : State::trailer_start;
  overhead_ = 0;
  return true;
}

bool ChunkDecoder::take_trailer(char c) noexcept {
  if (state_ == State::trailer_start) {
    if (c == '\r') return state_ = State::end_lf, true;
    if (++trailers_ > limits_->fields) {
      refuse(code::kHeadTooLarge, "more trailers than the limit of fields");
      return false;
    }
    state_ = State::trailer;
    trailer_ = Trailer::name;
    trailer_name_ = 0;
  }
  if (trailer_ == Trailer::name) {
    if (c == ':') return trailer_ = Trailer::value, trailer_name_ > 0;
    ++trailer_name_;
    return fields::is_token_char(c);
  }
  if (c == '\r') return state_ = State::trailer_lf, true;
  return !is_control(c);
}

std::string_view write_chunk_head(std::uint64_t size, std::span<char, kChunkHeadSpace> space) noexcept {
  char* end = std::to_chars(space.data(), space.data() + 16, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return {space.data(), static_cast<std::size_t>(end - space.data())};
}

}  // namespace lingate::http
