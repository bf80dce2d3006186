#include "gateway/http/blocks.h"

#include <cstring>
#include <new>

namespace lingate::http {

void Block::compact() noexcept {
  if (begin == 0) return;
  std::memmove(memory_, memory_ + begin, end - begin);
  end -= begin;
  begin = 0;
}

void Block::release() noexcept {
  if (!memory_) return;
  if (pool_)
    pool_->give_back(memory_);
  else
    ::operator delete(memory_);
  memory_ = nullptr;
  pool_ = nullptr;
  capacity_ = begin = end = 0;
}

BlockPool::~BlockPool() {
  while (free_) {
    Free* next = free_->next;
    ::operator delete(free_);
    free_ = next;
  }
}

Block BlockPool::take() {
  Block block = odd(0);
  if (free_) {
    block.memory_ = reinterpret_cast<char*>(free_);
    free_ = free_->next;
    --kept_;
  } else {
    block.memory_ = static_cast<char*>(::operator new(size_));
  }
  block.capacity_ = size_;
  block.pool_ = this;
  return block;
}

Block BlockPool::odd(std::uint32_t size) {
  Block block;
  if (size == 0) return block;
  block.memory_ = static_cast<char*>(::operator new(size));
  block.capacity_ = size;
  return block;
}

void BlockPool::give_back(char* memory) noexcept {
  if (kept_ >= most_) {
    ::operator delete(memory);
    return;
  }
  free_ = new (memory) Free{free_};
  ++kept_;
}

}  // namespace lingate::http
