// The scripts that run inside Redis: every question is one, so that it is answered as a whole. What they do with which
// keys is said in README.md; what they take and give, in scripts.cpp.
//
// Constant data; any thread, any time.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lingate::store::redis {

class Script {
 public:
  explicit Script(std::string_view text);

  std::string_view text() const noexcept { return text_; }
  const std::string& hash() const noexcept { return hash_; }  // what Redis calls it

 private:
  std::string_view text_;
  std::string hash_;
};

struct Scripts {
  Script fetch;
  Script follow;
  Script scan;
  Script write;
  Script yield;
  Script rate;
  Script quota;
};
const Scripts& scripts();
std::span<const Script* const> all_scripts();

std::string sha1_hex(std::string_view bytes);

}  // namespace lingate::store::redis
