#include "runtimes/builtin.h"

#include <array>

#include "runtimes/duktape/duktape.h"
#include "runtimes/echo/echo.h"
#include "runtimes/lua/lua.h"
#include "runtimes/python/python.h"

namespace lingate::runtimes {

std::span<const Room> builtin_rooms() noexcept {
  static constexpr std::array<Room, 4> kRooms{{
      {"lua", lua::make_lua},
      {"python", python::make_python},
      {"js", duktape::make_duktape},
      {"echo", echo::make_echo},
  }};
  return kRooms;
}

}  // namespace lingate::runtimes
