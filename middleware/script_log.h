// ScriptLog: what a script logs (lingate.log, print, console) becomes lines of the application log with the id of the
// request that it ran for, its route and its step. A CallTag tells an instance whose call it runs: it is what the pool
// hands back with a line. An instance on another thread may still log for a call whose exchange is over; it then finds
// the tag's generation changed and the line goes out without an id: never with another request's. A script that logs in
// a loop fills no disk: its lines are counted.
//
// Thread: log() on whatever thread runs the instance; a tag is written by its worker and read by any.
// Lifetime: shared by a pool, which it outlives, and the steps that use that; tags live as long as their ScriptLog.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "middleware/app_log.h"
#include "runtimes/runtime.h"

namespace lingate::middleware {

class alignas(64) CallTag {
 public:
  static constexpr std::size_t kBytes = 160;  // of id and route together; more is cut

  struct Text {
    std::array<char, kBytes> bytes;
    std::size_t id_size = 0;
    std::size_t route_size = 0;
    std::string_view id() const noexcept { return {bytes.data(), id_size}; }
    std::string_view route() const noexcept { return {bytes.data() + id_size, route_size}; }
  };

  // Who knows the names of a call that stays on its thread, until end().
  class Names {
   public:
    virtual std::string_view id() = 0;
    virtual std::string_view route() = 0;

   protected:
    ~Names() = default;
  };

  // Owner: for the call that starts now. What it returns is the `tag` of that call. The first is for calls whose
  // instance runs on the owner's thread: whoever logs asks then, and most do not.
  void* begin(Names& names) noexcept;
  void* begin(std::string_view id, std::string_view route) noexcept;
  // Owner: the call is over; from here on its tag reads as empty.
  void end() noexcept;

  // Any thread. False: the call that this tag was made for is over.
  static bool read(void* tag, Text& text) noexcept;
  // Any thread. The lines of the call before this one.
  static std::uint32_t count_line(void* tag) noexcept;

 private:
  // The generation is odd during a call, and the words change only while it is even. A tag carries the one of its call
  // in bits that an aligned pointer leaves free; with 22 of them, a call would have to outlive four million others to
  // be taken for one of them.
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<Names*> names_{nullptr};  // instead of the words
  std::atomic<std::uint64_t> sizes_{0};
  std::atomic<std::uint32_t> lines_{0};
  std::array<std::atomic<std::uint64_t>, kBytes / 8> words_{};
};

class ScriptLog final : public runtimes::Host {
 public:
  // Of a call; outside of calls (while it loads, in a finaliser) of a second. One more says so, the rest is dropped.
  static constexpr std::uint32_t kMostLines = 256;

  ScriptLog(AppLog& log, std::string_view step) : log_(log), step_(step) {}

  void log(runtimes::LogLevel level, std::string_view message, std::string_view fields,
           void* call_tag) noexcept override;

  // A tag stays readable as long as this lives, whoever has it.
  CallTag& take_tag();
  void give_back(CallTag& tag) noexcept;

 private:
  std::uint32_t count_line_outside() noexcept;

  AppLog& log_;
  const std::string step_;
  std::atomic<std::int64_t> second_{0};          // in which there were
  std::atomic<std::uint32_t> lines_outside_{0};  // of calls
  std::mutex mutex_;                             // tags_, free_
  std::deque<CallTag> tags_;
  std::vector<CallTag*> free_;
};

}  // namespace lingate::middleware
