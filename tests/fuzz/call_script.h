// A script's operations on its call, out of a fuzzer's text; one token each (wire_text.h).
//
// g get, v values, l names, s set, a add, d remove a header (capitals: the response's); m method, p path, q query, t
// status; w and W assign a body, b reads both; J assigns a session, c clears it, k its tags, j its metadata, x ctx (J,
// j and x as JSON); r"status""kind""body""name""value"… responds, u drops that.
//
// Thread: the call's. Lifetime: nothing is kept.
#pragma once

#include "runtimes/call_view.h"
#include "tests/fuzz/wire_text.h"

namespace lingate::fuzz {

void run(runtimes::CallView& view, const Tokens& operation);

}  // namespace lingate::fuzz
