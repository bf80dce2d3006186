#include "store/redis/resp.h"

#include <charconv>
#include <utility>

#include "base/codes.h"

namespace lingate::store::redis {
namespace {

using Kind = Value::Kind;

enum class Step : std::uint8_t { whole, more, bad };

// Walks one value; `out` is filled where there is one, so that a first walk can see whether all of it has come.
class Walk {
 public:
  explicit Walk(std::string_view bytes) : bytes_(bytes) {}

  Step value(Value* out, int depth) {
    if (depth > RespReader::kMostDepth) return Step::bad;
    std::string_view line;
    if (const Step step = take_line(line); step != Step::whole) return step;
    if (line.empty()) return Step::bad;
    const char type = line.front();
    line.remove_prefix(1);
    switch (type) {
      case '+':
      case '(':
      case ',': return leaf(out, Kind::text, line);
      case '-': return leaf(out, Kind::error, line);
      case ':': return number(out, line);
      case '#': return flag(out, line);
      case '_': return line.empty() ? Step::whole : Step::bad;
      case '$':
      case '=': return blob(out, Kind::text, line);
      case '!': return blob(out, Kind::error, line);
      case '*':
      case '~': return list(out, Kind::list, line, 1, depth);
      case '>': return list(out, Kind::push, line, 1, depth);
      case '%': return list(out, Kind::list, line, 2, depth);
      case '|':  // an attribute: it belongs to the value behind it, and nobody here wants it
        if (const Step step = list(nullptr, Kind::list, line, 2, depth); step != Step::whole) return step;
        return value(out, depth + 1);
      default: return Step::bad;
    }
  }

  std::size_t size() const noexcept { return at_; }      // of what was walked
  std::size_t least() const noexcept { return least_; }  // with `more`: bytes that there have to be

 private:
  static constexpr std::size_t kLongestLine = 16 * 1024;

  Step take_line(std::string_view& line) {
    const std::size_t end = bytes_.find('\n', at_);
    const std::size_t size = (end == std::string_view::npos ? bytes_.size() : end) - at_;
    if (size > kLongestLine) return Step::bad;
    if (end == std::string_view::npos) return lacks(bytes_.size() + 1);
    if (size == 0 || bytes_[end - 1] != '\r') return Step::bad;
    line = bytes_.substr(at_, size - 1);
    at_ = end + 1;
    return Step::whole;
  }

  Step lacks(std::size_t least) {
    least_ = least;
    return Step::more;
  }

  static bool read(std::string_view digits, std::int64_t& number) {
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return fault == std::errc() && end == digits.data() + digits.size() && !digits.empty();
  }

  static Step leaf(Value* out, Kind kind, std::string_view text) {
    if (out) {
      out->kind = kind;
      out->text = text;
    }
    return Step::whole;
  }

  static Step number(Value* out, std::string_view line) {
    std::int64_t number = 0;
    if (!read(line, number)) return Step::bad;
    if (out) {
      out->kind = Kind::integer;
      out->integer = number;
    }
    return Step::whole;
  }

  static Step flag(Value* out, std::string_view line) {
    if (line != "t" && line != "f") return Step::bad;
    return number(out, line == "t" ? "1" : "0");
  }

  Step blob(Value* out, Kind kind, std::string_view line) {
    std::int64_t size = 0;
    if (!read(line, size) || size < -1 || size > static_cast<std::int64_t>(RespReader::kMostBytes)) return Step::bad;
    if (size == -1) return Step::whole;  // RESP2's null
    const auto bytes = static_cast<std::size_t>(size);
    if (bytes_.size() < at_ + bytes + 2) return lacks(at_ + bytes + 2);
    if (bytes_.substr(at_ + bytes, 2) != "\r\n") return Step::bad;
    leaf(out, kind, bytes_.substr(at_, bytes));
    at_ += bytes + 2;
    return Step::whole;
  }

  Step list(Value* out, Kind kind, std::string_view line, std::size_t each, int depth) {
    std::int64_t size = 0;
    if (!read(line, size) || size < -1 || size > static_cast<std::int64_t>(RespReader::kMostItems)) return Step::bad;
    if (size == -1) return Step::whole;
    const std::size_t items = static_cast<std::size_t>(size) * each;
    if (out) {
      out->kind = kind;
      out->items.resize(items);
    }
    for (std::size_t k = 0; k < items; ++k)
      if (const Step step = value(out ? &out->items[k] : nullptr, depth + 1); step != Step::whole) return step;
    return Step::whole;
  }

  const std::string_view bytes_;
  std::size_t at_ = 0;
  std::size_t least_ = 0;
};

}  // namespace

void append_head(std::string& out, std::size_t words) {
  out.append("*").append(std::to_string(words)).append("\r\n");
}

void append_word(std::string& out, std::string_view word) {
  out.append("$").append(std::to_string(word.size())).append("\r\n").append(word).append("\r\n");
}

void append_command(std::string& out, std::span<const std::string_view> words) {
  append_head(out, words.size());
  for (const std::string_view word : words)
    append_word(out, word);
}

void RespReader::feed(std::string_view bytes) {
  if (at_ == buffer_.size()) {
    buffer_.clear();
    at_ = 0;
  } else if (at_ > buffer_.size() / 2) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  buffer_.append(bytes);
}

Result<std::optional<Value>> RespReader::next() {
  const std::string_view rest = std::string_view(buffer_).substr(at_);
  if (rest.empty() || rest.size() < least_) return std::nullopt;
  Walk look(rest);
  const Step step = look.value(nullptr, 0);
  least_ = step == Step::more ? look.least() : 0;
  if (step == Step::bad || least_ > kMostBytes)
    return fail(code::kStoreUnavailable, "what answers there does not speak RESP3; is it Redis 7?");
  if (step == Step::more) return std::nullopt;
  Value value;
  Walk(rest.substr(0, look.size())).value(&value, 0);
  at_ += look.size();
  return value;
}

}  // namespace lingate::store::redis
