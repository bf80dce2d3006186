#include "gateway/reload/changes.h"

namespace lingate {

middleware::LogLevel level_of(config::Log::Level level) {
  switch (level) {
    case config::Log::Level::debug: return middleware::LogLevel::debug;
    case config::Log::Level::warn: return middleware::LogLevel::warn;
    case config::Log::Level::error: return middleware::LogLevel::error;
    case config::Log::Level::info: break;
  }
  return middleware::LogLevel::info;
}

std::vector<std::string> what_takes_a_start(const config::Model& now, const config::Model& next) {
  std::vector<std::string> names;
  const auto note = [&names](const char* name, bool differs) {
    if (differs) names.emplace_back(name);
  };
  note("workers", now.workers != next.workers);
  note("store", !(now.store == next.store));
  note("log.file", now.log.file != next.log.file);
  note("tracing", now.tracing.has_value() != next.tracing.has_value());
  if (now.tracing && next.tracing) note("tracing.otlp and tracing.service", now.tracing->otlp != next.tracing->otlp);
  note("admin", now.admin.has_value() != next.admin.has_value());
  if (!now.admin || !next.admin) return names;
  note("admin.address", now.admin->address != next.admin->address);
  note("admin.hosts", now.admin->hosts != next.admin->hosts);
  note("admin.token",
       now.admin->token.file != next.admin->token.file || now.admin->token.text.text != next.admin->token.text.text);
  return names;
}

void apply_log_level(const config::Model& now, const config::Model& next, middleware::JsonAppLog& log) {
  if (now.log.level != next.log.level) log.set_level(level_of(next.log.level));
}

}  // namespace lingate
