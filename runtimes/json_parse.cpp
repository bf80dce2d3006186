// The JSON parser. Text without escapes is passed on as it lies in the input; numbers of up to 15 digits and no
// exponent never see a decimal conversion. One pass, no recursion.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/plain_text.h"
#include "base/utf8.h"
#include "runtimes/value.h"

namespace lingate::runtimes {
namespace {

constexpr std::size_t kMaxDepth = 128;
constexpr std::ptrdiff_t kExactDigits = 15;
constexpr std::array<double, kExactDigits> kPowersOfTen{1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6, 1e7,
                                                        1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

void append_utf8(std::string& to, std::uint32_t point) {
  if (point < 0x80) {
    to.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    to.push_back(static_cast<char>(0xC0U | point >> 6U));
    to.push_back(static_cast<char>(0x80U | (point & 0x3FU)));
  } else if (point < 0x10000) {
    to.push_back(static_cast<char>(0xE0U | point >> 12U));
    to.push_back(static_cast<char>(0x80U | (point >> 6U & 0x3FU)));
    to.push_back(static_cast<char>(0x80U | (point & 0x3FU)));
  } else {
    to.push_back(static_cast<char>(0xF0U | point >> 18U));
    to.push_back(static_cast<char>(0x80U | (point >> 12U & 0x3FU)));
    to.push_back(static_cast<char>(0x80U | (point >> 6U & 0x3FU)));
    to.push_back(static_cast<char>(0x80U | (point & 0x3FU)));
  }
}

class Parser {
 public:
  Parser(std::string_view json, ValueSink& sink)
      : begin_(json.data()), at_(begin_), end_(begin_ + json.size()), sink_(sink) {}

  Result<void, ValueError> run() {
    if (!document()) return lingate::fail(ValueError{std::move(error_)});
    return {};
  }

 private:
  bool document() {
    do {
      if (!value()) return false;
      if (opened_) continue;
      if (!after_value()) return false;
    } while (depth_ != 0);
    space();
    return at_ == end_ || fail("expected the end, found", at_);
  }

  // One scalar, or the beginning of a container (then opened_ is set and the next value, if any, is inside).
  bool value() {
    opened_ = false;
    space();
    if (at_ == end_) return fail("expected a value, found", at_);
    switch (*at_) {
      case '{': return open_map();
      case '[': return open_list();
      case '"': return text(false);
      case 't': return word("true") && passed(sink_.boolean(true));
      case 'f': return word("false") && passed(sink_.boolean(false));
      case 'n': return word("null") && passed(sink_.null());
      default: return number();
    }
  }

  // Closes what ends here, up to the comma before the next value.
  bool after_value() {
    while (depth_ != 0) {
      const bool map = map_[depth_ - 1];
      space();
      if (at_ != end_ && *at_ == ',') {
        ++at_;
        return !map || key();
      }
      if (at_ == end_ || *at_ != (map ? '}' : ']'))
        return fail(map ? "expected ',' or '}', found" : "expected ',' or ']', found", at_);
      ++at_;
      --depth_;
      if (!passed(map ? sink_.end_map() : sink_.end_list())) return false;
    }
    return true;
  }

  bool open_map() {
    if (!push(true) || !passed(sink_.begin_map())) return false;
    space();
    if (at_ != end_ && *at_ == '}') return true;
    opened_ = true;
    return key();
  }

  bool open_list() {
    if (!push(false) || !passed(sink_.begin_list())) return false;
    space();
    opened_ = at_ == end_ || *at_ != ']';
    return true;
  }

  bool push(bool map) {
    if (depth_ == kMaxDepth) return fail("lists and maps nest deeper than 128", nullptr);
    map_[depth_++] = map;
    ++at_;
    return true;
  }

  bool key() {
    space();
    if (at_ == end_ || *at_ != '"') return fail("expected a key in quotes, found", at_);
    if (!text(true)) return false;
    space();
    if (at_ == end_ || *at_ != ':') return fail("expected ':' after a key, found", at_);
    ++at_;
    return true;
  }

  bool text(bool as_key) {
    const char* const start = ++at_;
    if (!plain()) return false;
    std::string_view text(start, static_cast<std::size_t>(at_ - start));
    if (at_ != end_ && *at_ == '\\') {
      scratch_.assign(text);
      if (!escaped()) return false;
      text = scratch_;
    }
    if (at_ == end_) return at_ = start - 1, fail("a string does not end", nullptr);
    ++at_;
    return passed(as_key ? sink_.key(text) : sink_.text(text));
  }

  // Up to the closing quote, a backslash or the end; checks UTF-8 on the way.
  bool plain() {
    while (true) {
      at_ = skip_plain(at_, end_);
      if (at_ == end_ || *at_ == '"' || *at_ == '\\') return true;
      if (static_cast<unsigned char>(*at_) < 0x20)
        return fail("a control character must be escaped in a string", nullptr);
      const std::size_t size = utf8::character({at_, static_cast<std::size_t>(end_ - at_)});
      if (size == 0) return fail("a string is not UTF-8", nullptr);
      at_ += size;
    }
  }

  bool escaped() {
    while (at_ != end_ && *at_ == '\\') {
      if (!escape()) return false;
      const char* const run = at_;
      if (!plain()) return false;
      scratch_.append(run, at_);
    }
    return true;
  }

  bool escape() {
    const char* const place = at_++;
    if (at_ == end_) return at_ = place, fail("a string does not end", nullptr);
    switch (*at_++) {
      case '"': scratch_.push_back('"'); return true;
      case '\\': scratch_.push_back('\\'); return true;
      case '/': scratch_.push_back('/'); return true;
      case 'b': scratch_.push_back('\b'); return true;
      case 'f': scratch_.push_back('\f'); return true;
      case 'n': scratch_.push_back('\n'); return true;
      case 'r': scratch_.push_back('\r'); return true;
      case 't': scratch_.push_back('\t'); return true;
      case 'u': return unicode(place);
      default: at_ = place; return fail("an unknown escape in a string", nullptr);
    }
  }

  bool unicode(const char* place) {
    std::uint32_t point = 0;
    if (!hex4(point)) return fail("\\u needs four hexadecimal digits", nullptr);
    if (point >= 0xD800 && point < 0xDC00) {
      std::uint32_t low = 0;
      const bool pair =
          end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u' && (at_ += 2, hex4(low)) && low >= 0xDC00 && low < 0xE000;
      if (!pair) return at_ = place, fail("half a surrogate pair in a string", nullptr);
      point = 0x10000 + ((point - 0xD800) << 10U) + (low - 0xDC00);
    } else if (point >= 0xDC00 && point < 0xE000) {
      return at_ = place, fail("half a surrogate pair in a string", nullptr);
    }
    append_utf8(scratch_, point);
    return true;
  }

  bool hex4(std::uint32_t& value) {
    if (end_ - at_ < 4) return false;
    const auto [stop, error] = std::from_chars(at_, at_ + 4, value, 16);
    if (error != std::errc{} || stop != at_ + 4) return false;
    at_ += 4;
    return true;
  }

  bool number() {
    const char* const start = at_;
    if (*at_ == '-') ++at_;
    const char* const digits = at_;
    while (at_ != end_ && is_digit(*at_))
      ++at_;
    if (at_ == digits) return at_ = start, fail("expected a value, found", start);
    if (*digits == '0' && at_ - digits > 1) return at_ = start, fail("a number must not begin with 0", nullptr);
    const char* const point = at_;
    if (!fraction()) return false;
    const bool exact = at_ - digits <= kExactDigits && (at_ == end_ || (*at_ != 'e' && *at_ != 'E'));
    if (exact) return passed(sink_.number(short_decimal(start, digits, point)));
    const bool whole = at_ == point && (at_ == end_ || (*at_ != 'e' && *at_ != 'E'));
    if (!exponent()) return false;
    return decimal(start, whole ? Literal::integer : Literal::real);
  }

  // All digits make an integer that a double holds, and so does the power of ten that it is divided by; so the quotient
  // is the nearest double (Clinger, "How to Read Floating Point Numbers Accurately", 1990).
  double short_decimal(const char* start, const char* digits, const char* point) const {
    std::int64_t value = 0;
    for (const char* c = digits; c != at_; ++c)
      if (c != point) value = value * 10 + (*c - '0');
    const std::ptrdiff_t decimals = at_ == point ? 0 : at_ - point - 1;
    const double magnitude = static_cast<double>(value) / kPowersOfTen[static_cast<std::size_t>(decimals)];
    return start == digits ? magnitude : -magnitude;
  }

  bool fraction() {
    if (at_ == end_ || *at_ != '.') return true;
    const char* const digits = ++at_;
    while (at_ != end_ && is_digit(*at_))
      ++at_;
    return at_ != digits || fail("a digit must follow the decimal point, found", at_);
  }

  bool exponent() {
    if (at_ == end_ || (*at_ != 'e' && *at_ != 'E')) return true;
    ++at_;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    const char* const digits = at_;
    while (at_ != end_ && is_digit(*at_))
      ++at_;
    return at_ != digits || fail("a digit must follow in the exponent, found", at_);
  }

  enum class Literal { integer, real };

  bool decimal(const char* start, Literal literal) {
    constexpr double kLargestExact = 9'007'199'254'740'992;  // 2^53
    double value = 0;
    const auto done = std::from_chars(start, at_, value);
    if (done.ec == std::errc::result_out_of_range) {
      // from_chars does not say which way. Rare, so a copy that ends in NUL does no harm.
      value = std::strtod(std::string(start, at_).c_str(), nullptr);
      if (value > std::numeric_limits<double>::max() || value < std::numeric_limits<double>::lowest())
        return at_ = start, fail("a number is too large for a double", nullptr);
    }
    const std::string_view digits(*start == '-' ? start + 1 : start, at_);
    if (literal == Literal::integer && std::abs(value) >= kLargestExact && digits != "9007199254740992")
      return at_ = start, fail("an integer beyond 2^53 would lose digits; send it as a string", nullptr);
    return passed(sink_.number(value));
  }

  bool word(std::string_view wanted) {
    if (static_cast<std::size_t>(end_ - at_) < wanted.size() || std::memcmp(at_, wanted.data(), wanted.size()) != 0)
      return fail("expected a value, found", at_);
    at_ += wanted.size();
    return true;
  }

  void space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t'))
      ++at_;
  }

  bool passed(bool sink_goes_on) {
    if (!sink_goes_on) error_ = "stopped by the sink";
    return sink_goes_on;
  }

  // `found`: where the byte to show stands; nullptr: the text says it all.
  bool fail(std::string_view what, const char* found) {
    const char* const place = found ? found : at_;
    error_.append("invalid JSON at offset ").append(std::to_string(place - begin_)).append(": ").append(what);
    if (!found) return false;
    if (found == end_) {
      error_.append(" the end");
    } else if (*found > 0x20 && *found < 0x7f) {
      error_.append(" '").append(1, *found).append("'");
    } else {
      error_.append(" byte ").append(std::to_string(static_cast<unsigned char>(*found)));
    }
    return false;
  }

  const char* const begin_;
  const char* at_;
  const char* const end_;
  ValueSink& sink_;
  std::array<bool, kMaxDepth> map_;
  std::size_t depth_ = 0;
  bool opened_ = false;
  std::string scratch_;
  std::string error_;
};

}  // namespace

Result<void, ValueError> parse_json(std::string_view json, ValueSink& sink) {
  return Parser(json, sink).run();
}

}  // namespace lingate::runtimes
