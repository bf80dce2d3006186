#include "gateway/bench/rooms/native.h"

#include <string>
#include <unordered_map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace lingate::bench {
namespace {

using middleware::Exchange;
using middleware::Flow;
using middleware::StepNeeds;
using middleware::StepRecord;

class NativeStep : public middleware::Middleware {
 public:
  std::string_view kind() const noexcept override { return "native"; }
  std::string_view label() const noexcept override { return "native"; }
  StepNeeds needs() const noexcept override { return {.request = true}; }
};

class Empty final : public NativeStep {
 public:
  StepNeeds needs() const noexcept override { return {.request = true, .response = true}; }
};

class Header final : public NativeStep {
 public:
  Header() {
    for (int k = 1; k <= 1000; ++k)
      sessions_.emplace(fmt::format("key-{:08d}", k),
                        Session{fmt::format("user-{}", k), fmt::format("tenant-{}", k % 17)});
  }
  StepNeeds needs() const noexcept override { return {.request = true, .response = true}; }

  Flow on_request(Exchange& exchange, StepRecord&) const override {
    middleware::Headers& headers = exchange.request.headers;
    const auto found = sessions_.find(std::string(headers.value("X-Api-Key")));
    if (found == sessions_.end()) {
      exchange.respond(401, {});
      return Flow::respond;
    }
    headers.set("X-User-Id", found->second.user);
    headers.set("X-Tenant", found->second.tenant);
    headers.remove("X-Api-Key");
    return Flow::next;
  }
  Flow on_response(Exchange& exchange, StepRecord&) const override {
    exchange.response.headers.set("X-Gateway", "perf");
    return Flow::next;
  }

 private:
  struct Session {
    std::string user;
    std::string tenant;
  };
  std::unordered_map<std::string, Session> sessions_;
};

class BodyRewrite final : public NativeStep {
 public:
  StepNeeds needs() const noexcept override { return {.request = true, .request_body = true, .max_body = 1 << 20}; }
  Flow on_request(Exchange& exchange, StepRecord&) const override {
    auto order = nlohmann::ordered_json::parse(exchange.request.body.bytes);
    order["gateway_user"] = "user-42";
    exchange.replace_request_body(order.dump());
    return Flow::next;
  }
};

class Early final : public NativeStep {
 public:
  Flow on_request(Exchange& exchange, StepRecord&) const override {
    exchange.respond(200, body_);
    exchange.response.headers.set("Content-Type", "text/plain; charset=utf-8");
    exchange.response.headers.set("X-Gateway", "perf");
    return Flow::respond;
  }

 private:
  const std::string body_ = std::string(128, 'x');
};

class Compute final : public NativeStep {
 public:
  Flow on_request(Exchange& exchange, StepRecord&) const override {
    std::uint64_t hash = 7;
    for (std::uint64_t k = 1; k <= 2000; ++k)
      hash = (hash * 31 + k) % 4294967296U;
    exchange.request.headers.set("X-Hash", std::to_string(hash));
    return Flow::next;
  }
};

}  // namespace

std::unique_ptr<const middleware::Middleware> native_step(std::string_view job) {
  if (job == "empty") return std::make_unique<Empty>();
  if (job == "header") return std::make_unique<Header>();
  if (job == "body") return std::make_unique<BodyRewrite>();
  if (job == "early") return std::make_unique<Early>();
  if (job == "compute") return std::make_unique<Compute>();
  return nullptr;
}

}  // namespace lingate::bench
