// RESP3: what goes over the wire to Redis and back. Commands are lists of byte strings; answers are trees of values.
// The reader is strict: what is no RESP3, or larger than anything that lingate asks for, ends the conversation.
//
// Values and plain functions. Thread: a reader belongs to one. Lifetime: values own their bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace lingate::store::redis {

struct Value {
  enum class Kind : std::uint8_t { null, text, error, integer, list, push };

  Kind kind = Kind::null;
  std::int64_t integer = 0;    // of integers; of flags 0 and 1
  std::string text;            // of texts and errors; of large and real numbers their digits
  std::vector<Value> items{};  // of lists, sets and pushes; of maps names and values in turn

  bool is(Kind other) const noexcept { return kind == other; }
};

// One byte string of a command; a whole command is append_head(), then so many of these.
void append_head(std::string& out, std::size_t words);
void append_word(std::string& out, std::string_view word);
void append_command(std::string& out, std::span<const std::string_view> words);

// Takes bytes as they come and gives back whole values.
class RespReader {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20U;  // of one value
  static constexpr std::size_t kMostItems = 100'000;                 // of one list
  static constexpr int kMostDepth = 8;

  void feed(std::string_view bytes);
  // Nothing: it takes more bytes. An error is final.
  Result<std::optional<Value>> next();

 private:
  std::string buffer_;
  std::size_t at_ = 0;
  std::size_t least_ = 0;  // bytes behind at_ without which the value at hand cannot be whole
};

}  // namespace lingate::store::redis
