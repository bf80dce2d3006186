// HttpDate: the Date field's value (RFC 9110 section 5.6.7), formatted once a second.
//
// Thread: the worker's.
#pragma once

#include <ctime>
#include <string_view>

namespace lingate::http {

class HttpDate {
 public:
  std::string_view line() noexcept;  // "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

 private:
  std::time_t second_ = 0;
  char text_[48] = {};
  std::size_t size_ = 0;
};

}  // namespace lingate::http
