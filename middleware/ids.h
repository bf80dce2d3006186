// IdSource: unpredictable ids for one worker: UUIDs of version 7 (RFC 9562, section 5.7) for requests, random bytes for
// trace and span ids. They come from AES-128 in counter mode with a key from the system's generator, many bytes at a
// time, so that an id costs nanoseconds and no request waits for the kernel.
//
// Thread: its worker's. Lifetime: the worker's.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace lingate::middleware {

class IdSource {
 public:
  IdSource();
  ~IdSource();
  IdSource(const IdSource&) = delete;
  IdSource& operator=(const IdSource&) = delete;

  static constexpr std::size_t kUuidLength = 36;

  // Lower-case "xxxxxxxx-xxxx-7xxx-yxxx-xxxxxxxxxxxx"; ids of one millisecond do not sort among themselves.
  void uuid7(std::chrono::system_clock::time_point now, std::span<char, kUuidLength> out) noexcept;

  std::uint64_t random() noexcept;  // never zero

 private:
  class Generator;
  void refill() noexcept;

  const std::unique_ptr<Generator> generator_;
  std::array<std::uint64_t, 128> pool_{};
  std::size_t left_ = 0;
};

}  // namespace lingate::middleware
