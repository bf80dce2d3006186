#include "middleware/error.h"

#include <array>

#include "base/codes.h"
#include "middleware/json_text.h"

namespace lingate::middleware {
namespace {

constexpr std::size_t kMaxProblem = 1024;

void write_problem(const CodeInfo& info, std::string_view request_id, std::string& document) {
  const std::string name = code_name(info.code);
  json::Writer text(document);
  text.raw("{\"type\":\"urn:lingate:");
  text.raw(name);
  text.raw("\",\"title\":");
  text.string(info.title);
  text.raw(",\"status\":");
  text.integer(static_cast<std::uint64_t>(status_of(info.code)));
  text.raw(",\"code\":\"");
  text.raw(name);
  text.raw("\",\"request_id\":");
  text.string(request_id, kMaxProblem / 2);
  text.raw("}\n");
}

}  // namespace

LogLevel level_of(int code) noexcept {
  if (code == code::kInternal || code == code::kStoreUnavailable || code / 1000 == 3) return LogLevel::error;
  if (code / 1000 == 4) return LogLevel::warn;
  return LogLevel::debug;
}

void set_problem(Exchange& exchange, int code) {
  const CodeInfo* info = find_code(code);
  if (!info) info = find_code(code::kInternal);
  const auto status = static_cast<std::uint16_t>(status_of(info->code));
  std::string document;
  document.reserve(kMaxProblem);
  write_problem(*info, exchange.id(), document);
  exchange.respond(status, document);
  exchange.response.source = Response::Source::gateway;
  exchange.response.headers.add("Content-Type", "application/problem+json");
}

void log_fault(Exchange& exchange, const Fault& fault) {
  AppLog& log = exchange.host().log();
  const LogLevel level = level_of(fault.code);
  if (!log.wants(level)) return;
  const CodeInfo* info = find_code(fault.code);
  const std::string_view title = info ? info->title : std::string_view("unknown fault");
  log.write({.level = level,
             .message = fault.detail.empty() ? title : std::string_view(fault.detail),
             .code = fault.code,
             .request_id = exchange.id(),
             .route = exchange.route(),
             .step = fault.step,
             .file = fault.file,
             .line = fault.line,
             .stack = fault.stack});
}

}  // namespace lingate::middleware
