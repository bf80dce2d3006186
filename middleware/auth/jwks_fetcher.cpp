#include "middleware/auth/jwks_fetcher.h"

#include <algorithm>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include <fmt/format.h>

#include "base/codes.h"
#include "middleware/auth/jwks.h"
#include "middleware/https.h"

namespace lingate::middleware::auth {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

namespace {

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";

tl::unexpected<KeyProblem> bad_url(std::string what, std::string cure) {
  return tl::unexpected<KeyProblem>(KeyProblem{std::move(what), std::move(cure)});
}

bool is_port(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string_view::npos &&
         std::stoul(std::string(text)) - 1 < 65535;
}

}  // namespace

Result<JwksUrl, KeyProblem> parse_jwks_url(std::string_view url) {
  constexpr std::string_view kForm = "write https://HOST[:PORT]/PATH, or http:// on a network that you trust";
  const bool visible = std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  const bool secure = url.starts_with(kHttps);
  if ((!secure && !url.starts_with(kHttp)) || !visible) return bad_url("this is no URL of keys", std::string(kForm));
  const std::string_view rest = url.substr(secure ? kHttps.size() : kHttp.size());
  const std::size_t slash = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  const std::string_view target = rest.substr(slash);
  if (target.find('#') != std::string_view::npos || authority.find('@') != std::string_view::npos)
    return bad_url("a URL of keys has no fragment and no user", std::string(kForm));
  const bool bracketed = authority.starts_with('[') && authority.find(']') != std::string_view::npos;
  const std::size_t host_end = bracketed ? authority.find(']') + 1 : std::min(authority.find(':'), authority.size());
  const std::string_view host = bracketed ? authority.substr(1, host_end - 2) : authority.substr(0, host_end);
  std::string_view port = authority.substr(host_end);
  if (!port.empty()) port.remove_prefix(1);
  if (host.empty() || (authority.size() > host_end && (authority[host_end] != ':' || !is_port(port))))
    return bad_url("the URL's host or port is malformed", std::string(kForm));
  return JwksUrl{.host = std::string(host),
                 .port = !port.empty() ? std::string(port)
                         : secure      ? "443"
                                       : "80",
                 .authority = std::string(authority),
                 .target = target.starts_with('/') ? std::string(target) : "/" + std::string(target),
                 .secure = secure};
}

// One request, each step begun by the one before it; the context runs dry when it is answered, failed or late.
class JwksFetcher::Fetch {
 public:
  explicit Fetch(const JwksUrl& url) : url_(url) {
    request_.method(http::verb::get);
    request_.target(url.target);
    request_.set(http::field::host, url.authority);
    request_.set(http::field::accept, "application/jwk-set+json, application/json");
    request_.set(http::field::user_agent, "lingate");
    request_.set(http::field::connection, "close");
    parser_.body_limit(kLargestKeySet);
  }

  Result<KeySet, std::string> run() {
    beast::error_code failed;
    const auto found = tcp::resolver(context_).resolve(url_.host, url_.port, failed);
    if (failed) return lingate::fail(failed.message());
    if (url_.secure)
      if (auto ready = make_secure(); !ready) return lingate::fail(std::move(ready.error()));
    stream_.expires_after(kPatience);
    stream_.async_connect(found, [this](beast::error_code error, const tcp::endpoint&) { shake_hands(error); });
    context_.run();
    if (!answered_) return lingate::fail(why());
    if (parser_.get().result() != http::status::ok)
      return lingate::fail(fmt::format("the answer's status is {}", parser_.get().result_int()));
    auto keys = parse_jwks(parser_.get().body(), Secrets::refuse);
    if (!keys) return lingate::fail(std::move(keys.error().what));
    return std::move(*keys);
  }
  void stop() noexcept { context_.stop(); }  // any thread

 private:
  Result<void, std::string> make_secure() {
    auto made = https_context(url_.authorities);
    if (!made) return lingate::fail(std::move(made.error()));
    secure_.emplace(stream_, *made);  // which keeps it
    if (!expect_host(secure_->native_handle(), url_.host))
      return lingate::fail(std::string("its host cannot be checked"));
    return {};
  }
  std::string why() const {
    std::string distrusted = secure_ ? distrust(secure_->native_handle()) : std::string();
    if (!distrusted.empty()) return distrusted;
    return error_ ? error_.message() : "given up";
  }

  void shake_hands(beast::error_code error) {
    if (!secure_) return write(error);
    if ((error_ = error)) return;
    secure_->async_handshake(asio::ssl::stream_base::client, [this](beast::error_code failed) { write(failed); });
  }
  void write(beast::error_code error) {
    if ((error_ = error)) return;
    const auto written = [this](beast::error_code failed, std::size_t) { read(failed); };
    if (secure_)
      http::async_write(*secure_, request_, written);
    else
      http::async_write(stream_, request_, written);
  }
  void read(beast::error_code error) {
    if ((error_ = error)) return;
    const auto got = [this](beast::error_code failed, std::size_t) {
      error_ = failed;
      answered_ = !failed;
    };
    if (secure_)
      http::async_read(*secure_, buffer_, parser_, got);
    else
      http::async_read(stream_, buffer_, parser_, got);
  }

  using Secure = asio::ssl::stream<beast::tcp_stream&>;

