#include "gateway/http/http_date.h"

#include <cstdio>

namespace lingate::http {

std::string_view HttpDate::line() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != second_) {
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    second_ = now.tv_sec;
    tm utc{};
    ::gmtime_r(&second_, &utc);
    const int size =
        std::snprintf(text_, sizeof text_, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", kDays[utc.tm_wday],
                      utc.tm_mday, kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
    size_ = size > 0 ? static_cast<std::size_t>(size) : 0;
  }
  return {text_, size_};
}

}  // namespace lingate::http
