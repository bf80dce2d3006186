// Outbox: one gathering write and what is left of it. A caller adds pieces (a head, slices of a body, chunk framing)
// and flushes; what the socket did not take stays listed, so the pieces must stay where they are until it is empty.
// Small pieces that live nowhere (chunk heads) are stored inside.
//
// Thread: the worker's. Lifetime: views must outlive the flush, or be given a home by keep().
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "gateway/http/chunked.h"
#include "gateway/http/stream.h"

namespace lingate::http {

enum class Sent : std::uint8_t { all, blocked, failed };

class Outbox {
 public:
  static constexpr std::size_t kMaxPieces = 24;

  bool empty() const noexcept { return first_ == count_; }
  std::size_t bytes() const noexcept;

  void add(std::string_view piece) noexcept;
  // A chunk's head around what follows: its size must be known.
  void add_chunk_head(std::uint64_t size) noexcept;
  void clear() noexcept { first_ = count_ = 0; }

  // Sends what it can.
  Sent flush(Stream& to) noexcept;
  // Moves pieces that lie in [scratch, scratch + size) into the arena: after a partial write, before the scratch is
  // used by another.
  void keep(const char* scratch, std::size_t size, Arena& arena);

 private:
  std::array<iovec, kMaxPieces> pieces_;
  std::uint32_t first_ = 0;
  std::uint32_t count_ = 0;
  std::array<char, kChunkHeadSpace> chunk_head_;
};

}  // namespace lingate::http
