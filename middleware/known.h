// Known: what was found out a moment ago about a text that clients send (a token, a key), so that one which comes with
// every request is looked at once. Bounded in number and bytes: what was not used for the longest goes first, in
// halves. Nothing is known beyond the time that it was learnt for. Texts are compared in constant time and found under
// a hash that strangers cannot aim at.
//
// `Value` is what is known, `kBytesOf` what one takes beside its own size, `Time` the point until which it holds.
// Thread: its worker's. Lifetime: a value that find() returns lives until the next call.
#pragma once

#include <openssl/crypto.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "middleware/limits/keyed_hash.h"

namespace lingate::middleware {

template <class Value, class Time, std::size_t (*kBytesOf)(const Value&)>
class Known {
 public:
  static constexpr std::size_t kMost = 4096;
  static constexpr std::size_t kMostBytes = 16 * 1024 * 1024;

  explicit Known(limits::KeyedHash hash) : hash_(hash) {}

  // nullptr: not known.
  const Value* find(std::string_view text, Time now) {
    const limits::Key key = hash_(0, 0, text);
    auto found = young_.entries.find(key);
    if (found == young_.entries.end()) {
      const auto old = old_.entries.find(key);
      if (old == old_.entries.end()) return nullptr;
      Entry entry = std::move(old->second);
      old_.take_out(old, entry.bytes());
      put(key, std::move(entry));
      found = young_.entries.find(key);
    }
    const Entry& entry = found->second;
    if (now < entry.until && same(entry.text, text)) return &entry.value;
    young_.take_out(found, entry.bytes());
    return nullptr;
  }

  void learn(std::string_view text, Value value, Time until) {
    const limits::Key key = hash_(0, 0, text);
    for (Half* const half : {&young_, &old_})
      if (const auto found = half->entries.find(key); found != half->entries.end())
        half->take_out(found, found->second.bytes());
    put(key, {.text = std::string(text), .value = std::move(value), .until = until});
  }

  void forget_all() noexcept {
    young_ = Half{};
    old_ = Half{};
  }

  std::size_t size() const noexcept { return young_.entries.size() + old_.entries.size(); }
  std::size_t bytes() const noexcept { return young_.bytes + old_.bytes; }

 private:
  struct Entry {
    std::string text;
    Value value;
    Time until;
    std::size_t bytes() const noexcept { return sizeof *this + text.size() + kBytesOf(value) + 64; }
  };
  struct HashOfKey {
    std::size_t operator()(const limits::Key& key) const noexcept { return key.low; }
  };
  using Entries = std::unordered_map<limits::Key, Entry, HashOfKey>;
  struct Half {
    Entries entries;
    std::size_t bytes = 0;
    void take_out(typename Entries::iterator entry, std::size_t its_bytes) {
      bytes -= its_bytes;
      entries.erase(entry);
    }
  };

  static bool same(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
  }

  // A full half becomes the old one, and what was left of that goes.
  void put(const limits::Key& key, Entry entry) {
    const std::size_t bytes = entry.bytes();
    if (young_.entries.size() >= kMost / 2 || young_.bytes + bytes > kMostBytes / 2)
      old_ = std::exchange(young_, Half{});
    young_.bytes += bytes;
    young_.entries.emplace(key, std::move(entry));
  }

  limits::KeyedHash hash_;
  Half young_;  // used since it was begun
  Half old_;
};

}  // namespace lingate::middleware
