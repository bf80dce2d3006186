// An exchange as the bytes of a plugin.Call: only what the hook takes (HookSet::arity) is put in. The request's head is
// encoded once per version of it and shared by all steps of a chain; the session is a copy of bytes that it already
// has.
//
// Thread: the exchange's worker. Lifetime: nothing is kept but the request's head in the Exchange.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "middleware/exchange.h"
#include "runtimes/runtime.h"

namespace lingate::middleware {

struct CallShape {
  runtimes::Hook hook = runtimes::Hook::request;
  bool request = false;  // with it the session
  bool response = false;
  bool context = false;
  bool request_body = false;  // put in where it is in one piece
  bool response_body = false;
  std::chrono::nanoseconds timeout{};
};

// What a hook of so many parameters reads.
CallShape shape_of(runtimes::Hook hook, std::int8_t arity) noexcept;

// Room that a caller keeps for the next call.
struct CallBuffers {
  std::string response_head;
};

// Replaces `out`, which keeps its capacity.
void encode_call(Exchange& exchange, const CallShape& shape, CallBuffers& buffers, std::string& out);

}  // namespace lingate::middleware
