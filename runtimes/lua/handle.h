// Handle: the value that names an object of a call: its kind, the slot of its call, and the slot's generation. It
// travels as the bits of a light userdata, so it can be forged by no script and needs no memory.
//
// Thread: a value; any. Lifetime: see objects.h.
#pragma once

#include <cstdint>

namespace lingate::runtimes::lua {

enum class Kind : std::uint8_t {
  null,
  request,
  response,
  request_headers,
  response_headers,
  params,
  client,
  session,
  count_
};

// In 39 bits, up to which LuaJIT keeps a light userdata as it is.
struct Handle {
  static constexpr unsigned kKindBits = 3;
  static constexpr unsigned kSlotBits = 14;
  static constexpr unsigned kGenerationBits = 22;

  Kind kind = Kind::null;
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;

  static Handle from(const void* light) noexcept {
    const auto bits = reinterpret_cast<std::uintptr_t>(light);
    if (bits >> (kGenerationBits + kSlotBits + kKindBits) != 0) return {};  // some other address
    return {static_cast<Kind>(bits & ((1U << kKindBits) - 1)),
            static_cast<std::uint32_t>(bits >> kKindBits & ((1U << kSlotBits) - 1)),
            static_cast<std::uint32_t>(bits >> (kKindBits + kSlotBits))};
  }
  void* light() const noexcept {
    const std::uintptr_t bits = static_cast<std::uintptr_t>(generation) << (kSlotBits + kKindBits) |
                                static_cast<std::uintptr_t>(slot) << kKindBits | static_cast<std::uintptr_t>(kind);
    return reinterpret_cast<void*>(bits);
  }
};

}  // namespace lingate::runtimes::lua
