#include "gateway/http/chunked.h"

#include <gtest/gtest.h>

#include <string>

#include "base/codes.h"

namespace lingate::http {
namespace {

struct Decoded {
  ChunkDecoder::Step step = ChunkDecoder::Step::more;
  std::string content;
  std::size_t left = 0;
  int code = 0;
};

// In pieces of `piece` bytes.
Decoded decode(std::string_view text, std::size_t piece = SIZE_MAX) {
  ChunkDecoder decoder;
  Decoded out;
  while (!text.empty()) {
    std::string_view input = text.substr(0, piece);
    text.remove_prefix(input.size());
    std::string_view slice;
    while ((out.step = decoder.next(input, slice)) == ChunkDecoder::Step::data)
      out.content += slice;
    out.left = input.size() + text.size();
    if (out.step != ChunkDecoder::Step::more) break;
  }
  out.code = decoder.refusal().code;
  return out;
}

TEST(ChunkDecoder, ReadsChunksHoweverTheyAreCut) {
  const std::string text = "5;a=b;c=\"d \\\" e\"\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\nNEXT";
  for (std::size_t piece = 1; piece < text.size(); ++piece) {
    const Decoded out = decode(text, piece);
    EXPECT_EQ(out.step, ChunkDecoder::Step::over);
    EXPECT_EQ(out.content, "hello0123456789");
    EXPECT_EQ(out.left, 4U);
  }
}

TEST(ChunkDecoder, RefusesWhatIsNotAChunk) {
  for (const char* bad :
       {"+5\r\nhello\r\n", "0_5\r\n", "g\r\n", "5\nhello\r\n", "5 \r\nhello\r\n", "5;\r\nhello\r\n", "5;a\rb\r\nhello",
        "5;a=\"\r\nhello", "5\r\nhelloXX0\r\n\r\n", "5\r\nhello0\r\n", "0\n\r\n", "0\r\nX Y: 1\r\n\r\n",
        "0\r\n: 1\r\n\r\n", "0\r\n a: b\r\n\r\n", "FFFFFFFFFFFFFFFF\r\n", "\r\n", "5;=a\r\n"}) {
    const Decoded out = decode(bad);
    EXPECT_EQ(out.step, ChunkDecoder::Step::refused) << bad;
    EXPECT_EQ(out.code, code::kBadFraming) << bad;
  }
}

TEST(ChunkDecoder, BoundsTrailersInBytesAndNumber) {
  EXPECT_EQ(decode("0\r\nX: " + std::string(40000, 'a')).code, code::kHeadTooLarge);
  std::string many = "0\r\n";
  for (int k = 0; k < 101; ++k)
    many += "A: b\r\n";
  EXPECT_EQ(decode(many).code, code::kHeadTooLarge);
  EXPECT_EQ(decode("5;" + std::string(2000, 'a')).code, code::kBadFraming);
}

TEST(ChunkHead, IsHexadecimal) {
  std::array<char, kChunkHeadSpace> space;
  EXPECT_EQ(write_chunk_head(0x1f40, space), "1f40\r\n");
  EXPECT_EQ(write_chunk_head(UINT64_MAX, space), "ffffffffffffffff\r\n");
}

}  // namespace
}  // namespace lingate::http
