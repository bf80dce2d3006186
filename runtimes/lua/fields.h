// Fields: the names that scripts use on req, res and session, as small numbers. LuaJIT keeps each string once, so a
// name is known by its address: finding it is one probe, not a comparison of text.
//
// Thread: the instance's. Lifetime: one VM's; the names are anchored in its registry.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "runtimes/lua/engine.h"

namespace lingate::runtimes::lua {

enum class Field : std::uint8_t {
  unknown,
  id,
  method,
  scheme,
  host,
  path,
  query,
  version,
  params,
  headers,
  body,
  client,
  route,
  session,
  text,
  json,
  status,
  ip,
  port,
  tls,
  alias,
  org,
  tags,
  metadata,
  rate,
  per,
  burst,
  quota_max,
  quota_remaining,
  quota_renews,
  expires,
  values,
  add,
  lines,
  count_
};

class Fields {
 public:
  void learn(lua_State* state);

  // The string at `index`; unknown for any other name and for what is no string.
  Field at(lua_State* state, int index) const noexcept {
    return lua_type(state, index) == LUA_TSTRING ? of(lua_tolstring(state, index, nullptr)) : Field::unknown;
  }

  // The same for the bytes of one of the VM's strings.
  Field of(const char* name) const noexcept {
    for (std::size_t slot = start(name);; slot = (slot + 1) % kSlots) {
      if (names_[slot] == name) return fields_[slot];
      if (!names_[slot]) return Field::unknown;
    }
  }

 private:
  static constexpr std::size_t kSlots = 128;
  static std::size_t start(const char* name) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(name);
    return (address >> 4 ^ address >> 11) % kSlots;
  }

  std::array<const char*, kSlots> names_{};
  std::array<Field, kSlots> fields_{};
};

}  // namespace lingate::runtimes::lua
