// Values: what ctx, metadata, config and JSON hold (null, booleans, numbers, UTF-8 text, lists, string-keyed maps), in
// engine-neutral form. A ValueSink takes a value as a stream of events; whoever has a value walks it into a sink. Two
// sinks are here, the wire (WireWriter) and JSON text (JsonWriter); every room adds one that builds native values, and
// one walk over native values. So a rule (depth, size, UTF-8, NaN) is written once and is the same in every language.
//
// Thread: none of these is shared. Lifetime: views passed to a sink are borrowed for that call; writers are made once
// and reused (reset() keeps their memory).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace lingate::runtimes {

// A rule about values was broken; the text is what the script's error says ("NaN is no value").
struct ValueError {
  std::string message;
};

// Events of one value. Each returns false to stop the walk; the reason is then in the sink's own error.
class ValueSink {
 public:
  virtual bool null() = 0;
  virtual bool boolean(bool value) = 0;
  virtual bool number(double value) = 0;
  virtual bool text(std::string_view utf8) = 0;
  virtual bool begin_list() = 0;
  virtual bool end_list() = 0;
  virtual bool begin_map() = 0;
  virtual bool key(std::string_view utf8) = 0;
  virtual bool end_map() = 0;

 protected:
  ~ValueSink() = default;
};

struct ValueLimits {
  std::size_t bytes = 64 * 1024;  // of the encoded value
  std::size_t depth = 32;         // lists and maps around a value
};

// Writes a Value (or, for ctx and metadata, a Members) of plugin.proto. Canonical: shortest varints, keys in the order
// given; a key given twice in one map is an error.
class WireWriter final : public ValueSink {
 public:
  explicit WireWriter(ValueLimits limits = {});

  void reset(ValueLimits limits);
  bool null() override;
  bool boolean(bool value) override;
  bool number(double value) override;  // NaN and infinities are errors
  bool text(std::string_view utf8) override;
  bool begin_list() override;
  bool end_list() override;
  bool begin_map() override;
  bool key(std::string_view utf8) override;
  bool end_map() override;

  // Records a rule that only the engine can see broken: a function, a cycle, a bytes object. The first one stays.
  bool refuse(std::string message);

  bool failed() const noexcept { return failed_; }
  const ValueError& error() const noexcept { return error_; }
  std::string_view value() const noexcept { return bytes_; }  // the encoded Value
  std::string_view members() const noexcept;                  // the encoded Members inside, where the value is a map

 private:
  // An open container. The lengths around it are not known yet: one byte is kept for each and widened at its end.
  struct Level {
    std::size_t wrapper;    // where the List entry or Member that holds this container begins; its key at the top
    std::size_t payload;    // where the container's own entries begin
    std::size_t name_size;  // of a Member: bytes of its name field
    bool map;
    bool in_map;
    bool top;
  };
  bool begin_entry(std::size_t value_size);
  bool open(bool map);
  bool close();
  bool check_room(std::size_t more);
  bool check_keys(std::size_t payload);

  ValueLimits limits_;
  std::string bytes_;
  std::vector<Level> levels_;
  std::vector<std::string_view> names_;  // of the map that is being closed
  std::string key_;
  ValueError error_;
  bool failed_ = false;
};

// Walks an encoded Value (or Members as a map) into `sink`. False if the sink stopped it or the bytes are malformed.
// An empty Value is null.
bool read_value(std::string_view value, ValueSink& sink);
bool read_members(std::string_view members, ValueSink& sink);

// Writes JSON text (RFC 8259) in the shortest form; integral numbers within ±2^53 without a fraction.
class JsonWriter final : public ValueSink {
 public:
  explicit JsonWriter(ValueLimits limits = {.bytes = 64 * 1024 * 1024, .depth = 128});

  void reset(ValueLimits limits);
  bool null() override;
  bool boolean(bool value) override;
  bool number(double value) override;
  bool text(std::string_view utf8) override;
  bool begin_list() override;
  bool end_list() override;
  bool begin_map() override;
  bool key(std::string_view utf8) override;
  bool end_map() override;
  bool refuse(std::string message);

  bool failed() const noexcept { return failed_; }
  const ValueError& error() const noexcept { return error_; }
  std::string_view json() const noexcept { return text_; }

 private:
  bool refuse_size();
  bool separate();
  bool open(char bracket);
  bool close(char bracket);
  bool quote(std::string_view utf8, std::size_t plain);

  ValueLimits limits_;
  std::string text_;
  std::size_t depth_ = 0;
  bool first_ = true;
  bool after_key_ = false;
  ValueError error_;
  bool failed_ = false;
};

// Parses JSON text into `sink`: strict RFC 8259, UTF-8, depth at most 128, no recursion. A number is a double (one
// that no double can hold is an error); a key given twice: the last wins in every language's native map, so it is
// passed on as it is. An error names the offset; if the sink stopped the parse, the sink knows why.
Result<void, ValueError> parse_json(std::string_view json, ValueSink& sink);

// A number as JSON has it: integral within ±2^53 without a fraction, else the shortest text that reads back the same.
std::string_view number_text(double value, std::span<char, 32> room) noexcept;

bool is_utf8(std::string_view text) noexcept;

}  // namespace lingate::runtimes
