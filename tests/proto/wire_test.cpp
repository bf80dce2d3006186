#include "proto/wire.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

namespace lingate::proto {
namespace {

using namespace std::string_view_literals;

TEST(Varint, HasTheSizeThatItIsWrittenWith) {
  std::array<char, 16> room;
  for (unsigned bits = 0; bits <= 64; ++bits) {
    const std::uint64_t top = bits == 64 ? UINT64_MAX : (1ULL << bits) - 1;
    for (const std::uint64_t value : {top, top + 1}) {
      const char* const end = put_varint(room.data(), value);
      EXPECT_EQ(static_cast<std::size_t>(end - room.data()), varint_size(value)) << value;
    }
  }
}

TEST(Reader, ReadsWhatWasPut) {
  std::array<char, 64> room;
  char* end = put_varint_field(room.data(), 1, UINT64_MAX);
  end = put_double_field(end, 2, -0.5);
  end = put_bytes_field(end, 3000, "text\0more"sv);
  end = put_bytes_field(end, 4, "");
  Reader reader({room.data(), static_cast<std::size_t>(end - room.data())});
  Field field;
  ASSERT_TRUE(reader.next(field));
  EXPECT_TRUE(field.is(1, WireType::varint));
  EXPECT_EQ(field.value, UINT64_MAX);
  ASSERT_TRUE(reader.next(field));
  EXPECT_TRUE(field.is(2, WireType::fixed64));
  EXPECT_EQ(field.as_double(), -0.5);
  ASSERT_TRUE(reader.next(field));
  EXPECT_TRUE(field.is(3000, WireType::bytes));
  EXPECT_EQ(field.bytes, "text\0more"sv);
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.bytes, "");
  EXPECT_FALSE(reader.next(field));
  EXPECT_FALSE(reader.failed());
}

TEST(Reader, ReadsVarintsOfEverySizeWhateverFollows) {
  for (unsigned bits = 0; bits <= 64; ++bits) {
    const std::uint64_t top = bits == 64 ? UINT64_MAX : (1ULL << bits) - 1;
    for (const std::uint64_t value : {top, top ^ (top >> 1U), top & 0x5555'5555'5555'5555U}) {
      for (const std::size_t after : {0U, 1U, 8U, 20U}) {
        std::array<char, 64> room;
        char* end = put_varint_field(room.data(), 1, value);
        end = std::fill_n(put_header(end, 2, after), after, '\xff');
        Reader reader({room.data(), end});
        Field field;
        ASSERT_TRUE(reader.next(field) && reader.next(field)) << value << " before " << after;
        EXPECT_TRUE(field.is(2, WireType::bytes) && field.bytes.size() == after);
        Reader again({room.data(), end});
        ASSERT_TRUE(again.next(field));
        EXPECT_EQ(field.value, value);
      }
    }
  }
}

TEST(Reader, StepsOverLowerFieldsOfAnyKind) {
  std::array<char, 512> room;
  char* end = put_bytes_field(room.data(), 1, "short");
  end = put_varint_field(end, 2, 1'732'147'200'000'000);
  end = put_double_field(end, 3, 1);
  end = put_bytes_field(end, 4, std::string(200, 'x'));
  end = put_bytes_field(end, 5, "");
  end = put_bytes_field(end, 7, "seven");
  end = put_bytes_field(end, 20, "twenty");
  const std::string_view message(room.data(), end);
  const auto first_from = [message](std::uint32_t number) {
    Reader reader(message);
    reader.skip_below(number);
    Field field;
    return reader.next(field) ? field.number : 0;
  };
  for (std::uint32_t number = 1; number <= 22; ++number)
    EXPECT_EQ(first_from(number), number <= 5 ? number : number <= 7 ? 7U : number <= 20 ? 20U : 0U) << number;
}

TEST(Reader, StepsOverNothingThatIsMalformed) {
  for (const std::string_view bytes : {"\x0a\x05x"sv, "\x0a"sv, "\x08\x80"sv, "\x02\x01x"sv, ""sv}) {
    Reader reader(bytes);
    reader.skip_below(9);
    EXPECT_EQ(reader.rest(), bytes);
  }
}

TEST(Reader, RefusesWhatIsMalformed) {
  const auto refused = [](std::string_view bytes) {
    Reader reader(bytes);
    Field field;
    while (reader.next(field)) {
    }
    return reader.failed();
  };
  EXPECT_TRUE(refused("\x00\x01"sv));                                          // field 0
  EXPECT_TRUE(refused("\x0b"sv));                                              // a group begins
  EXPECT_TRUE(refused("\x0c"sv));                                              // a group ends
  EXPECT_TRUE(refused("\x0e"sv));                                              // no wire type
  EXPECT_TRUE(refused("\x08"sv));                                              // a varint is missing
  EXPECT_TRUE(refused("\x08\x80"sv));                                          // a varint that does not end
  EXPECT_TRUE(refused("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"sv));      // more than 64 bits
  EXPECT_TRUE(refused("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"sv));  // more than ten bytes
  EXPECT_TRUE(refused("\xf8\xff\xff\xff\x1f\x01"sv));                          // a key beyond 32 bits
  EXPECT_TRUE(refused("\x0a\x02x"sv));                                         // a length past the end
  EXPECT_TRUE(refused("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"sv));     // a length that would wrap
  EXPECT_TRUE(refused("\x09\x01\x02\x03"sv));                                  // a fixed64 cut off
  EXPECT_TRUE(refused("\x0d\x01"sv));                                          // a fixed32 cut off
  EXPECT_FALSE(refused("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv));     // 64 bits
  EXPECT_FALSE(refused("\x0a\x01x"sv));
  EXPECT_FALSE(refused(""));
}

}  // namespace
}  // namespace lingate::proto
