// AppLog: the application log: faults, script log lines, what operators must know. One JSON line an event, valid UTF-8
// and at most 4 KiB whatever an event holds (a script may raise 100 MB of garbage). Access lines go elsewhere
// (access_log.h).
//
// Thread: any. It never blocks on its target; lines that do not fit are dropped and counted (log_writer.h).
// Lifetime: outlives everything that logs; views in an event are borrowed for the call.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace lingate::middleware {

class LogWriter;

enum class LogLevel : std::uint8_t { debug, info, warn, error };

struct AppEvent {
  LogLevel level = LogLevel::info;
  std::string_view message{};
  int code = 0;  // LG code; 0: none
  std::string_view request_id{};
  std::string_view route{};
  std::string_view step{};  // its label
  std::string_view file{};  // a script's place
  std::uint32_t line = 0;
  std::span<const std::string_view> stack{};  // innermost first; at most kMaxFrames are written
  std::string_view fields{};                  // a JSON object from a script's log call; empty: none
};

class AppLog {
 public:
  virtual bool wants(LogLevel level) const noexcept = 0;
  virtual void write(const AppEvent& event) noexcept = 0;

 protected:
  ~AppLog() = default;
};

inline constexpr std::size_t kMaxAppLine = 4096;  // with its line feed
inline constexpr std::size_t kMaxFrames = 20;

// The line of an event, with its line feed.
std::string format_event(const AppEvent& event, std::chrono::system_clock::time_point now);

// An spdlog logger whose sink is a LogWriter: spdlog decides by level, the writer never blocks and never hangs at the
// end, which spdlog's own asynchronous logger does if the target is blocked.
class JsonAppLog final : public AppLog {
 public:
  JsonAppLog(LogWriter& writer, LogLevel level);
  ~JsonAppLog();

  bool wants(LogLevel level) const noexcept override;
  void write(const AppEvent& event) noexcept override;

  LogLevel level() const noexcept;
  void set_level(LogLevel level) noexcept;  // any thread, any time

 private:
  const std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace lingate::middleware
