// Values to and from Lua. TableBuilder is the sink that makes native tables; walk() reads one into a sink. Keys 1..n
// are a list, an empty table is a map unless lingate.array() marked it; lingate.null is a light userdata.
//
// Thread: the instance's. Both may raise a memory error through their caller.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtimes/lua/environment.h"
#include "runtimes/value.h"

namespace lingate::runtimes::lua {

inline void push_null(lua_State* state) {
  lua_pushlightuserdata(state, nullptr);
}
inline bool is_null(lua_State* state, int index) {
  return lua_islightuserdata(state, index) && !lua_touserdata(state, index);
}

// Leaves one value on the stack when the walk into it is over.
class TableBuilder final : public ValueSink {
 public:
  explicit TableBuilder(lua_State* state);

  bool null() override;
  bool boolean(bool value) override;
  bool number(double value) override;
  bool text(std::string_view utf8) override;
  bool begin_list() override;
  bool end_list() override;
  bool begin_map() override;
  bool key(std::string_view utf8) override;
  bool end_map() override;

 private:
  static constexpr std::size_t kDepth = 256;
  static constexpr int kMostExpected = 8;

  struct Level {
    bool list;
    int entries;
  };

  bool store();
  bool open(bool list);
  bool close();
  // What lies side by side is mostly of one size: a table has the room that the last one at its depth has taken.
  int& expected(std::size_t depth) { return expected_[depth < expected_.size() ? depth : expected_.size() - 1]; }

  lua_State* state_;
  Environment& environment_;
  std::size_t depth_ = 0;
  std::array<Level, kDepth> levels_;
  std::array<int, 8> expected_{};
};

// Where in a value the walk is, for messages: "ctx.user[3].name". Segments are borrowed from the value.
class Path {
 public:
  explicit Path(std::string_view root) : root_(root) {}
  void enter(std::string_view key) noexcept { push({key, 0}); }
  void enter(int index) noexcept { push({{}, index}); }
  void leave() noexcept { --depth_; }
  std::string text() const;

 private:
  struct Segment {
    std::string_view key;
    int index;
  };
  void push(Segment segment) noexcept {
    if (depth_ < segments_.size()) segments_[depth_] = segment;
    ++depth_;
  }
  std::string_view root_;
  std::size_t depth_ = 0;
  std::array<Segment, 160> segments_;
};

// Whether the table at `index` surely holds what `members` say and nothing else: texts, numbers and booleans only.
// False tells nothing. Spares who has only read a table that it is written and compared.
bool surely_holds(lua_State* state, int index, std::string_view members);

// False if the value is none; `sink` then says why, with the place: "ctx.user.fn: a function is no value".
// Sink is WireWriter, JsonWriter or module::QueryWriter. Runs no script code.
template <class Sink>
bool walk(lua_State* state, int index, Sink& sink, std::string_view root, std::string& error);

}  // namespace lingate::runtimes::lua
