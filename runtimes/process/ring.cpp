#include "runtimes/process/ring.h"

#include <cstring>

namespace lingate::runtimes::process {
namespace {

constexpr std::uint32_t kSkip = UINT32_MAX;      // instead of a frame's size: go on at the beginning
constexpr std::size_t kRewindAfter = 64 * 1024;  // an empty ring is begun again once it has come so far

// Frames are aligned to eight bytes; so at least that many are left at the end for a kSkip.
constexpr std::size_t room_of(std::size_t payload) noexcept {
  return (sizeof(FrameHead) + payload + 7) & ~std::size_t{7};
}

}  // namespace

// Skips to the beginning where that has to be or is better. False: no room.
bool RingWriter::make_room(std::size_t need) noexcept {
  const std::uint64_t read = counters_.read.load(std::memory_order_acquire);
  const std::uint64_t used = written_ - read;
  if (used > capacity_) {
    broken_ = true;
    return false;
  }
  const std::size_t at = written_ & (capacity_ - 1);
  const std::size_t left = capacity_ - at;
  const bool skip_fits = capacity_ - used >= left + need;
  const bool rewinds = used == 0 && at > kRewindAfter && skip_fits;
  if (left >= need && !rewinds) return capacity_ - used >= need;
  if (!skip_fits) return false;
  std::memcpy(bytes_ + at, &kSkip, sizeof kSkip);
  written_ += left;
  return true;
}

bool RingWriter::write(FrameHead head, std::string_view payload) noexcept {
  const std::size_t need = room_of(payload.size());
  if (broken_ || payload.size() > most() || !make_room(need)) return false;
  char* const to = bytes_ + (written_ & (capacity_ - 1));
  head.size = static_cast<std::uint32_t>(payload.size());
  std::memcpy(to, &head, sizeof head);
  if (!payload.empty()) std::memcpy(to + sizeof head, payload.data(), payload.size());
  written_ += need;
  counters_.written.store(written_, std::memory_order_release);
  return true;
}

bool RingReader::peek(Frame& frame) noexcept {
  if (broken_) return false;
  const std::uint64_t written = counters_.written.load(std::memory_order_acquire);
  if (written == read_) return false;
  if (written - read_ > capacity_) return fail();
  std::size_t at = read_ & (capacity_ - 1);
  std::uint32_t size = 0;
  std::memcpy(&size, bytes_ + at, sizeof size);
  if (size == kSkip) {
    read_ += capacity_ - at;
    at = 0;
  }
  const std::uint64_t left = written - read_;
  if (left < sizeof(FrameHead) || left > capacity_) return fail();
  std::memcpy(&frame.head, bytes_ + at, sizeof frame.head);
  const std::size_t need = room_of(frame.head.size);
  if (need > left || need > capacity_ - at) return fail();
  frame.payload = {bytes_ + at + sizeof(FrameHead), frame.head.size};
  next_ = read_ + need;
  return true;
}

void RingReader::pop() noexcept {
  read_ = next_;
  counters_.read.store(read_, std::memory_order_release);
}

}  // namespace lingate::runtimes::process
