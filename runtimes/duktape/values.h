// Values between the engine and the value sinks: walk() sends a native value into a sink, Builder is the sink that
// makes native values, Tape keeps the events of a parser until the engine may be entered (the engine leaves by longjmp,
// which must not pass a parser that owns memory).
//
// Walking runs no script code: getters, Proxies and exotic objects are refused, not asked.
//
// Thread: the instance's. Lifetime: Builder's result is on the engine's stack.
#pragma once

#include <duktape.h>

#include <array>
#include <string>
#include <string_view>

#include "runtimes/value.h"

namespace lingate::runtimes::duktape {

class Builder final : public ValueSink {
 public:
  explicit Builder(duk_context* ctx) : ctx_(ctx) {}

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
  static constexpr std::size_t kMaxDepth = 129;
  bool place();
  bool open(bool map);
  bool close();

  duk_context* ctx_;
  std::size_t depth_ = 0;
  std::array<duk_uarridx_t, kMaxDepth> next_{};  // of a list: the next index; kMap for a map
};

class Tape final : public ValueSink {
 public:
  void reset();
  void play(ValueSink& sink) const;

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
  bool event(char kind);
  bool event(char kind, std::string_view text);
  std::string events_;
};

// One walk at a time; kept and reused, so that a walk that the engine leaves by longjmp loses nothing.
class Walker {
 public:
  // Sends the value at `index` into `sink`. False: error() says what was wrong and where, seen from `root`.
  bool walk(duk_context* ctx, duk_idx_t index, ValueSink& sink, std::string_view root);
  // What was wrong: "ctx.user.fn: a function is no value". `sink_error`: the sink's own words, if it has some.
  std::string_view error(const ValueError& sink_error);

 private:
  static constexpr std::size_t kMaxDepth = 130;
  struct Step {
    void* object;          // for cycles
    std::string_view key;  // of a map, as the engine keeps it (reachable while it is on the stack)
    unsigned long index;   // of a list
    bool map;
  };

  bool value(duk_context* ctx, ValueSink& sink);
  bool object(duk_context* ctx, ValueSink& sink);
  bool list(duk_context* ctx, ValueSink& sink, unsigned long length);
  bool map(duk_context* ctx, ValueSink& sink);
  bool refuse(std::string_view what);
  void note_path();

  std::string_view root_;
  std::array<Step, kMaxDepth> steps_;
  std::size_t depth_ = 0;
  std::string path_;
  std::string what_;
  std::string scratch_;
};

}  // namespace lingate::runtimes::duktape
