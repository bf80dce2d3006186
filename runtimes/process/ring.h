// Ring: frames from one process to another through shared memory: one writer, one reader, no lock and no system call.
// A frame lies in one piece, so that it is read where it lies; where it does not fit before the end of the ring, the
// rest is skipped. A writer that finds the ring empty starts at its beginning again, so that small frames stay in few
// pages however large the ring is.
//
// Neither side believes the other: positions and heads are copied before they are looked at, and what cannot be ends in
// broken(), for good. What a frame holds may still be changed by its writer while it is read: copy, then check.
//
// Thread: the writing end on one thread, the reading end on one. Lifetime: borrows the memory.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lingate::runtimes::process {

struct FrameHead {
  std::uint32_t size = 0;  // of what follows
  std::uint16_t kind = 0;
  std::uint16_t detail = 0;
  std::uint32_t id = 0;
  std::uint32_t reserved = 0;
  std::uint64_t serial = 0;
  std::int64_t number = 0;
};

struct Frame {
  FrameHead head;
  std::string_view payload;
};

// In the shared memory. Positions only grow; they are taken modulo the capacity.
struct RingCounters {
  alignas(64) std::atomic<std::uint64_t> written{0};
  alignas(64) std::atomic<std::uint64_t> read{0};
};

class RingWriter {
 public:
  RingWriter(RingCounters& counters, char* bytes, std::size_t capacity) noexcept
      : counters_(counters), bytes_(bytes), capacity_(capacity) {}

  // The largest payload: half a ring is free in one piece when the ring is empty, wherever it stands.
  std::size_t most() const noexcept {
    return std::min<std::size_t>(capacity_ / 2, UINT32_MAX / 2) - 2 * sizeof(FrameHead);
  }
  // Copies head and payload; false: there is no room now. `head.size` is filled in.
  bool write(FrameHead head, std::string_view payload) noexcept;
  bool broken() const noexcept { return broken_; }

 private:
  bool make_room(std::size_t need) noexcept;

  RingCounters& counters_;
  char* const bytes_;
  const std::size_t capacity_;  // a power of two
  std::uint64_t written_ = 0;
  bool broken_ = false;
};

class RingReader {
 public:
  RingReader(RingCounters& counters, const char* bytes, std::size_t capacity) noexcept
      : counters_(counters), bytes_(bytes), capacity_(capacity) {}

  // The next frame, there until pop(); false: there is none.
  bool peek(Frame& frame) noexcept;
  void pop() noexcept;
  bool broken() const noexcept { return broken_; }

 private:
  bool fail() noexcept {
    broken_ = true;
    return false;
  }

  RingCounters& counters_;
  const char* const bytes_;
  const std::size_t capacity_;
  std::uint64_t read_ = 0;
  std::uint64_t next_ = 0;  // after the frame that peek() showed
  bool broken_ = false;
};

}  // namespace lingate::runtimes::process
