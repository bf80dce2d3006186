#include "runtimes/duktape/heap.h"

#include <malloc.h>
#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>

namespace lingate::runtimes::duktape {
namespace {

constexpr std::uint64_t kBlockOverhead = 8;  // the allocator's own word before each block
// Once the call is doomed its end must still go through: error objects, unwinding.
constexpr std::uint64_t kLastReserve = 256 * 1024;
constexpr std::uintptr_t kStackReserve = 64 * 1024;

std::uint64_t held(void* block) noexcept {
  return malloc_usable_size(block) + kBlockOverhead;
}

// The lowest address that scripts may reach on this thread's stack.
std::uintptr_t stack_floor() noexcept {
  pthread_attr_t attributes;
  void* lowest = nullptr;
  std::size_t size = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
  pthread_attr_getstack(&attributes, &lowest, &size);
  pthread_attr_destroy(&attributes);
  // The main thread's limit may be "unlimited": what matters is that recursion ends, so take at most 8 MiB from the
  // top.
  constexpr std::size_t kMost = 8 * 1024 * 1024;
  const auto bottom = reinterpret_cast<std::uintptr_t>(lowest);
  return bottom + (size > kMost ? size - kMost : 0) + kStackReserve;
}

thread_local const std::uintptr_t stack_floor_of_thread = stack_floor();

}  // namespace

Heap::Heap(Vm& vm, std::uint64_t limit) : vm_(&vm), limit_(limit) {
  static_assert(offsetof(Heap, brake_) == 0);
  std::jmp_buf way_out;
  way_out_ = &way_out;
  if (setjmp(way_out) == 0) {  // NOLINT(cert-err52-cpp): the engine's fatal handler may not return
    context_ = duk_create_heap(allocate, reallocate, release, this, fatal);
  } else {
    context_ = nullptr;
  }
  way_out_ = nullptr;
}

Heap::~Heap() {
  // An unsound heap is left behind: walking it could crash.
  if (context_ != nullptr && sound_) duk_destroy_heap(context_);
}

Heap& Heap::of(duk_context* ctx) noexcept {
  duk_memory_functions functions;
  duk_get_memory_functions(ctx, &functions);
  return *static_cast<Heap*>(functions.udata);
}

bool Heap::run(duk_safe_call_function work, void* argument, int results) noexcept {
  if (!sound_) return false;
  std::jmp_buf way_out;
  std::jmp_buf* const outer = way_out_;
  if (outer == nullptr) {
    way_out_ = &way_out;
    if (setjmp(way_out) != 0) {  // NOLINT(cert-err52-cpp)
      way_out_ = nullptr;
      sound_ = false;
      return false;
    }
  }
  const duk_int_t status = duk_safe_call(context_, work, argument, 0, results);
  way_out_ = outer;
  return status == DUK_EXEC_SUCCESS;
}

// The engine's own start always fits: an engine that fails half-way through it leaks what it has.
bool Heap::room_for(std::uint64_t more) const noexcept {
  if (context_ == nullptr) return true;
  return used_ + more <= limit_ + (is_out_of_memory() ? kLastReserve : 0);
}

void* Heap::allocate(void* udata, duk_size_t size) noexcept {
  Heap& heap = *static_cast<Heap*>(udata);
  if (size == 0 || !heap.room_for(size + kBlockOverhead)) return nullptr;
  void* const block = std::malloc(size);
  if (block != nullptr) heap.used_ += held(block);
  return block;
}

void* Heap::reallocate(void* udata, void* block, duk_size_t size) noexcept {
  if (block == nullptr) return allocate(udata, size);
  if (size == 0) {
    release(udata, block);
    return nullptr;
  }
  Heap& heap = *static_cast<Heap*>(udata);
  const std::uint64_t before = held(block);
  if (size > before && !heap.room_for(size - before)) return nullptr;
  void* const moved = std::realloc(block, size);
  if (moved != nullptr) heap.used_ += held(moved) - before;
  return moved;
}

void Heap::release(void* udata, void* block) noexcept {
  if (block == nullptr) return;
  static_cast<Heap*>(udata)->used_ -= held(block);
  std::free(block);
}

// Nothing that a script does comes here (every entry is a protected call); a defect of the engine may.
void Heap::fatal(void* udata, const char*) {
  Heap& heap = *static_cast<Heap*>(udata);
  if (heap.way_out_ == nullptr) std::abort();
  std::longjmp(*heap.way_out_, 1);  // NOLINT(cert-err52-cpp)
}

}  // namespace lingate::runtimes::duktape

extern "C" void lingate_duk_out_of_memory(void* udata) {
  static_cast<lingate::runtimes::duktape::Heap*>(udata)->out_of_memory();
}

extern "C" int lingate_duk_native_stack_check(void) {
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  return here < lingate::runtimes::duktape::stack_floor_of_thread ? 1 : 0;
}
