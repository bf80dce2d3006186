// Stage: one request after the other through a chain, as a connection drives it, without sockets: the head is there,
// the upstream has answered. What it costs is the chain, and nothing of the kernel.
//
// Thread: the measuring thread's. Lifetime: outlives the chains' flights; traffic outlives the serving.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/bench/rooms/lone_loop.h"
#include "middleware/middleware.h"

namespace lingate::bench {

// A request and what its upstream answers.
struct Traffic {
  using Lines = std::vector<std::pair<std::string, std::string>>;

  std::string method = "GET";
  std::string path = "/users/42";
  std::string query = "verbose=1";
  std::string host = "api.example.com";
  Lines request_headers;
  std::string request_body;
  std::uint16_t status = 200;
  Lines response_headers;
  std::string response_body;
};

// Like a browser's: twelve lines with an API key, and a JSON answer of 128 bytes.
Traffic usual_traffic();

// Keeps the faults of requests, so that an arm that fails says why; what a script logs itself is no fault.
class StageLog final : public middleware::AppLog {
 public:
  bool wants(middleware::LogLevel level) const noexcept override { return level == middleware::LogLevel::error; }
  void write(const middleware::AppEvent& event) noexcept override;

  // The first fault since the last call; empty: none. Any thread.
  std::string take();

 private:
  std::mutex mutex_;
  std::string first_;
};

class Stage final : public middleware::ExchangeHost {
 public:
  Stage() = default;

  // Whether the last request had a fault, or came out with another status than `status` (0: any).
  bool failed(std::uint16_t status) const noexcept;

  // When the sides of one request began and ended; taken by serve_stamped() only.
  struct Sides {
    Clock::time_point request_begins{}, request_ends{}, response_begins{}, response_ends{};
  };

  // Serves one request; the exchange shows what came out until the next call, or until leave().
  void serve(const middleware::Chain& chain, const Traffic& traffic);
  Sides serve_stamped(const middleware::Chain& chain, const Traffic& traffic);
  // Forgets the last exchange: before its chain or traffic go.
  void leave() noexcept;

  middleware::Exchange& exchange() noexcept { return exchange_; }
  StageLog& stage_log() noexcept { return log_; }

  LoneLoop& loop() noexcept override { return loop_; }
  middleware::AppLog& log() noexcept override { return log_; }
  middleware::IdSource& ids() noexcept override { return ids_; }
  middleware::Buffering buffer_request_body(std::size_t limit) override;
  middleware::Buffering buffer_response_body(std::size_t limit) override;
  void request_side_over() noexcept override { over_ = true; }
  void response_side_over() noexcept override { over_ = true; }

 private:
  // A head as the scanner leaves it.
  using Fields = std::vector<middleware::Field>;
  void know(const Traffic& traffic);
  void begin(const middleware::Chain& chain, const Traffic& traffic);
  void run_request();
  void answer();
  void run_response();
  static Fields scanned(const Traffic::Lines& lines);
  static middleware::Body body_of(const std::string& bytes) noexcept;

  LoneLoop loop_;
  StageLog log_;
  middleware::IdSource ids_;
  middleware::Exchange exchange_{*this};
  const Traffic* traffic_ = nullptr;
  Fields request_fields_;
  Fields response_fields_;
  bool over_ = false;
  bool serving_ = false;
};

}  // namespace lingate::bench
