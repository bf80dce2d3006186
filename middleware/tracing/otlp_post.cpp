#include "middleware/tracing/otlp_post.h"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <optional>

#include "middleware/https.h"

namespace lingate::middleware::tracing {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

constexpr std::size_t kMostAnswer = 64 * 1024;

}  // namespace

// Each step begun by the one before it; the context runs dry when it is answered, failed or late.
class OtlpPost::Exchange {
 public:
  Exchange(const OtlpOptions& options, std::string body) : options_(options) {
    request_.method(http::verb::post);
    request_.target(options.url.target);
    request_.set(http::field::host, options.url.authority);
    request_.set(http::field::content_type, "application/x-protobuf");
    request_.set(http::field::user_agent, "lingate");
    request_.set(http::field::connection, "close");
    for (const auto& [name, value] : options.headers)
      request_.set(name, value);
    request_.body() = std::move(body);
    request_.prepare_payload();
    parser_.body_limit(kMostAnswer);
  }

  Result<void, OtlpFailure> run() {
    beast::error_code failed;
    const auto found = tcp::resolver(context_).resolve(options_.url.host, options_.url.port, failed);
    if (failed) return fail(OtlpFailure{failed.message(), true});
    if (options_.url.secure)
      if (auto ready = make_secure(); !ready) return fail(OtlpFailure{std::move(ready.error()), true});
    stream_.expires_after(options_.timeout);
    stream_.async_connect(found, [this](beast::error_code error, const tcp::endpoint&) { connected(error); });
    context_.run();
    if (!answered_) return fail(OtlpFailure{why(), true});
    const unsigned status = parser_.get().result_int();
    if (status / 100 == 2) return {};
    const bool may_pass = status == 429 || status == 502 || status == 503 || status == 504;
    return fail(OtlpFailure{"the answer's status is " + std::to_string(status), may_pass});
  }

  void stop() noexcept { context_.stop(); }

 private:
  using Secure = beast::ssl_stream<beast::tcp_stream&>;

  Result<void, std::string> make_secure() {
    auto made = https_context(options_.authorities);
    if (!made) return fail(std::move(made.error()));
    secure_.emplace(stream_, *made);  // which keeps it
    if (!expect_host(secure_->native_handle(), options_.url.host))
      return fail(std::string("its host cannot be checked"));
    return {};
  }
  std::string why() {
    std::string distrusted = secure_ ? distrust(secure_->native_handle()) : std::string();
    if (!distrusted.empty()) return distrusted;
    return error_ ? error_.message() : "given up";
  }

  void connected(beast::error_code error) {
    if ((error_ = error)) return;
    if (!secure_) return write(stream_);
    secure_->async_handshake(asio::ssl::stream_base::client, [this](beast::error_code failed) {
      if (!(error_ = failed)) write(*secure_);
    });
  }

  template <class Stream>
  void write(Stream& stream) {
    http::async_write(stream, request_, [this, &stream](beast::error_code failed, std::size_t) {
      if (!(error_ = failed)) read(stream);
    });
  }

  template <class Stream>
  void read(Stream& stream) {
    http::async_read(stream, buffer_, parser_, [this](beast::error_code failed, std::size_t) {
      error_ = failed;
      answered_ = !failed;
    });
  }

  const OtlpOptions& options_;
  asio::io_context context_{1};
  beast::tcp_stream stream_{context_};
  std::optional<Secure> secure_;
  http::request<http::string_body> request_;
  http::response_parser<http::string_body> parser_;
  beast::flat_buffer buffer_{kMostAnswer};
  beast::error_code error_;
  bool answered_ = false;
};

OtlpPost::OtlpPost(const OtlpOptions& options, std::string body)
    : exchange_(std::make_unique<Exchange>(options, std::move(body))) {}

OtlpPost::~OtlpPost() = default;

Result<void, OtlpFailure> OtlpPost::run() {
  return exchange_->run();
}

void OtlpPost::stop() noexcept {
  exchange_->stop();
}

}  // namespace lingate::middleware::tracing
