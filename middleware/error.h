// Errors: the one place where a fault becomes a response (problem+json, RFC 9457) and the one place that logs it. What
// the client sees is the code's title and the request id; the details are for the log only.
//
// Thread: the exchange's worker. Lifetime: nothing is kept.
#pragma once

#include "middleware/exchange.h"

namespace lingate::middleware {

// Sets exchange.response to the fault's problem document. Exchange::fail() is this and log_fault().
void set_problem(Exchange& exchange, int code);

// One line in the application log; for faults that do not end the exchange (`on_error: continue`, `log` hooks) too.
// Clients' mistakes and policy are logged as debug, upstreams' as warn, scripts', the store's and our own as error.
void log_fault(Exchange& exchange, const Fault& fault);

LogLevel level_of(int code) noexcept;

}  // namespace lingate::middleware
