#include "gateway/bench/load/target.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>

#include <fmt/format.h>

#include "base/codes.h"
#include "base/fields.h"

namespace lingate::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

bool takes_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

tl::unexpected<Error> bad_header(const std::string& name, std::string_view what) {
  return fail(code::kBadHeader, fmt::format("header '{}': {}", name, what));
}

error_code try_connect(const tcp::endpoint& endpoint, std::chrono::milliseconds timeout) {
  asio::io_context context{1};
  tcp::socket socket(context);
  error_code result = asio::error::timed_out;
  socket.async_connect(endpoint, [&](error_code error) { result = error; });
  context.run_for(timeout);
  return result;
}

Result<tcp::endpoint> reachable(const Url& url, std::chrono::milliseconds timeout) {
  asio::io_context context{1};
  error_code error;
  const auto found =
      tcp::resolver(context).resolve(url.host, std::to_string(url.port), tcp::resolver::numeric_service, error);
  if (error)
    return fail(code::kNameNotResolved, fmt::format("'{}' cannot be resolved: {}; check its spelling and /etc/hosts",
                                                    url.host, error.message()));
  for (const auto& each : found) {
    error = try_connect(each.endpoint(), timeout);
    if (!error) return each.endpoint();
  }
  return fail(code::kConnectFailed,
              fmt::format("{} lets no connection in: {}; is the server running, and at that port?", url.authority,
                          error.message()));
}

}  // namespace

Result<std::string> request_text(const Url& url, const LoadOptions& options) {
  if (!fields::is_token(options.method) || options.method == "CONNECT")
    return fail(code::kBadMethod,
                fmt::format("'{}' is no method to measure; use GET, POST or the like", options.method));
  const auto given = [&](std::string_view name) {
    return std::any_of(options.headers.begin(), options.headers.end(),
                       [&](const auto& header) { return fields::same_name(header.first, name); });
  };
  std::string text = fmt::format("{} {} HTTP/1.1\r\n", options.method, url.target);
  if (!given("Host")) text += fmt::format("Host: {}\r\n", url.authority);
  if (!given("User-Agent")) text += "User-Agent: lingate-bench\r\n";
  for (const auto& [name, value] : options.headers) {
    if (!fields::is_token(name) || !fields::is_value(value))
      return bad_header(name, "this is no header field; write Name: value, in one line");
    if (fields::is_connection_field(name) || fields::same_name(name, "Expect"))
      return bad_header(name, "it is the generator's own, which keeps connections and frames the body; leave it out");
    text += fmt::format("{}: {}\r\n", name, value);
  }
  if (!options.body.empty() || takes_body(options.method))
    text += fmt::format("Content-Length: {}\r\n", options.body.size());
  return text + "\r\n" + options.body;
}

Result<Target> find_target(const LoadOptions& options) {
  const auto url = url_from(options.url);
  if (!url) return fail(url.error());
  auto request = request_text(*url, options);
  if (!request) return fail(std::move(request.error()));
  const auto endpoint = reachable(*url, options.timeout);
  if (!endpoint) return fail(endpoint.error());
  return Target{*endpoint, std::move(*request), options.method == "HEAD", options.timeout};
}

}  // namespace lingate::bench