  const JwksUrl& url_;
  asio::io_context context_{1};
  beast::tcp_stream stream_{context_};
  mutable std::optional<Secure> secure_;
  http::request<http::empty_body> request_;
  http::response_parser<http::string_body> parser_;
  beast::flat_buffer buffer_{kLargestKeySet};
  beast::error_code error_;
  bool answered_ = false;
};

JwksFetcher::Source::Source(JwksFetcher& fetcher, std::string url, JwksUrl parsed, Clock::duration refresh)
    : fetcher_(fetcher), url_(std::move(url)), parsed_(std::move(parsed)), refresh_(refresh) {}

std::uint64_t JwksFetcher::Source::copy(KeySet& into) const {
  const std::lock_guard lock(keys_mutex_);
  into = keys_;
  return version();
}

void JwksFetcher::Source::ask() noexcept {
  if (asked_.exchange(true)) return;
  {
    const std::lock_guard lock(fetcher_.mutex_);  // so that its thread is not between its look and its sleep
  }
  fetcher_.wake_.notify_all();
}

Clock::time_point JwksFetcher::Source::due() const noexcept {
  return asked_.load() ? std::min(due_, began_ + kBetweenAsked) : due_;
}

JwksFetcher::JwksFetcher(AppLog& log) : log_(log) {}

JwksFetcher::~JwksFetcher() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (const auto& each : sources_)
      if (each->running_) each->running_->stop();
  }
  wake_.notify_all();
  for (const auto& each : sources_)
    each->thread_.join();
}

JwksFetcher::Source& JwksFetcher::subscribe(const std::string& url, const JwksUrl& parsed, Clock::duration refresh) {
  const std::lock_guard lock(mutex_);
  drop_ended();
  auto found = std::find_if(sources_.begin(), sources_.end(),
                            [&](const auto& each) { return each->url_ == url && each->parsed_ == parsed; });
  if (found != sources_.end()) {
    Source& source = **found;
    source.refresh_ = std::min(source.refresh_, refresh);
    ++source.users_;
    return source;
  }
  auto made = std::make_unique<Source>(*this, url, parsed, refresh);
  Source& source = *made;
  source.users_ = 1;
  source.thread_ = std::thread([this, &source] { serve(source); });
  return *sources_.emplace_back(std::move(made));
}

void JwksFetcher::unsubscribe(Source& source) noexcept {
  const std::lock_guard lock(mutex_);
  if (--source.users_ == 0) wake_.notify_all();
}

void JwksFetcher::wait_for_first_fetches() {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, kPatience, [this] {
    return !waits_ || std::all_of(sources_.begin(), sources_.end(),
                                  [](const auto& each) { return each->tried_ || each->users_ == 0; });
  });
}

void JwksFetcher::end_waiting() noexcept {
  {
    const std::lock_guard lock(mutex_);
    waits_ = false;
  }
  wake_.notify_all();
}

// Their threads have let go of the lock for good, so that joining them waits for nothing.
void JwksFetcher::drop_ended() {
  for (const auto& each : sources_)
    if (each->ended_) each->thread_.join();
  std::erase_if(sources_, [](const auto& each) { return each->ended_; });
}

void JwksFetcher::serve(Source& source) noexcept {
  std::unique_lock lock(mutex_);
  while (!closed_ && source.users_ > 0) {
    if (const auto due = source.due(); Clock::now() < due)
      wake_.wait_until(lock, due);
    else
      fetch(source, lock);
  }
  source.ended_ = true;
}

void JwksFetcher::fetch(Source& source, std::unique_lock<std::mutex>& lock) noexcept {
  Fetch fetch(source.parsed_);
  source.running_ = &fetch;
  source.began_ = Clock::now();
  source.asked_ = false;
  lock.unlock();
  auto keys = fetch.run();
  const std::size_t count = keys ? keys->size() : 0;
  if (keys) {
    const std::lock_guard keys_lock(source.keys_mutex_);
    source.keys_ = std::move(*keys);
    source.version_.fetch_add(1, std::memory_order_release);
  }
  lock.lock();
  source.running_ = nullptr;
  source.failures_ = count > 0 ? 0 : source.failures_ + 1;
  const Clock::duration pause = std::chrono::seconds(1) * (1U << std::min(source.failures_, 7U)) / 2;
  source.due_ =
      Clock::now() + (count > 0 ? source.refresh_ : std::min<Clock::duration>({pause, kLongestPause, source.refresh_}));
  if (!closed_) tell(source, keys ? std::string_view() : std::string_view(keys.error()), count);
  source.tried_ = true;
  wake_.notify_all();
}

// Every failure, and the first keys.
void JwksFetcher::tell(const Source& source, std::string_view failure, std::size_t keys) noexcept {
  if (keys == 0) {
    const bool have_some = source.version() > 0;
    const std::string text =
        fmt::format("keys from {}: {}; {}", source.url_, failure,
                    have_some ? "the last ones stay in force" : "no token is accepted before they come");
    log_.write({.level = LogLevel::warn, .message = text, .code = code::kTokenKeysMissing});
  } else if (source.version() == 1) {
    log_.write({.level = LogLevel::info, .message = fmt::format("keys from {}: {} there", source.url_, keys)});
  }
}

}  // namespace lingate::middleware::auth
