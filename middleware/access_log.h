// AccessLog: one JSON line a request, with OpenTelemetry's field names, written straight into the worker's buffer of a
// LogWriter. The step `access-log` calls it; so may whoever ends an exchange that has no chain.
//
// Thread: the exchange's worker. Lifetime: the writer outlives it.
#pragma once

#include <string>

#include "middleware/exchange.h"
#include "middleware/log_writer.h"

namespace lingate::middleware {

class AccessLog {
 public:
  explicit AccessLog(LogWriter& writer) : writer_(writer) {}

  // The exchange's response, facts and step records are final.
  void write(Exchange& exchange) const;

 private:
  LogWriter& writer_;
};

// What the client asked for, for logs: steps may have rewritten path and query for the upstream, the target stays as it
// came, but for the values that its chain keeps secret.
struct ReceivedTarget {
  std::string_view path;
  std::string_view query;
  bool has_query = false;
};
ReceivedTarget received_target(Exchange& exchange);

// Appends the line with its line feed; `now` is when the exchange ended.
void append_access_line(std::string& line, Exchange& exchange, Clock::time_point now);

}  // namespace lingate::middleware
