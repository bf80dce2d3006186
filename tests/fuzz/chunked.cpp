// Chunked content: what ChunkDecoder accepts, however the bytes are cut, against a decoder written for clarity.
#include "gateway/http/chunked.h"

#include <array>
#include <optional>
#include <string>

#include "base/codes.h"
#include "tests/fuzz/heads.h"

namespace lingate::fuzz {
namespace {

using http::ChunkDecoder;
using http::Limits;
using Step = ChunkDecoder::Step;

struct Decoded {
  Step step = Step::more;
  std::string content;
  std::size_t used = 0;
  int code = 0;

  bool operator==(const Decoded&) const = default;
};

// In pieces whose sizes `cut` gives.
template <class Cut>
Decoded decode(std::string_view data, const Limits& limits, Cut cut) {
  ChunkDecoder decoder(limits);
  Decoded out;
  for (std::size_t at = 0; at < data.size() && out.step == Step::more;) {
    const Exact piece(data.substr(at, cut(at)));
    std::string_view input = piece.view();
    std::string_view slice;
    while ((out.step = decoder.next(input, slice)) == Step::data) {
      require(!slice.empty(), "data is never empty");
      out.content += slice;
    }
    require(out.step != Step::more || input.empty(), "`more` uses everything up");
    at += piece.view().size() - input.size();
    out.used = at;
  }
  require(decoder.over() == (out.step == Step::over), "over() is what next() said");
  out.code = decoder.refusal().code;
  return out;
}

// One line without its CRLF; nothing: there is none.
std::optional<std::string_view> take_line(std::string_view& data) {
  const std::size_t end = data.find("\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = data.substr(0, end);
  data.remove_prefix(end + 2);
  return line;
}

std::optional<std::uint64_t> size_of(std::string_view line) {
  const std::string_view digits = line.substr(0, line.find_first_of("; \t"));
  if (digits.empty() || digits.size() > 15) return std::nullopt;
  std::uint64_t size = 0;
  for (const char c : digits) {
    const std::size_t value = std::string_view("0123456789abcdef").find(fields::lower(c));
    if (value == std::string_view::npos) return std::nullopt;
    size = size * 16 + value;
  }
  return size;
}

struct Plain {
  std::string content;
  std::size_t used = 0;
  std::size_t trailers = 0;
};

// RFC 9112 section 7.1.3, on the whole message at once. Nothing: it is not whole, or malformed.
std::optional<Plain> decode_plainly(std::string_view data) {
  const std::size_t all = data.size();
  Plain out;
  for (;;) {
    const auto line = take_line(data);
    const auto size = line ? size_of(*line) : std::nullopt;
    if (!size || *size > data.size()) return std::nullopt;
    if (*size == 0) break;
    out.content += data.substr(0, *size);
    data.remove_prefix(*size);
    const auto end = take_line(data);
    if (!end || !end->empty()) return std::nullopt;
  }
  for (auto line = take_line(data); !line || !line->empty(); line = take_line(data), ++out.trailers)
    if (!line) return std::nullopt;
  out.used = all - data.size();
  return out;
}

// What the gateway writes of the content is read as the same content, and nothing is left.
void check_written(const std::string& content) {
  std::string text;
  const std::size_t step = 1 + content.size() / 3;
  for (std::size_t at = 0; at < content.size(); at += step) {
    const std::string_view part = std::string_view(content).substr(at, step);
    std::array<char, http::kChunkHeadSpace> space;
    text.append(http::write_chunk_head(part.size(), space)).append(part).append(http::kChunkEnd);
  }
  text += http::kLastChunk;
  const Decoded again = decode(text, {}, [](std::size_t) { return std::string_view::npos; });
  require(again.step == Step::over && again.content == content && again.used == text.size(),
          "written chunks are read as they were");
}

// As many trailers as the limit pass, and not one more.
void check_edge(std::string_view data, const Plain& plain) {
  const auto whole = [](std::size_t) { return std::string_view::npos; };
  Limits limits = wide_limits();
  limits.fields = plain.trailers;
  require(decode(data, limits, whole).step == Step::over, "as many trailers as the limit pass");
  if (plain.trailers == 0) return;
  --limits.fields;
  require(decode(data, limits, whole).code == code::kHeadTooLarge, "one trailer more than the limit is refused");
}

void check_refusal(const Decoded& whole) {
  const bool refused = whole.step == Step::refused;
  require(refused == (whole.code != 0), "a refusal, and nothing else, has a code");
  require(!refused || whole.code == code::kBadFraming || whole.code == code::kHeadTooLarge, "it blames the framing");
}

void check(std::string_view data, const Limits& limits) {
  const Decoded whole = decode(data, limits, [](std::size_t) { return std::string_view::npos; });
  check_refusal(whole);
  require(decode(data, limits, [](std::size_t) { return std::size_t{1}; }) == whole, "bytes one by one say the same");
  const auto uneven = [data](std::size_t at) { return 1U + static_cast<unsigned char>(data[at]) % 23U; };
  require(decode(data, limits, uneven) == whole, "pieces of any size say the same");
  if (whole.step != Step::over) return;
  const auto plain = decode_plainly(data);
  require(plain && plain->content == whole.content && plain->used == whole.used, "a plain decoder reads the same");
  check_edge(data, *plain);
  check_written(whole.content);
}

}  // namespace
}  // namespace lingate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const lingate::http::Limits wide;
  static const lingate::http::Limits narrow = lingate::fuzz::narrow_limits();
  lingate::fuzz::check(lingate::fuzz::text_of(bytes, size), wide);
  lingate::fuzz::check(lingate::fuzz::text_of(bytes, size), narrow);
  return 0;
}
