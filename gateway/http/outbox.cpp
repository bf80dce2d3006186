#include "gateway/http/outbox.h"

#include <cassert>

namespace lingate::http {

std::size_t Outbox::bytes() const noexcept {
  std::size_t sum = 0;
  for (std::uint32_t k = first_; k < count_; ++k)
    sum += pieces_[k].iov_len;
  return sum;
}

void Outbox::add(std::string_view piece) noexcept {
  if (piece.empty()) return;
  if (empty()) clear();
  assert(count_ < kMaxPieces);
  pieces_[count_++] = {const_cast<char*>(piece.data()), piece.size()};
}

void Outbox::add_chunk_head(std::uint64_t size) noexcept {
  add(write_chunk_head(size, chunk_head_));
}

Sent Outbox::flush(Stream& to) noexcept {
  if (empty()) return Sent::all;
  const std::ptrdiff_t sent = to.write({&pieces_[first_], count_ - first_});
  if (sent <= 0) return sent == 0 ? Sent::blocked : Sent::failed;
  auto left = static_cast<std::size_t>(sent);
  while (first_ < count_ && left >= pieces_[first_].iov_len)
    left -= pieces_[first_++].iov_len;
  if (first_ < count_) {
    pieces_[first_].iov_base = static_cast<char*>(pieces_[first_].iov_base) + left;
    pieces_[first_].iov_len -= left;
    return Sent::blocked;  // a short write: the socket's buffer is full, the next edge tells when it is not
  }
  clear();
  return Sent::all;
}

void Outbox::keep(const char* scratch, std::size_t size, Arena& arena) {
  for (std::uint32_t k = first_; k < count_; ++k) {
    const char* at = static_cast<const char*>(pieces_[k].iov_base);
    if (at < scratch || at >= scratch + size) continue;
    pieces_[k].iov_base = const_cast<char*>(arena.copy({at, pieces_[k].iov_len}).data());
  }
}

}  // namespace lingate::http
