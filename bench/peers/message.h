// HTTP/1.1 messages as the load generator reads them: one after the other off a connection whose other end is trusted
// to frame them rightly. Bodies are counted, and kept only where somebody asks for an echo.
//
// Thread: plain values. Lifetime: owns what it keeps; views live as long as the text that they were made from.
#pragma once

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

namespace lingate::peers {

inline constexpr std::size_t kMostHead = 16 << 10;

inline std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\r'));
}

inline std::size_t number_in(std::string_view text, int base = 10) {
  std::size_t number = 0;
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  std::from_chars(text.data(), text.data() + text.size(), number, base);
  return number;
}

// The value of a field of a head, in lower case its name; empty where there is none.
inline std::string_view field(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find('\n'); at != head.npos; at = head.find('\n', at + 1)) {
    const std::string_view line = first_line(head.substr(at + 1));
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (::strncasecmp(line.data(), name.data(), name.size()) == 0) return line.substr(name.size() + 1);
  }
  return {};
}

// What follows the last slash of a request's target.
inline std::string_view last_segment(std::string_view head) {
  const std::string_view line = first_line(head);
  const std::string_view target = line.substr(0, line.rfind(' '));
  return target.substr(target.rfind('/') + 1);
}

// Takes the bytes of one message after the other; bodies are counted, and kept where somebody wants them.
class Message {
 public:
  // True when a message is complete; `bytes` then begins with what follows it.
  bool take(std::string_view& bytes) {
    if (!in_body_ && !take_head(bytes)) return false;
    if (chunked_) return take_chunks(bytes);
    const std::size_t some = std::min(left_, bytes.size());
    take_body(bytes, some);
    return left_ == 0;
  }
  void clear() {
    in_body_ = chunked_ = last_ = false;
    left_ = length = 0;
    head.clear();
    body.clear();
    line_.clear();
  }

  std::string head;
  std::string body;        // of requests that ask for an echo
  std::size_t length = 0;  // of the body

 private:
  bool take_head(std::string_view& bytes) {
    const std::size_t before = head.size();
    head.append(bytes.substr(0, kMostHead));
    const std::size_t end = head.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == head.npos) {
      bytes = {};
      return false;
    }
    bytes.remove_prefix(end + 4 - before);
    head.resize(end + 4);
    in_body_ = true;
    chunked_ = !field(head, "transfer-encoding").empty();
    left_ = chunked_ ? 0 : number_in(field(head, "content-length"));
    return true;
  }

  void take_body(std::string_view& bytes, std::size_t some) {
    if (last_segment(head) == "echo") body.append(bytes.substr(0, some));
    bytes.remove_prefix(some);
    left_ -= some;
    length += some;
  }

  // Lines of sizes, each before its data; an empty line ends a chunk, and after the chunk of size 0 the message.
  bool take_chunks(std::string_view& bytes) {
    while (!bytes.empty()) {
      if (left_ > 0) {
        take_body(bytes, std::min(left_, bytes.size()));
        continue;
      }
      const std::size_t end = bytes.find('\n');
      line_.append(bytes.substr(0, end));
      bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
      if (end == bytes.npos) return false;
      const bool empty = line_ == "\r";
      if (empty && last_) return true;
      if (!empty) {
        left_ = number_in(line_, 16);
        last_ = left_ == 0;
      }
      line_.clear();
    }
    return false;
  }

  bool in_body_ = false;
  bool chunked_ = false;
  bool last_ = false;  // the chunk of size 0 was seen
  std::size_t left_ = 0;
  std::string line_;
};

}  // namespace lingate::peers
