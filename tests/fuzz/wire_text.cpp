#include "tests/fuzz/wire_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "proto/wire.h"

namespace lingate::fuzz {
namespace {

using proto::WireType;

constexpr std::size_t kDeepest = 400;
constexpr std::size_t kMostTexts = 64;  // of one letter

int hex(char c) noexcept {
  const std::size_t value = std::string_view("0123456789abcdef").find(c);
  return value == std::string_view::npos ? -1 : static_cast<int>(value);
}

// Up to the closing quote, or to the end.
std::string take_quoted(std::string_view& left) {
  std::string text;
  while (!left.empty()) {
    const char c = left.front();
    left.remove_prefix(1);
    if (c == '"') break;
    if (c != '\\' || left.empty()) {
      text += c;
    } else if (left.size() >= 3 && left[0] == 'x' && hex(left[1]) >= 0 && hex(left[2]) >= 0) {
      text += static_cast<char>(hex(left[1]) * 16 + hex(left[2]));
      left.remove_prefix(3);
    } else {
      text += left.front();
      left.remove_prefix(1);
    }
  }
  return text;
}

template <class Number>
Number take_number(std::string_view& left) {
  Number number{};
  const auto [end, problem] = std::from_chars(left.data(), left.data() + left.size(), number);
  left.remove_prefix(static_cast<std::size_t>(end - left.data()));
  return problem == std::errc() ? number : Number{};
}

class Encoder {
 public:
  explicit Encoder(std::string_view text) : left_(text) {}

  std::string message(std::size_t depth) {
    std::string out;
    while (!left_.empty()) {
      const char c = left_.front();
      left_.remove_prefix(1);
      if (c == ')' && depth > 0) break;
      if (c == '!') return out.append(std::exchange(left_, {}));
      if (std::string_view("(\"#%^").find(c) != std::string_view::npos) put(out, c, depth);
    }
    return out;
  }

 private:
  std::uint32_t field_number() {
    if (left_.empty()) return 0;
    const auto c = static_cast<unsigned char>(left_.front());
    left_.remove_prefix(1);
    return c >= '0' ? c - unsigned{'0'} : 0U;
  }

  void put(std::string& out, char kind, std::size_t depth) {
    const std::uint32_t number = field_number();
    std::array<char, 24> room;
    switch (kind) {
      case '(': return put_bytes(out, number, depth < kDeepest ? message(depth + 1) : std::string());
      case '"': return put_bytes(out, number, take_quoted(left_));
      case '#':
        out.append(room.data(), proto::put_varint_field(room.data(), number, take_number<std::uint64_t>(left_)));
        return;
      case '%':
        out.append(room.data(), proto::put_double_field(room.data(), number, take_number<double>(left_)));
        return;
      default: put_fixed32(out, number);
    }
  }

  static void put_bytes(std::string& out, std::uint32_t number, std::string_view bytes) {
    std::array<char, 24> room;
    out.append(room.data(), proto::put_header(room.data(), number, bytes.size()));
    out.append(bytes);
  }

  void put_fixed32(std::string& out, std::uint32_t number) {
    std::array<char, 24> room;
    out.append(room.data(), proto::put_varint(room.data(), proto::key_of(number, WireType::fixed32)));
    const auto value = take_number<std::uint32_t>(left_);
    for (unsigned shift = 0; shift < 32; shift += 8)
      out += static_cast<char>(value >> shift & 0xffU);
  }

  std::string_view left_;
};

}  // namespace

std::string wire_of(std::string_view text) {
  return Encoder(text).message(0);
}

bool Tokens::next(std::string_view ends) {
  texts_.clear();
  while (!left_.empty() && (left_.front() == '\n' || left_.front() == ' '))
    left_.remove_prefix(1);
  if (left_.empty()) return false;
  const char c = left_.front();
  left_.remove_prefix(1);
  if (ends.find(c) != std::string_view::npos) {
    ended_by_ = c;
    return false;
  }
  letter_ = c;
  while (left_.starts_with('"') && texts_.size() < kMostTexts) {
    left_.remove_prefix(1);
    texts_.push_back(take_quoted(left_));
  }
  return true;
}

std::vector<std::string_view> Tokens::texts(std::size_t from) const {
  return {texts_.begin() + static_cast<std::ptrdiff_t>(std::min(from, count())), texts_.end()};
}

double Tokens::number(std::size_t index) const noexcept {
  std::string_view digits = text(index);
  return take_number<double>(digits);
}

}  // namespace lingate::fuzz
