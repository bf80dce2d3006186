// The protobuf wire format on raw bytes: a cursor that reads one field after the other without copying, and the few
// functions that write fields into room that was measured first. Nothing here knows plugin.proto; runtimes/wire_* do.
//
// Strict: an unknown wire type, field number 0, a varint that does not end or a length that runs past the message ends
// the reading with failed(). Nothing throws. (protozero reads the same format, but reports by exceptions.)
//
// Thread: values, not shared. Lifetime: a Reader and the bytes of its fields borrow the message.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace lingate::proto {

enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

struct Field {
  std::uint32_t number = 0;
  WireType type = WireType::varint;
  std::uint64_t value = 0;  // varint, fixed64, fixed32
  std::string_view bytes;   // bytes: text and submessages

  bool is(std::uint32_t wanted, WireType wanted_type) const noexcept { return number == wanted && type == wanted_type; }
  double as_double() const noexcept { return std::bit_cast<double>(value); }
};

class Reader {
 public:
  Reader() = default;
  explicit Reader(std::string_view message) noexcept : next_(message.data()), end_(next_ + message.size()) {}

  // The next field; false at the end and when the bytes are malformed.
  bool next(Field& field) noexcept {
    if (next_ == end_) return false;
    if (short_bytes(field)) return true;
    std::uint64_t key = 0;
    if (!varint(key) || key > UINT32_MAX || (key >> 3U) == 0) return fail();
    field.number = static_cast<std::uint32_t>(key >> 3U);
    field.type = static_cast<WireType>(key & 7U);
    switch (field.type) {
      case WireType::bytes: return length_delimited(field.bytes) || fail();
      case WireType::varint: return varint(field.value) || fail();
      case WireType::fixed64: return fixed<std::uint64_t>(field.value) || fail();
      case WireType::fixed32: return fixed<std::uint32_t>(field.value) || fail();
    }
    return fail();
  }

  // Steps over the fields below `number`, in a message that has its fields in the order of their numbers, as those have
  // that are written here: next() then gives the first from there on.
  void skip_below(std::uint32_t number) noexcept {
    for (;;) {
      while (starts_short_bytes() && key_byte() >> 3U < number)
        next_ += 2 + static_cast<unsigned char>(next_[1]);
      if (next_ == end_ || key_byte() >> 3U >= number) return;
      Reader ahead = *this;
      Field field;
      if (!ahead.next(field) || field.number >= number) return;
      *this = ahead;
    }
  }

  bool failed() const noexcept { return failed_; }

  // What has not been read yet.
  std::string_view rest() const noexcept { return {next_, static_cast<std::size_t>(end_ - next_)}; }

 private:
  bool fail() noexcept {
    failed_ = true;
    next_ = end_;
    return false;
  }

  unsigned key_byte() const noexcept { return static_cast<unsigned char>(*next_); }

  // Most fields are bytes whose key and length take a byte each. Both are looked at together.
  bool starts_short_bytes() const noexcept {
    static_assert(std::endian::native == std::endian::little);
    const auto left = static_cast<std::size_t>(end_ - next_);
    if (left < 2) return false;
    std::uint16_t start;
    std::memcpy(&start, next_, sizeof start);
    return (start & 0x8087U) == static_cast<unsigned>(WireType::bytes) && key_byte() >= 8 && start >> 8U <= left - 2;
  }

  bool short_bytes(Field& field) noexcept {
    if (!starts_short_bytes()) return false;
    const std::size_t size = static_cast<unsigned char>(next_[1]);
    field.number = key_byte() >> 3U;
    field.type = WireType::bytes;
    field.bytes = {next_ + 2, size};
    next_ += 2 + size;
    return true;
  }

  bool varint(std::uint64_t& value) noexcept {
    if (next_ != end_ && static_cast<unsigned char>(*next_) < 0x80) {
      value = static_cast<unsigned char>(*next_++);
      return true;
    }
    return long_varint(value);
  }

