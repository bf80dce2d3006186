// Where a message's subject stands, in words: "'health' of upstream 'users'". A chain of frames on the stack, made into
// text only when something is wrong.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace lingate::config {

struct Where {
  const Where* outer = nullptr;  // nullptr: the top
  std::string_view thing;        // "route"; empty: `name` is a key
  std::string_view name;         // empty: `number` counts from 1
  std::size_t number = 0;

  std::string text() const {
    const std::string own = thing.empty()   ? fmt::format("'{}'", name)
                            : !name.empty() ? fmt::format("{} '{}'", thing, name)
                            : number == 0   ? std::string(thing)
                                            : fmt::format("{} {}", thing, number);
    return outer && outer->outer ? fmt::format("{} of {}", own, outer->text()) : own;
  }

  // " in route 'users'"; nothing at the top.
  std::string in() const { return outer ? " in " + text() : ""; }

  // "'every' in 'health' of upstream 'users'"
  std::string key(std::string_view key_name) const { return fmt::format("'{}'{}", key_name, in()); }
};

}  // namespace lingate::config
