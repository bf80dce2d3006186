#include "gateway/http/framed_content.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gateway/http/chunked.h"

namespace lingate::http {

bool FramedContent::add(std::string_view bytes, BlockPool& pool) noexcept {
  if (bytes.empty()) return true;
  if (!block_) block_ = pool.take();
  if (block_.room() < bytes.size()) block_.compact();
  if (block_.room() < bytes.size()) return false;
  std::memcpy(block_.space(), bytes.data(), bytes.size());
  block_.end += static_cast<std::uint32_t>(bytes.size());
  return true;
}

void FramedContent::restart() noexcept {
  block_.release();
  staged_at_ = staged_end_ = 0;
  chunk_left_ = 0;
  chunked_ = over_ = last_staged_ = false;
}

void FramedContent::stage(std::string_view framing) noexcept {
  std::copy(framing.begin(), framing.end(), staged_.begin());
  staged_at_ = 0;
  staged_end_ = static_cast<std::uint8_t>(framing.size());
}

std::size_t FramedContent::read(char* space, std::size_t room, std::size_t& used) noexcept {
  std::size_t sum = 0;
  used = 0;
  while (sum < room) {
    if (staged_at_ < staged_end_) {
      const std::size_t part = std::min<std::size_t>(staged_end_ - staged_at_, room - sum);
      std::copy_n(staged_.data() + staged_at_, part, space + sum);
      staged_at_ = static_cast<std::uint8_t>(staged_at_ + part);
      sum += part;
      continue;
    }
    const std::size_t here = size();
    if (chunked_ && chunk_left_ == 0) {
      if (here > 0) {
        chunk_left_ = static_cast<std::uint32_t>(here);
        std::array<char, kChunkHeadSpace> head;
        stage(write_chunk_head(here, head));
      } else if (over_ && !std::exchange(last_staged_, true)) {
        stage(kLastChunk);
      } else {
        break;
      }
      continue;
    }
    const std::size_t part = std::min({here, room - sum, chunked_ ? std::size_t{chunk_left_} : SIZE_MAX});
    if (part == 0) break;
    std::memcpy(space + sum, block_.bytes().data(), part);
    block_.begin += static_cast<std::uint32_t>(part);
    sum += part;
    used += part;
    if (chunked_ && (chunk_left_ -= static_cast<std::uint32_t>(part)) == 0) stage(kChunkEnd);
  }
  if (block_ && block_.empty()) block_.release();
  return sum;
}

}  // namespace lingate::http
