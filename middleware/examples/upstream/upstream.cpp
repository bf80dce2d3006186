// The demo's upstream: a small HTTP and WebSocket server on Boost.Beast that shows what reached it.
//
//   demo-upstream NAME PORT        (port 0: any; prints "NAME listening on 127.0.0.1:PORT")
//
//   GET /customers/ID    a customer record with fields that a gateway should mask
//   GET /events          five server-sent events, one every 200 ms
//   GET /ws              with Upgrade: websocket, an echo
//   GET /healthz         "ok"
//   anything else        what was received, as JSON
//
// One thread a connection, blocking calls: the simplest server that is right.
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;
using tcp = asio::ip::tcp;

std::string_view text(beast::string_view view) {
  return {view.data(), view.size()};
}

nlohmann::ordered_json received(const Request& request, const std::string& server) {
  nlohmann::ordered_json headers = nlohmann::ordered_json::array();
  for (const auto& field : request)
    headers.push_back({text(field.name_string()), text(field.value())});
  return {{"server", server},
          {"method", text(request.method_string())},
          {"target", text(request.target())},
          {"headers", headers},
          {"body", request.body()}};
}

nlohmann::ordered_json customer(std::string_view id) {
  return {{"id", id},
          {"name", "Ada Lovelace"},
          {"email", "ada@example.com"},
          {"card", {{"number", "4929 1234 5678 9010"}, {"expires", "11/29"}}},
          {"orders", {{{"id", "o-1001"}, {"total", 42.5}}, {{"id", "o-1002"}, {"total", 7.0}}}}};
}

Response answer(const Request& request, const std::string& server) {
  Response response{http::status::ok, request.version()};
  response.set(http::field::server, server);
  response.keep_alive(request.keep_alive());
  const std::string_view target = text(request.target());
  constexpr std::string_view kCustomers = "/customers/";
  if (target == "/healthz") {
    response.set(http::field::content_type, "text/plain");
    response.body() = "ok\n";
  } else {
    response.set(http::field::content_type, "application/json");
    const bool is_customer = target.substr(0, kCustomers.size()) == kCustomers;
    const auto body = is_customer ? customer(target.substr(kCustomers.size())) : received(request, server);
    response.body() = body.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  response.prepare_payload();
  if (request.method() == http::verb::head) response.body().clear();
  return response;
}

void send_events(tcp::socket& socket, const Request& request) {
  http::response<http::empty_body> head{http::status::ok, request.version()};
  head.set(http::field::content_type, "text/event-stream");
  head.chunked(true);
  http::response_serializer<http::empty_body> serializer{head};
  http::write_header(socket, serializer);
  for (int number = 1; number <= 5; ++number) {
    const std::string event = "data: {\"event\": " + std::to_string(number) + "}\n\n";
    asio::write(socket, http::make_chunk(asio::buffer(event)));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  asio::write(socket, http::make_chunk_last());
}

void echo_messages(tcp::socket socket, const Request& request) {
  beast::websocket::stream<tcp::socket> stream(std::move(socket));
  stream.accept(request);
  for (beast::flat_buffer message;; message.clear()) {
    stream.read(message);
    stream.text(stream.got_text());
    stream.write(message.data());
  }
}

// Ends by an exception when the peer leaves, which is how Beast's blocking calls say so.
void serve(tcp::socket socket, const std::string& server) {
  beast::flat_buffer buffer;
  for (;;) {
    Request request;
    http::read(socket, buffer, request);
    if (beast::websocket::is_upgrade(request)) return echo_messages(std::move(socket), request);
    if (text(request.target()) == "/events") {
      send_events(socket, request);
      continue;
    }
    const Response response = answer(request, server);
    http::write(socket, response);
    if (!request.keep_alive()) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  unsigned short port = 0;
  const std::string_view digits = argc == 3 ? argv[2] : "";
  if (digits.empty() || std::from_chars(digits.data(), digits.data() + digits.size(), port).ec != std::errc{}) {
    std::fprintf(stderr, "usage: demo-upstream NAME PORT\n");
    return 2;
  }
  const std::string server = argv[1];
  try {
    asio::io_context context(1);
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), port});
    std::printf("%s listening on 127.0.0.1:%u\n", server.c_str(), acceptor.local_endpoint().port());
    std::fflush(stdout);
    for (;;) {
      std::thread([socket = acceptor.accept(), &server]() mutable {
        try {
          socket.set_option(tcp::no_delay(true));
          serve(std::move(socket), server);
        } catch (const std::exception&) {
        }
      }).detach();
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "demo-upstream: %s\n", error.what());
    return 1;
  }
}
