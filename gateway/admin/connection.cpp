#include "gateway/admin/connection.h"

#include <boost/asio/post.hpp>
#include <chrono>

#include "base/codes.h"

namespace lingate::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::chrono::seconds kPatience{10};          // for a request, and for a peer to take its answer
constexpr std::chrono::seconds kFarewell{2};           // for a peer that was refused in the middle of its body
constexpr std::uint32_t kMaxHead = 16 * 1024;          // bytes of a request's head
constexpr std::size_t kMostDrained = 4 * 1024 * 1024;  // bytes of a refused body that are thrown away
constexpr std::size_t kRoom = 64 * 1024;
constexpr std::string_view kDrains = "this process finishes what it has and ends";

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

beast::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

Head head_of(const http::request_parser<http::string_body>& parser) {
  const auto& request = parser.get();
  Head head{.method = view(request.method_string()), .target = view(request.target()), .hosts = {}};
  const auto [first, last] = request.equal_range(http::field::host);
  for (auto at = first; at != last; ++at)
    head.hosts.push_back(view(at->value()));
  head.authorization = view(request[http::field::authorization]);
  head.origin = view(request[http::field::origin]);
  head.fetch_site = view(request["Sec-Fetch-Site"]);
  head.content_type = view(request[http::field::content_type]);
  head.if_match = view(request[http::field::if_match]);
  if (const auto length = parser.content_length()) head.content_length = *length;
  head.chunked = parser.chunked();
  return head;
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, Shared& shared, asio::thread_pool& patient)
    : shared_(shared), patient_(patient), stream_(std::move(socket)), place_(stream_.get_executor()) {
  ++shared_.open;
}

Connection::~Connection() {
  leave_silent();
  --shared_.open;
}

void Connection::leave_silent() {
  if (silent_) shared_.silent.erase(*silent_);
  silent_.reset();
}

void Connection::drop() {
  leave_silent();
  place_.cancel();
  beast::error_code ignored;
  stream_.socket().close(ignored);
}

void Connection::take_place() {
  silent_ = shared_.silent.insert(shared_.silent.end(), this);
  const Pace::Span wait = shared_.pace.take(std::chrono::steady_clock::now());
  if (wait == Pace::Span::zero()) return read_head();
  place_.expires_after(wait);
  place_.async_wait([self = shared_from_this()](beast::error_code dropped) {
    if (!dropped) self->read_head();
  });
}

void Connection::read_head() {
  parser_.emplace();
  parser_->header_limit(kMaxHead);
  parser_->body_limit(boost::none);  // the gate decides by the head; the parser only where the head does not tell
  admitted_ = {};
  request_id_.resize(middleware::IdSource::kUuidLength);
  shared_.ids.uuid7(std::chrono::system_clock::now(), std::span<char, 36>(request_id_.data(), request_id_.size()));
  stream_.expires_after(kPatience);
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](beast::error_code error, std::size_t) { self->head_read(error); });
}

void Connection::head_read(beast::error_code error) {
  leave_silent();
  if (error) return unreadable(error);
  auto admitted = shared_.gate.admit(head_of(*parser_));
  if (!admitted) return refuse(admitted.error(), parser_->is_done() ? After::next : After::end);
  admitted_ = *std::move(admitted);
  if (parser_->is_done()) return go_on();
  if (!beast::iequals(parser_->get()[http::field::expect], "100-continue")) return read_body();
  interim_.emplace(http::status::continue_, parser_->get().version());
  http::async_write(stream_, *interim_, [self = shared_from_this()](beast::error_code failed, std::size_t) {
    if (!failed) self->read_body();
  });
}

// What is no HTTP is told so, if its sender is still there.
void Connection::unreadable(beast::error_code error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return refuse({.code = code::kHeadTooLarge}, After::end);
  const bool malformed = error.category() == make_error_code(http::error::bad_method).category();
  if (malformed && error != http::error::end_of_stream && error != http::error::partial_message)
    refuse({.code = code::kBadRequest, .detail = error.message()}, After::end);
}

void Connection::read_body() {
  parser_->body_limit(kMostBody);
  stream_.expires_after(kPatience);
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](beast::error_code error, std::size_t) { self->body_read(error); });
}

void Connection::body_read(beast::error_code error) {
  if (error == http::error::body_limit) return refuse({.code = code::kAdminBodyTooLarge}, After::end);
  if (error) return unreadable(error);
  go_on();
}

bool Connection::knows_token() const noexcept {
  return admitted_.operation && admitted_.operation->access == Access::token;
}

bool Connection::changes() const noexcept {
  return admitted_.operation && admitted_.operation->is_change();
}

void Connection::go_on() {
  answering_.emplace(shared_);
  knows_token() ? run() : finish(answer());
}

void Connection::finish(Outcome made) {
  if (made) return write(*std::move(made), After::next);
  // Whoever asks again may find another process.
  refuse(made.error(), made.error().code == code::kEnding ? After::end : After::next);
}

Outcome Connection::answer() {
  if (changes() && shared_.subject.draining())
    return fail(Refusal{.code = code::kEnding, .detail = std::string(kDrains)});
  const Body body = admitted_.operation->body;
  std::string& text = parser_->get().body();
  if (body == Body::yaml) {
    admitted_.call.text = std::move(text);
  } else if (body != Body::none && !(body == Body::optional_json && text.empty())) {
    auto json = parse_body(text);
    if (!json) return fail(std::move(json.error()));
    admitted_.call.body = *std::move(json);
  }
  return admitted_.operation->run(shared_.subject, admitted_.call);
}

// On the thread that may wait; nothing of this connection happens meanwhile.
void Connection::run() {
  stream_.expires_never();
  asio::post(patient_, [self = shared_from_this()]() mutable {
    Outcome made = self->answer();
    // The last reference goes with the handler, so that a connection ends on the I/O thread.
    asio::any_io_executor back = self->stream_.get_executor();
    asio::post(back, [self = std::move(self), made = std::move(made)]() mutable { self->finish(std::move(made)); });
  });
}

void Connection::refuse(const Refusal& refusal, After after) {
  write(problem(refusal, request_id_), after);
}

void Connection::write(Answer answer, After after) {
  const auto& request = parser_->get();
  Response& response = response_.emplace(http::int_to_status(static_cast<unsigned>(answer.status)), 11);
  response.keep_alive(after == After::next && request.keep_alive());
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("X-Request-Id", request_id_);
  for (const auto& [name, value] : answer.headers)
    response.set(view(std::string_view(name)), value);
  if (!answer.type.empty()) response.set(http::field::content_type, answer.type);
  const bool head_only = request.method() == http::verb::head;
  response.body() = std::move(answer.body);
  response.prepare_payload();
  if (head_only) response.body().clear();
  stream_.expires_after(kPatience);
  http::async_write(stream_, response, [self = shared_from_this(), after](beast::error_code error, std::size_t) {
    self->answering_.reset();
    if (error) return;
    if (self->response_->keep_alive()) return self->knows_token() ? self->read_head() : self->take_place();
    beast::error_code ignored;
    self->stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
    if (after == After::end) {
      self->stream_.expires_after(kFarewell);
      self->drain(kMostDrained);
    }
  });
}

// A socket closed with bytes unread takes back what was sent last.
void Connection::drain(std::size_t left) {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kRoom),
                          [self = shared_from_this(), left](beast::error_code error, std::size_t size) {
                            if (!error && size < left) self->drain(left - size);
                          });
}

}  // namespace lingate::admin
