#include "gateway/bench/rooms/stage.h"

#include <fmt/format.h>

namespace lingate::bench {

using middleware::Body;
using middleware::Buffering;
using middleware::ChainRun;
using middleware::Response;

Traffic usual_traffic() {
  Traffic traffic;
  traffic.request_headers = {{"Host", "api.example.com"},
                             {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
                             {"Accept", "application/json, text/plain, */*"},
                             {"Accept-Encoding", "gzip, deflate, br"},
                             {"Accept-Language", "en-GB,en;q=0.7"},
                             {"Cache-Control", "no-cache"},
                             {"Cookie", "session=abcdef0123456789; theme=dark"},
                             {"Origin", "https://app.example.com"},
                             {"Referer", "https://app.example.com/users"},
                             {"X-Api-Key", "key-00000500"},
                             {"X-Client-Version", "4.12.0"},
                             {"X-Trace", "4bf92f3577b34da6a3ce929d0e0e4736"}};
  traffic.response_headers = {{"Content-Type", "application/json"},
                              {"Date", "Sat, 01 Jan 2000 00:00:00 GMT"},
                              {"Server", "upstream"},
                              {"ETag", "\"5f3a-1\""},
                              {"Content-Length", "128"}};
  traffic.response_body = std::string(128, 'x');
  return traffic;
}

void StageLog::write(const middleware::AppEvent& event) noexcept {
  if (event.code == 0) return;
  const std::lock_guard lock(mutex_);
  if (!first_.empty()) return;
  first_ =
      event.file.empty() ? std::string(event.message) : fmt::format("{}:{}: {}", event.file, event.line, event.message);
}

std::string StageLog::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(first_, {});
}

Stage::Fields Stage::scanned(const Traffic::Lines& lines) {
  Fields fields;
  for (const auto& [name, value] : lines)
    fields.push_back(middleware::make_field(name, value, name));
  return fields;
}

Body Stage::body_of(const std::string& bytes) noexcept {
  return bytes.empty() ? Body{} : Body{.kind = Body::Kind::stream, .bytes = {}};
}

void Stage::know(const Traffic& traffic) {
  traffic_ = &traffic;
  request_fields_ = scanned(traffic.request_headers);
  response_fields_ = scanned(traffic.response_headers);
}

Buffering Stage::buffer_request_body(std::size_t limit) {
  if (traffic_->request_body.size() > limit) return Buffering::too_large;
  exchange_.request.body = {.kind = Body::Kind::bytes, .bytes = traffic_->request_body};
  return Buffering::ready;
}

Buffering Stage::buffer_response_body(std::size_t limit) {
  if (traffic_->response_body.size() > limit) return Buffering::too_large;
  exchange_.response.body = {.kind = Body::Kind::bytes, .bytes = traffic_->response_body};
  return Buffering::ready;
}

void Stage::begin(const middleware::Chain& chain, const Traffic& traffic) {
  if (serving_) exchange_.end();
  serving_ = true;
  if (traffic_ != &traffic) know(traffic);
  loop_.refresh();
  exchange_.begin(chain, "bench");
  middleware::Request& request = exchange_.request;
  request.method = traffic.method;
  request.path = traffic.path;
  request.query = traffic.query;
  request.has_query = !traffic.query.empty();
  request.host = traffic.host;
  request.scheme = "http";
  request.client_ip = "192.0.2.1";
  request.client_port = 4711;
  request.body = body_of(traffic.request_body);
  for (const middleware::Field& field : request_fields_)
    request.headers.receive(field);
}

void Stage::run_request() {
  over_ = false;
  if (exchange_.run.request() == ChainRun::Answer::wait) loop_.run_until(over_);
}

// The upstream's answer, unless a step has answered.
void Stage::answer() {
  Response& response = exchange_.response;
  if (response.source != Response::Source::none) return;
  response.source = Response::Source::upstream;
  response.status = traffic_->status;
  response.body = body_of(traffic_->response_body);
  for (const middleware::Field& field : response_fields_)
    response.headers.receive(field);
}

void Stage::run_response() {
  over_ = false;
  if (exchange_.run.response() == ChainRun::Answer::wait) loop_.run_until(over_);
}

void Stage::serve(const middleware::Chain& chain, const Traffic& traffic) {
  begin(chain, traffic);
  run_request();
  answer();
  run_response();
  if (chain.wants_log()) exchange_.run.log();
}

Stage::Sides Stage::serve_stamped(const middleware::Chain& chain, const Traffic& traffic) {
  Sides sides;
  begin(chain, traffic);
  sides.request_begins = Clock::now();
  run_request();
  sides.request_ends = Clock::now();
  answer();
  sides.response_begins = Clock::now();
  run_response();
  sides.response_ends = Clock::now();
  return sides;
}

bool Stage::failed(std::uint16_t status) const noexcept {
  return exchange_.facts.fault != 0 || (status != 0 && exchange_.response.status != status);
}

void Stage::leave() noexcept {
  if (serving_) exchange_.end();
  serving_ = false;
  traffic_ = nullptr;
}

}  // namespace lingate::bench
