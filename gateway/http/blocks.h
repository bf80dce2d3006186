// Blocks: the fixed buffers that bytes pass through, kept in a free list per worker and size. An idle connection holds
// none; a burst's surplus goes back to the heap, but not after every response (a heap that is trimmed and grown again
// for each large body costs more than the copy).
//
// Thread: the worker's. Lifetime: a Block gives its memory back to the pool that it came from, which outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace lingate::http {

class BlockPool;

// A buffer with the bytes [begin, end) in it.
class Block {
 public:
  Block() = default;
  Block(Block&& other) noexcept { swap(other); }
  Block& operator=(Block&& other) noexcept {
    Block taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Block() { release(); }

  explicit operator bool() const noexcept { return memory_ != nullptr; }
  std::string_view bytes() const noexcept { return {memory_ + begin, end - begin}; }
  char* memory() const noexcept { return memory_; }
  char* space() const noexcept { return memory_ + end; }
  std::size_t room() const noexcept { return capacity_ - end; }
  std::size_t capacity() const noexcept { return capacity_; }
  bool empty() const noexcept { return begin == end; }
  void clear() noexcept { begin = end = 0; }
  void compact() noexcept;  // moves the bytes to the front
  void release() noexcept;  // gives the memory back
  void swap(Block& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(capacity_, other.capacity_);
    std::swap(pool_, other.pool_);
    std::swap(begin, other.begin);
    std::swap(end, other.end);
  }

  std::uint32_t begin = 0;
  std::uint32_t end = 0;

 private:
  friend class BlockPool;
  char* memory_ = nullptr;
  std::uint32_t capacity_ = 0;
  BlockPool* pool_ = nullptr;  // nullptr: from the heap, of an odd size
};

class BlockPool {
 public:
  BlockPool(std::uint32_t block_size, std::uint32_t most_kept) : size_(block_size), most_(most_kept) {}
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  Block take();
  std::uint32_t block_size() const noexcept { return size_; }
  // A block of any size, outside the pools: for heads that outgrow theirs.
  static Block odd(std::uint32_t size);

 private:
  friend class Block;
  struct Free {
    Free* next;
  };
  void give_back(char* memory) noexcept;

  std::uint32_t size_;
  std::uint32_t most_;
  std::uint32_t kept_ = 0;
  Free* free_ = nullptr;
};

}  // namespace lingate::http
