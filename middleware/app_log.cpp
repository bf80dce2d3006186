#include "middleware/app_log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/sink.h>

#include <algorithm>
#include <array>

#include "base/codes.h"
#include "middleware/json_text.h"
#include "middleware/log_writer.h"

namespace lingate::middleware {
namespace {

constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warn", "error"};

constexpr std::size_t kMaxMessage = 1500;  // bytes as written, escapes included
constexpr std::size_t kMaxName = 200;      // ids, routes, labels
constexpr std::size_t kMaxFile = 400;
constexpr std::size_t kMaxFrame = 300;

// Appends `,"name":"text"` while the line has room for it and for what must still follow.
class LineBuilder {
 public:
  explicit LineBuilder(json::Writer& line) : line_(line) {}

  void text(std::string_view name, std::string_view value, std::size_t room) {
    if (value.empty() || !fits(name.size() + room)) return;
    member(name);
    line_.string(value, room);
  }

  void integer(std::string_view name, std::uint64_t value) {
    if (value == 0 || !fits(name.size() + 20)) return;
    member(name);
    line_.integer(value);
  }

  void stack(std::span<const std::string_view> frames) {
    if (frames.empty() || !fits(10)) return;
    member("stack");
    line_.raw("[");
    const std::size_t count = std::min(frames.size(), kMaxFrames);
    for (std::size_t k = 0; k < count && fits(kMaxFrame); ++k) {
      if (k != 0) line_.raw(",");
      line_.string(frames[k], kMaxFrame);
    }
    line_.raw("]");
  }

  // A JSON object as it is, or nothing: half an object would be none.
  void object(std::string_view name, std::string_view json) {
    if (json.empty()) return;
    if (fits(name.size() + json.size())) {
      member(name);
      line_.raw(json);
    } else {
      text("lingate.fields_dropped", "the fields do not fit into a line of 4 KiB", 64);
    }
  }

 private:
  bool fits(std::size_t size) const noexcept { return line_.size() + size + 40 <= kMaxAppLine; }

  void member(std::string_view name) {
    line_.raw(",\"");
    line_.raw(name);
    line_.raw("\":");
  }

  json::Writer& line_;
};

// Hands spdlog's messages, which are whole lines, to a writer.
class WriterSink final : public spdlog::sinks::sink {
 public:
  explicit WriterSink(LogWriter& writer) : writer_(writer) {}

  void log(const spdlog::details::log_msg& message) override {
    writer_.write_shared(std::string(message.payload.data(), message.payload.size()));
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  LogWriter& writer_;
};

spdlog::level::level_enum spdlog_level(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: break;
  }
  return spdlog::level::err;
}

std::int64_t microseconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

void write_event(const AppEvent& event, std::chrono::system_clock::time_point now, std::string& text) {
  json::Writer line(text);
  line.raw("{\"timestamp\":");
  line.timestamp(microseconds(now));
  line.raw(",\"level\":\"");
  line.raw(kLevels[static_cast<std::size_t>(event.level)]);
  line.raw("\",\"message\":");
  line.string(event.message, kMaxMessage);
  LineBuilder builder(line);
  if (event.code != 0) builder.text("code", code_name(event.code), 16);
  builder.text("request_id", event.request_id, kMaxName);
  builder.text("route", event.route, kMaxName);
  builder.text("step", event.step, kMaxName);
  builder.text("file", event.file, kMaxFile);
  builder.integer("line", event.line);
  builder.stack(event.stack);
  builder.object("fields", event.fields);
  line.raw("}\n");
}

}  // namespace

std::string format_event(const AppEvent& event, std::chrono::system_clock::time_point now) {
  std::string line;
  line.reserve(512);
  write_event(event, now, line);
  return line;
}

JsonAppLog::JsonAppLog(LogWriter& writer, LogLevel level)
    : logger_(std::make_unique<spdlog::logger>("lingate", std::make_shared<WriterSink>(writer))) {
  logger_->set_level(spdlog_level(level));
}

JsonAppLog::~JsonAppLog() = default;

bool JsonAppLog::wants(LogLevel level) const noexcept {
  return logger_->should_log(spdlog_level(level));
}

LogLevel JsonAppLog::level() const noexcept {
  switch (logger_->level()) {
    case spdlog::level::debug: return LogLevel::debug;
    case spdlog::level::info: return LogLevel::info;
    case spdlog::level::warn: return LogLevel::warn;
    default: return LogLevel::error;
  }
}

void JsonAppLog::set_level(LogLevel level) noexcept {
  logger_->set_level(spdlog_level(level));
}

void JsonAppLog::write(const AppEvent& event) noexcept {
  if (!wants(event.level)) return;
  const std::string line = format_event(event, std::chrono::system_clock::now());
  logger_->log(spdlog_level(event.level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace lingate::middleware
