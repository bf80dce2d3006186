// Api: what the admin address answers, apart from how the bytes come and go. One table of operations (operations.h)
// says what there is; the server routes by it and the OpenAPI document is written from it, so that neither can say what
// the other does not know.
//
// A request passes two gates: of its head (Gate: Host, origin, operation, token, size and kind of the body), before a
// byte of the body is read, and of its content (the operation's own). A refusal is a problem document (RFC 9457).
//
// Thread: admit() and those operations that ask for no token on the server's I/O thread; all others on its second
// thread, one at a time, where they may wait for the store. Lifetime: what Subject points to outlives the server.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "gateway/admin/configurations.h"
#include "gateway/http/drains.h"
#include "gateway/http/worker.h"
#include "middleware/app_log.h"
#include "store/store.h"

namespace lingate::admin {

using Json = nlohmann::ordered_json;

inline constexpr std::size_t kMostBody = 1024 * 1024;
inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kProblemType = "application/problem+json";
inline constexpr std::string_view kTextType = "text/plain; charset=utf-8";

struct Answer {
  int status = 200;
  std::string type{};  // Content-Type; empty: no body
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
};

// Why not: `detail` is for people, `field` names the member of the body or the parameter that is to blame.
struct Refusal {
  int code = 0;
  std::string detail{};
  std::string field{};
  std::string allow{};  // kMethodNotAllowed
  Json more{};          // further members of the problem document
};

using Outcome = Result<Answer, Refusal>;

// What the operations show and change.
struct Subject {
  Configurations& configurations;
  store::Store& store;
  middleware::JsonAppLog& log;
  std::vector<const http::Worker*> workers;
  http::Drains& drains;
  std::function<void()> close_drained;                       // idle connections to targets that are drained, soon
  std::vector<std::pair<std::string, std::string>> engines;  // name, version
  std::function<std::string()> metrics;
  std::function<bool()> draining;
  // Checks a configuration's text fully, as `lingate check --format json` does: its list of findings.
  std::function<Result<Json, std::string>(const std::string& text)> check;
};

struct Call {
  std::vector<std::pair<std::string_view, std::string>> parameters;  // of path, query and header, decoded
  Json body;                                                         // null: none
  std::string text;                                                  // a body that is no JSON

  std::string parameter(std::string_view name) const;  // empty: not given
};

Answer json_answer(int status, const Json& json);
Answer problem(const Refusal& refusal, std::string_view request_id);

// JSON text of a request. Deep nesting is refused before anything recurses over it.
Result<Json, Refusal> parse_body(std::string_view text);

}  // namespace lingate::admin
