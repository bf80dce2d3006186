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

  bool failed() const noexcept { return failed_; }

  // What has not been read yet.
  std::string_view rest() const noexcept { return {next_, static_cast<std::size_t>(end_ - next_)}; }

 private:
  bool fail() noexcept {
    failed_ = true;
    next_ = end_;
    return false;
  }

  // Most fields are bytes whose key and length take a byte each.
  bool short_bytes(Field& field) noexcept {
    const auto left = static_cast<std::size_t>(end_ - next_);
    if (left < 2) return false;
    const auto key = static_cast<unsigned char>(next_[0]);
    const auto size = static_cast<unsigned char>(next_[1]);
    if ((key & 0x87U) != static_cast<unsigned>(WireType::bytes) || key < 8 || size >= 0x80 || size > left - 2)
      return false;
    field.number = key >> 3U;
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

// ---- where no room was measured ----

inline void append_bytes(std::string& out, std::uint32_t number, std::string_view bytes) {
  char head[16];
  out.append(head, put_header(head, number, bytes.size()));
  out.append(bytes);
}

}  // namespace lingate::proto
