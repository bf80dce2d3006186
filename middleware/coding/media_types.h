// MediaTypes: a set of media types (RFC 9110, section 8.3.1) by pattern: "application/json", "text/*", or by suffix
// "+json". A stream of events is in no set but by its own name: a server sends it to be seen at once.
//
// Immutable once filled. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lingate::middleware::coding {

class MediaTypes {
 public:
  static bool is_pattern(std::string_view text) noexcept;

  void add(std::string_view pattern);                      // one that is_pattern() accepts
  bool has(std::string_view content_type) const noexcept;  // a Content-Type, parameters and all

 private:
  std::vector<std::string> exact_;
  std::vector<std::string> prefixes_;  // "text/"
  std::vector<std::string> suffixes_;  // "+json"
};

}  // namespace lingate::middleware::coding
