// An exchange as the parts of a plugin.Call: only what the hook takes (HookSet::arity) is there. The request is encoded
// once per version of it and shared by all steps of a chain; the session is a copy of bytes that it already has.
// ExchangeCall is for a script that runs on the exchange's own thread: what it does not read is not encoded.
// encode_call() is for one that runs elsewhere, or after the exchange: it has the bytes of all of it.
//
// Thread: the exchange's worker. Lifetime: nothing is kept but the request's pieces in the Exchange.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include "middleware/exchange.h"
#include "runtimes/call_source.h"
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
  std::array<std::string, 2> lines;  // one header of each side
};

// Replaces `out`, which keeps its capacity.
void encode_call(Exchange& exchange, const CallShape& shape, CallBuffers& buffers, std::string& out);

class ExchangeCall final : public runtimes::CallSource {
 public:
  using Side = runtimes::Side;

  // All are borrowed while the call runs.
  void begin(Exchange& exchange, const CallShape& shape, CallBuffers& buffers) noexcept {
    exchange_ = &exchange;
    shape_ = &shape;
    buffers_ = &buffers;
  }

  std::string_view request_texts() override;
  std::string_view request_lines() override;
  std::uint32_t status() override;
  std::string_view response_lines() override;
  Size most_of(Side side) override;
  std::optional<std::string_view> header(Side side, std::string_view name) override;
  std::string_view body(Side side) override;
  std::optional<std::string_view> session() override;
  std::string_view context() override;

 private:
  Exchange* exchange_ = nullptr;
  const CallShape* shape_ = nullptr;
  CallBuffers* buffers_ = nullptr;
};

}  // namespace lingate::middleware
