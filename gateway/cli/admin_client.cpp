#include "gateway/cli/admin_client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "gateway/bench/load/url.h"

namespace lingate::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

constexpr std::uint64_t kMostBody = 64ULL << 20;

// One request, each step begun by the one before it; the context runs dry when it is answered, failed or late.
class Exchange {
 public:
  Exchange(const bench::Url& url, const AdminRequest& request) : url_(url), patience_(request.patience) {
    request_.method_string(request.method);
    request_.target(request.target);
    request_.set(http::field::host, url.authority);
    request_.set(http::field::connection, "close");
    if (!request.token.empty()) request_.set(http::field::authorization, "Bearer " + request.token);
    if (!request.body.empty()) {
      request_.set(http::field::content_type, "application/json");
      request_.body() = request.body;
      request_.prepare_payload();
    }
    parser_.body_limit(kMostBody);
  }

  Result<AdminAnswer, std::string> run() {
    beast::error_code failed;
    const auto found = tcp::resolver(context_).resolve(url_.host, std::to_string(url_.port), failed);
    if (failed) return fail(url_.authority + ": " + failed.message());
    stream_.expires_after(patience_);
    stream_.async_connect(found, [this](beast::error_code error, const tcp::endpoint&) { write(error); });
    context_.run();
    if (error_) return fail(url_.authority + ": " + error_.message());
    return AdminAnswer{parser_.get().result_int(), std::move(parser_.get().body())};
  }

 private:
  void write(beast::error_code error) {
    if ((error_ = error)) return;
    http::async_write(stream_, request_, [this](beast::error_code failed, std::size_t) { read(failed); });
  }
  void read(beast::error_code error) {
    if ((error_ = error)) return;
    http::async_read(stream_, buffer_, parser_, [this](beast::error_code failed, std::size_t) { error_ = failed; });
  }

  const bench::Url& url_;
  const std::chrono::seconds patience_;
  asio::io_context context_{1};
  beast::tcp_stream stream_{context_};
  http::request<http::string_body> request_;
  http::response_parser<http::string_body> parser_;
  beast::flat_buffer buffer_;
  beast::error_code error_;
};

}  // namespace

Result<AdminAnswer, std::string> ask_admin(const std::string& address, const AdminRequest& request) {
  const auto url = bench::url_from("http://" + address + request.target);
  if (!url) return fail(address + ": " + url.error().message);
  return Exchange(*url, request).run();
}

Result<AdminAnswer, std::string> get_from_admin(const std::string& address, std::string_view path) {
  return ask_admin(address, {.target = std::string(path)});
}

}  // namespace lingate::cli