  bool long_varint(std::uint64_t& value) noexcept {
    if (end_ - next_ >= 8 && varint_in_word(value)) return true;
    std::uint64_t result = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (next_ == end_) return false;
      const auto byte = static_cast<unsigned char>(*next_++);
      if (shift == 63 && byte > 1) return false;
      result |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) {
        value = result;
        return true;
      }
    }
    return false;
  }

  // One that ends within the next eight bytes: their groups of seven bits are pushed together in pairs.
  bool varint_in_word(std::uint64_t& value) noexcept {
    static_assert(std::endian::native == std::endian::little);
    std::uint64_t word;
    std::memcpy(&word, next_, sizeof word);
    const std::uint64_t ends = ~word & 0x8080'8080'8080'8080U;
    if (ends == 0) return false;
    word &= ends ^ (ends - 1);
    word = (word & 0x007f'007f'007f'007fU) | (word & 0x7f00'7f00'7f00'7f00U) >> 1U;
    word = (word & 0x0000'3fff'0000'3fffU) | (word & 0x3fff'0000'3fff'0000U) >> 2U;
    value = (word & 0x0000'0000'0fff'ffffU) | (word & 0x0fff'ffff'0000'0000U) >> 4U;
    next_ += std::countr_zero(ends) / 8 + 1;
    return true;
  }

  bool length_delimited(std::string_view& bytes) noexcept {
    std::uint64_t size = 0;
    if (!varint(size) || size > static_cast<std::uint64_t>(end_ - next_)) return false;
    bytes = {next_, static_cast<std::size_t>(size)};
    next_ += size;
    return true;
  }

  template <class Word>
  bool fixed(std::uint64_t& value) noexcept {
    static_assert(std::endian::native == std::endian::little);
    if (static_cast<std::size_t>(end_ - next_) < sizeof(Word)) return false;
    Word word;
    std::memcpy(&word, next_, sizeof word);
    next_ += sizeof word;
    value = word;
    return true;
  }

  const char* next_ = nullptr;
  const char* end_ = nullptr;
  bool failed_ = false;
};

// ---- writing: sizes first, then put_* into that much room; each returns the end of what it wrote ----

constexpr std::uint32_t key_of(std::uint32_t number, WireType type) noexcept {
  return number << 3U | static_cast<std::uint32_t>(type);
}

constexpr std::size_t varint_size(std::uint64_t value) noexcept {
  if (value < 0x80) [[likely]]
    return 1;
  return value < 0x4000 ? 2 : static_cast<std::size_t>(std::bit_width(value) + 6) / 7;
}

constexpr std::size_t varint_field_size(std::uint32_t number, std::uint64_t value) noexcept {
  return varint_size(key_of(number, WireType::varint)) + varint_size(value);
}

constexpr std::size_t double_field_size(std::uint32_t number) noexcept {
  return varint_size(key_of(number, WireType::fixed64)) + sizeof(double);
}

constexpr std::size_t bytes_field_size(std::uint32_t number, std::size_t size) noexcept {
  return varint_size(key_of(number, WireType::bytes)) + varint_size(size) + size;
}

inline char* put_varint(char* to, std::uint64_t value) noexcept {
  while (value >= 0x80) {
    *to++ = static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  *to++ = static_cast<char>(value);
  return to;
}

inline char* put_raw(char* to, std::string_view bytes) noexcept {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

// The same for what is mostly short: it is copied without a call.
inline char* put_short(char* to, std::string_view text) noexcept {
  const std::size_t size = text.size();
  const char* const from = text.data();
  if (size > 32) {
    std::memcpy(to, from, size);
  } else if (size >= 16) {
    std::memcpy(to, from, 16);
    std::memcpy(to + size - 16, from + size - 16, 16);
  } else if (size >= 8) {
    std::memcpy(to, from, 8);
    std::memcpy(to + size - 8, from + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(to, from, 4);
    std::memcpy(to + size - 4, from + size - 4, 4);
  } else if (size != 0) {
    to[0] = from[0];
    to[size / 2] = from[size / 2];
    to[size - 1] = from[size - 1];
  }
  return to + size;
}

inline char* put_varint_field(char* to, std::uint32_t number, std::uint64_t value) noexcept {
  return put_varint(put_varint(to, key_of(number, WireType::varint)), value);
}

inline char* put_double_field(char* to, std::uint32_t number, double value) noexcept {
  to = put_varint(to, key_of(number, WireType::fixed64));
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}

// The key and length of a submessage (or bytes) of `size` that is written next.
inline char* put_header(char* to, std::uint32_t number, std::size_t size) noexcept {
  return put_varint(put_varint(to, key_of(number, WireType::bytes)), size);
}

inline char* put_bytes_field(char* to, std::uint32_t number, std::string_view bytes) noexcept {
  return put_raw(put_header(to, number, bytes.size()), bytes);
}

inline char* put_short_bytes_field(char* to, std::uint32_t number, std::string_view bytes) noexcept {
  return put_short(put_header(to, number, bytes.size()), bytes);
}

// ---- where no room was measured ----

inline void append_bytes(std::string& out, std::uint32_t number, std::string_view bytes) {
  char head[16];
  out.append(head, put_header(head, number, bytes.size()));
  out.append(bytes);
}

}  // namespace lingate::proto
