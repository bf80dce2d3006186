// An exchange without a connection, for targets that end in one: a plain request with a few fields, and a response of
// an upstream where the hook needs one.
//
// Thread: one. Lifetime: an exchange is begun and ended for each input; what it was made of is kept.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/loop.h"
#include "gateway/http/serialise.h"
#include "middleware/exchange.h"
#include "middleware/middleware.h"
#include "tests/fuzz/heads.h"

namespace lingate::fuzz {

// Time stands still and nothing waits.
class StillLoop final : public Loop {
 public:
  std::uint32_t index() const noexcept override { return 0; }
  Clock::time_point now() const noexcept override { return {}; }
  Clock::time_point refresh() noexcept override { return {}; }
  std::chrono::system_clock::time_point wall() noexcept override { return {}; }
  void arm(Timer&, Clock::duration) noexcept override { std::abort(); }
  void disarm(Timer&) noexcept override {}
  void post(Task&) noexcept override { std::abort(); }
  bool put_off(TurnEnd&) noexcept override { return false; }
  void forget(TurnEnd&) noexcept override {}
  bool listen(int, std::shared_ptr<Bell>) noexcept override { return false; }
};

class NoLog final : public middleware::AppLog {
 public:
  bool wants(middleware::LogLevel) const noexcept override { return false; }
  void write(const middleware::AppEvent&) noexcept override {}
};

class NoConnection final : public middleware::ExchangeHost {
 public:
  Loop& loop() noexcept override { return loop_; }
  middleware::AppLog& log() noexcept override { return log_; }
  middleware::IdSource& ids() noexcept override { return ids_; }
  middleware::Buffering buffer_request_body(std::size_t) override { return middleware::Buffering::failed; }
  middleware::Buffering buffer_response_body(std::size_t) override { return middleware::Buffering::failed; }
  void request_side_over() noexcept override {}
  void response_side_over() noexcept override {}

 private:
  StillLoop loop_;
  NoLog log_;
  middleware::IdSource ids_;
};

class Stage {
 public:
  Stage() {
    exchange.begin(chain_, "users");
    middleware::Request& request = exchange.request;
    request.method = "GET";
    request.target = "/users/7?x=1";
    request.path = "/users/7";
    request.query = "x=1";
    request.has_query = true;
    request.host = "api.test";
    request.scheme = "http";
  }
  ~Stage() { exchange.end(); }

  void begin_response(std::uint16_t status) {
    exchange.response.source = middleware::Response::Source::upstream;
    exchange.response.status = status;
  }
  // A line that came in, which the serialiser would send as it is.
  static void receive(middleware::Headers& headers, std::string_view name, std::string_view value,
                      std::string_view line) {
    headers.receive(middleware::make_field(name, value, line));
  }

 private:
  static NoConnection& host() {
    static NoConnection only;
    return only;
  }
  const middleware::Chain chain_;

 public:
  middleware::Exchange exchange{host()};
};

// One line for each field that remains.
inline std::string lines_of(const middleware::Headers& headers) {
  std::string lines;
  for (const middleware::Field& field : headers.all())
    if (!field.removed) lines.append(field.name).append(": ").append(field.value).append("\n");
  return lines;
}

// All of an exchange that a verdict may change.
inline std::string text_of(const middleware::Exchange& exchange) {
  const middleware::Request& request = exchange.request;
  const middleware::Response& response = exchange.response;
  std::string text;
  for (const std::string_view part :
       {request.method, request.path, request.query, request.body.bytes, response.body.bytes, exchange.context(),
        exchange.session() ? exchange.session()->wire() : std::string_view("none")})
    text.append(part).append("\n");
  return text + lines_of(request.headers) + std::to_string(response.status) + "\n" + lines_of(response.headers);
}

// Sends what an exchange has become, and reads it again as the peer would: one head, with nothing in it that could be
// taken for the end of one.
inline bool sends_one_request(const middleware::Exchange& exchange) {
  static std::array<char, 256 * 1024> scratch;
  http::RequestOut out;
  out.spare_host = "spare.test";
  const std::string_view sent = http::write_request(exchange.request, {}, out, scratch);
  Arena arena;
  middleware::Headers headers(arena);
  http::RequestHead head;
  http::Refusal refusal;
  return http::scan_request(sent, wide_limits(), head, headers, refusal) == http::Scan::done &&
         head.size == sent.size() && head.method == exchange.request.method;
}

inline bool sends_one_response(const middleware::Exchange& exchange) {
  static std::array<char, 256 * 1024> scratch;
  const std::string_view sent = http::write_response(exchange.response, {}, {}, scratch);
  Arena arena;
  middleware::Headers headers(arena);
  http::ResponseHead head;
  http::Refusal refusal;
  return http::scan_response(sent, wide_limits(), http::ForMethod::head, head, headers, refusal) == http::Scan::done &&
         head.size == sent.size() && head.status == exchange.response.status;
}

}  // namespace lingate::fuzz
