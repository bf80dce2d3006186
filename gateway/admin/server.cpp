#include "gateway/admin/server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <thread>

#include "base/codes.h"

namespace lingate::admin {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

constexpr std::chrono::seconds kPatience{10};  // for a request, and for a peer to take its answer
constexpr std::uint32_t kMaxHead = 8 * 1024;   // bytes of a request's head
constexpr std::uint64_t kMaxBody = 64 * 1024;  // no page wants one
constexpr std::size_t kMaxConnections = 256;   // more are closed at once

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

Response answer(const Request& request, const std::vector<Page>& pages) {
  Response response{http::status::not_found, request.version()};
  response.keep_alive(request.keep_alive());
  response.set(http::field::cache_control, "no-store");
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  const std::string_view target(request.target().data(), request.target().size());
  const std::string_view path = target.substr(0, target.find('?'));
  for (const Page& page : pages) {
    if (page.path != path) continue;
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
      response.result(http::status::method_not_allowed);
      response.set(http::field::allow, "GET, HEAD");
      break;
    }
    Answer made = page.content();
    response.result(static_cast<unsigned>(made.status));
    response.set(http::field::content_type, beast::string_view(page.content_type.data(), page.content_type.size()));
    response.body() = std::move(made.body);
    break;
  }
  response.prepare_payload();
  if (request.method() == http::verb::head) response.body().clear();
  return response;
}

// One connection: reads a request, answers it, and again. Keeps itself alive by the handler that is pending.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, const std::vector<Page>& pages, std::size_t& open)
      : stream_(std::move(socket)), pages_(pages), open_(open) {
    ++open_;
  }
  ~Connection() { --open_; }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void read() {
    parser_.emplace();
    parser_->header_limit(kMaxHead);
    parser_->body_limit(kMaxBody);
    stream_.expires_after(kPatience);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error) self->write();
    });
  }

 private:
  void write() {
    response_.emplace(answer(parser_->get(), pages_));
    stream_.expires_after(kPatience);
    http::async_write(stream_, *response_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error && self->response_->keep_alive()) self->read();
    });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_{kMaxHead + kMaxBody};
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<Response> response_;
  const std::vector<Page>& pages_;
  std::size_t& open_;
};

}  // namespace

struct Server::State {
  explicit State(std::vector<Page> its_pages) : pages(std::move(its_pages)) {}

  void accept() {
    acceptor.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (!error && open < kMaxConnections) std::make_shared<Connection>(std::move(socket), pages, open)->read();
      accept();
    });
  }

  std::vector<Page> pages;
  std::size_t open = 0;
  asio::io_context context{1};
  tcp::acceptor acceptor{context};
  std::thread thread;
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {
  state_->context.stop();
  state_->thread.join();
}

Result<std::unique_ptr<Server>> Server::start(const std::string& host, std::uint16_t port, std::vector<Page> pages) {
  auto state = std::make_unique<State>(std::move(pages));
  beast::error_code error;
  const tcp::endpoint endpoint(asio::ip::make_address(host, error), port);
  if (!error) state->acceptor.open(endpoint.protocol(), error);
  if (!error) state->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) state->acceptor.bind(endpoint, error);
  if (!error) state->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return fail(code::kCannotListen, "admin: cannot listen on " + host + ":" + std::to_string(port) + ": " +
                                         error.message() + "; free the port or choose another in `admin.address`");
  state->accept();
  state->thread = std::thread([context = &state->context] { context->run(); });
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

std::string Server::address() const {
  const tcp::endpoint endpoint = state_->acceptor.local_endpoint();
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

}  // namespace lingate::admin
