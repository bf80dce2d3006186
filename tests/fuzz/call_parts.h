// The parts that a call is written from, out of a fuzzer's text, and the call that the gateway would write of them.
//
// One part a token (wire_text.h): request texts by a letter each (i id, m method, e scheme, h host, p path, q query, v
// version, r route, c client), P"name""value" a parameter, H"name""value" a header, R"name""value" one of the response,
// t"200" its status, b and B the bodies, C"4711" the client's port, S"id""alias""org""tag"… the session, M its metadata
// and x the context as JSON, n"5" its rate.
//
// Thread: values, not shared. Lifetime: the texts live in `kept`.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtimes/head_view.h"
#include "runtimes/wire_call.h"

namespace lingate::fuzz {

using Line = runtimes::HeadView::Line;

struct Parts {
  runtimes::RequestParts texts;
  std::vector<Line> params, headers, response_headers;
  std::optional<std::string_view> body, response_body;
  std::uint32_t status = 0;
  runtimes::SessionParts session;
  std::vector<std::string_view> tags;
  bool has_session = false, has_response = false;
  std::string context;

  std::deque<std::string> kept;
  std::string_view keep(std::string_view text) { return kept.emplace_back(text); }
};

void read_parts(std::string_view text, Parts& parts);

// plugin.Session and plugin.Call, as the gateway encodes them.
std::string encode_session(const Parts& parts);
std::string encode(const Parts& parts, runtimes::Hook hook);

// A value given as JSON, as a room would walk a native one: encoded Members, empty where it is no map.
std::string members_of(std::string_view json);

}  // namespace lingate::fuzz
