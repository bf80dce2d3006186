#include "runtimes/python/account.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <unordered_map>

#include "runtimes/python/engine.h"
#include "runtimes/python/interrupt.h"
#include "runtimes/python/thread.h"

namespace lingate::runtimes::python {
namespace {

// In front of every block of the raw domain: who pays for it. 16 bytes, so that alignment stays malloc's.
struct alignas(16) Header {
  Account* owner;
  std::size_t size;
};

constexpr std::size_t kMaximum = std::numeric_limits<std::size_t>::max() / 2 - sizeof(Header);

bool charge(Account* account, std::size_t bytes) noexcept {
  if (account == nullptr || account->charge(bytes)) return true;
  if (Interrupt* running = here().interrupt) running->out_of_memory();
  return false;
}

void* raw_malloc(void*, std::size_t size) {
  Account* account = here().account;
  if (size > kMaximum || !charge(account, size)) return nullptr;
  auto* block = static_cast<Header*>(std::malloc(sizeof(Header) + size));
  if (block == nullptr) {
    if (account != nullptr) account->credit(size);
    return nullptr;
  }
  *block = {account, size};
  return block + 1;
}

void* raw_calloc(void*, std::size_t count, std::size_t each) {
  if (each != 0 && count > kMaximum / each) return nullptr;
  const std::size_t size = count * each;
  Account* account = here().account;
  if (!charge(account, size)) return nullptr;
  auto* block = static_cast<Header*>(std::calloc(1, sizeof(Header) + size));
  if (block == nullptr) {
    if (account != nullptr) account->credit(size);
    return nullptr;
  }
  *block = {account, size};
  return block + 1;
}

void raw_free(void*, void* place) {
  if (place == nullptr) return;
  Header* block = static_cast<Header*>(place) - 1;
  if (block->owner != nullptr) block->owner->credit(block->size);
  std::free(block);
}

void* raw_realloc(void* context, void* place, std::size_t size) {
  if (place == nullptr) return raw_malloc(context, size);
  Header* block = static_cast<Header*>(place) - 1;
  Account* owner = block->owner;
  const std::size_t before = block->size;
  if (size > kMaximum || (size > before && !charge(owner, size - before))) return nullptr;
  auto* moved = static_cast<Header*>(std::realloc(block, sizeof(Header) + size));
  if (moved == nullptr) {
    if (owner != nullptr && size > before) owner->credit(size - before);
    return nullptr;
  }
  moved->size = size;
  if (owner != nullptr && size < before) owner->credit(before - size);
  return moved + 1;
}

// Arenas hold the small objects. Their owners stand beside them, because an arena is all payload.
struct Arenas {
  std::unordered_map<void*, Account*> owners;
};

void* arena_alloc(void* context, std::size_t size) {
  Account* account = here().account;
  if (!charge(account, size)) return nullptr;
  void* place = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) {
    if (account != nullptr) account->credit(size);
    return nullptr;
  }
  if (account != nullptr) static_cast<Arenas*>(context)->owners.emplace(place, account);
  return place;
}

void arena_free(void* context, void* place, std::size_t size) {
  auto& owners = static_cast<Arenas*>(context)->owners;
  if (const auto owner = owners.find(place); owner != owners.end()) {
    owner->second->credit(size);
    owners.erase(owner);
  }
  ::munmap(place, size);
}

// The small-object domains: CPython's own allocator, asked first whether a call that does not come back from C code
// should find no memory (Interrupt::starve).
struct Small {
  PyMemAllocatorEx next;
};

void* small_malloc(void* context, std::size_t size) {
  if (Interrupt* running = here().interrupt; running != nullptr && running->starved()) return nullptr;
  const auto& next = static_cast<Small*>(context)->next;
  return next.malloc(next.ctx, size);
}

void* small_calloc(void* context, std::size_t count, std::size_t each) {
  if (Interrupt* running = here().interrupt; running != nullptr && running->starved()) return nullptr;
  const auto& next = static_cast<Small*>(context)->next;
  return next.calloc(next.ctx, count, each);
}

void* small_realloc(void* context, void* place, std::size_t size) {
  const auto& next = static_cast<Small*>(context)->next;
  return next.realloc(next.ctx, place, size);
}

void small_free(void* context, void* place) {
  const auto& next = static_cast<Small*>(context)->next;
  next.free(next.ctx, place);
}

void wrap(PyMemAllocatorDomain domain) {
  auto* small = new Small;  // as long as the process, like the interpreter
  PyMem_GetAllocator(domain, &small->next);
  PyMemAllocatorEx ours{small, small_malloc, small_calloc, small_realloc, small_free};
  PyMem_SetAllocator(domain, &ours);
}

}  // namespace

Account::Account(std::uint64_t limit) noexcept
    : limit_(limit), unwinding_(std::max<std::uint64_t>(limit / 8, std::uint64_t{256} * 1024)) {}

bool Account::charge(std::size_t bytes) noexcept {
  const auto size = static_cast<std::int64_t>(bytes);
  const std::int64_t before = used_.fetch_add(size, std::memory_order_relaxed);
  const std::uint64_t allowed = limit_ + slack_.load(std::memory_order_relaxed);
  if (limit_ == 0 || static_cast<std::uint64_t>(before) + bytes <= allowed + 1) return true;
  used_.fetch_sub(size, std::memory_order_relaxed);
  return false;
}

void Account::credit(std::size_t bytes) noexcept {
  const auto size = static_cast<std::int64_t>(bytes);
  if (used_.fetch_sub(size, std::memory_order_acq_rel) == size) delete this;
}

void install_allocators() {
  PyMemAllocatorEx raw{nullptr, raw_malloc, raw_calloc, raw_realloc, raw_free};
  PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &raw);
  PyObjectArenaAllocator arenas{new Arenas, arena_alloc, arena_free};
  PyObject_SetArenaAllocator(&arenas);
  wrap(PYMEM_DOMAIN_MEM);
  wrap(PYMEM_DOMAIN_OBJ);
}

}  // namespace lingate::runtimes::python
