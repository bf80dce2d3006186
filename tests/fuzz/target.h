// What every fuzz target stands on: the entry that libFuzzer and replay.cpp call, a way to say that a property is
// broken, and a copy of bytes with nothing before or behind it, so that a read too far is seen.
//
// Thread: one. Lifetime: an input's bytes live for the one call.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

// 0: the input was looked at.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);  // NOLINT: libFuzzer names it

namespace lingate::fuzz {

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(bytes), size};
}

// A broken property ends the process as a crash does, so that the input is kept.
inline void require(bool holds, const char* property) noexcept {
  if (holds) return;
  std::fprintf(stderr, "broken property: %s\n", property);
  std::abort();
}

class Exact {
 public:
  explicit Exact(std::string_view text) : size_(text.size()), bytes_(new char[text.size()]) {
    std::copy(text.begin(), text.end(), bytes_.get());
  }
  std::string_view view() const noexcept { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

}  // namespace lingate::fuzz
