// Arena: bump allocation for text that lives as long as one call or one request. reset() keeps the first block, so a
// reused arena does not allocate in the steady state; a first block that one huge text made is not kept.
//
// Thread: its owner's. Lifetime: everything copied dies at reset() or with the arena.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <vector>

namespace lingate {

class Arena {
 public:
  explicit Arena(std::size_t first_block = 1024) : first_block_(first_block) {}

  char* allocate(std::size_t size) {
    if (size > left_) grow(size);
    char* place = next_;
    next_ += size;
    left_ -= size;
    return place;
  }

  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* place = allocate(text.size());
    std::memcpy(place, text.data(), text.size());
    return {place, text.size()};
  }

  std::string_view join(std::initializer_list<std::string_view> parts) {
    std::size_t size = 0;
    for (std::string_view part : parts)
      size += part.size();
    char* place = allocate(size);
    char* end = place;
    for (std::string_view part : parts)
      end = std::copy(part.begin(), part.end(), end);
    return {place, size};
  }

  void reset() noexcept {
    if (first_size_ > kKeep) return release();
    if (blocks_.size() > 1) blocks_.resize(1);
    next_ = blocks_.empty() ? nullptr : blocks_.front().get();
    left_ = blocks_.empty() ? 0 : first_size_;
  }

  // Gives everything back, for owners that go idle.
  void release() noexcept {
    blocks_.clear();
    blocks_.shrink_to_fit();
    next_ = nullptr;
    left_ = 0;
    first_size_ = 0;
  }

 private:
  static constexpr std::size_t kKeep = 64 * 1024;

  void grow(std::size_t size) {
    const std::size_t block = std::max(size, first_block_);
    if (blocks_.empty()) first_size_ = block;
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
    next_ = blocks_.back().get();
    left_ = block;
  }

  std::size_t first_block_;
  std::size_t first_size_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

// A plain value in an arena; aligned, and destroyed by nobody.
template <class T>
T* keep(Arena& arena, const T& value) {
  static_assert(std::is_trivially_destructible_v<T>);
  std::size_t room = sizeof(T) + alignof(T) - 1;
  void* place = arena.allocate(room);
  return new (std::align(alignof(T), sizeof(T), place, room)) T(value);
}

}  // namespace lingate
