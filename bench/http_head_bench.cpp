// What a head costs: the strict scan of both heads of an ordinary exchange, and Beast's basic_parser run behind it
// under a sink that keeps views. The rule: above 0.3 us for both heads together, Beast stays out.
#include <benchmark/benchmark.h>

#include <boost/beast/http/basic_parser.hpp>
#include <string_view>

#include "base/arena.h"
#include "gateway/http/head_scan.h"

namespace {

namespace beast = boost::beast::http;
using namespace lingate;

constexpr std::string_view kRequest =
    "GET /api/v1/users/42?fields=name HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) "
    "bench/1.0\r\nAccept: application/json\r\nAccept-Encoding: gzip, deflate\r\nAccept-Language: en-US,en;q=0.5\r\n"
    "X-Request-Id: 7b3f1c1e-2f61-4a3b-9a52-0d6a7d2f1e11\r\nCookie: sid=abcdef0123456789; theme=dark\r\n"
    "X-Api-Key: key-00000042\r\n\r\n";
constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 128\r\nETag: \"abc-123\"\r\n"
    "Cache-Control: no-store\r\nServer: origin\r\n\r\n";

template <bool kIsRequest>
class Sink final : public beast::basic_parser<kIsRequest> {
 public:
  std::size_t bytes = 0;

 private:
  using Error = boost::beast::error_code;
  using View = boost::beast::string_view;
  void on_request_impl(beast::verb, View, View target, int, Error&) override { bytes += target.size(); }
  void on_response_impl(int, View reason, int, Error&) override { bytes += reason.size(); }
  void on_field_impl(beast::field, View name, View value, Error&) override { bytes += name.size() + value.size(); }
  void on_header_impl(Error&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, Error&) override {}
  std::size_t on_body_impl(View body, Error&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, View, Error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View body, Error&) override { return body.size(); }
  void on_finish_impl(Error&) override {}
};

void scan_both(benchmark::State& state) {
  Arena arena;
  middleware::Headers headers(arena);
  const http::Limits limits;
  http::RequestHead request;
  http::ResponseHead response;
  http::Refusal refusal;
  for (auto _ : state) {
    if (http::scan_request(kRequest, limits, request, headers, refusal) != http::Scan::done)
      state.SkipWithError("request");
    benchmark::DoNotOptimize(headers.all().data());
    if (http::scan_response(kResponse, limits, http::ForMethod::other, response, headers, refusal) != http::Scan::done)
      state.SkipWithError("response");
    benchmark::DoNotOptimize(headers.all().data());
  }
}
BENCHMARK(scan_both);

void beast_both(benchmark::State& state) {
  for (auto _ : state) {
    boost::beast::error_code error;
    Sink<true> request;
    request.put(boost::asio::buffer(kRequest.data(), kRequest.size()), error);
    if (error || !request.is_header_done()) state.SkipWithError("request");
    Sink<false> response;
    response.put(boost::asio::buffer(kResponse.data(), kResponse.size()), error);
    if (error || !response.is_header_done()) state.SkipWithError("response");
    benchmark::DoNotOptimize(request.bytes + response.bytes);
  }
}
BENCHMARK(beast_both);

}  // namespace

BENCHMARK_MAIN();
