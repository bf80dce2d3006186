#include "gateway/bench/rooms/jobs.h"

#include <fmt/format.h>

#include "lingate_build/bench_jobs.h"

namespace lingate::bench {
namespace {

using middleware::Exchange;

std::string wants(bool done, std::string_view otherwise) {
  return done ? std::string() : std::string(otherwise);
}

std::string wants_header(const middleware::Headers& headers, std::string_view name, std::string_view value) {
  const std::string_view seen = headers.value(name);
  return wants(seen == value, fmt::format("{} is '{}', not '{}'", name, seen, value));
}

std::string check_empty(Exchange& exchange) {
  return wants(exchange.request.headers.size() == usual_traffic().request_headers.size(), "a header was changed");
}

std::string check_header(Exchange& exchange) {
  const middleware::Headers& sent = exchange.request.headers;
  if (std::string wrong = wants_header(sent, "X-User-Id", "user-500"); !wrong.empty()) return wrong;
  if (std::string wrong = wants_header(sent, "X-Tenant", "tenant-7"); !wrong.empty()) return wrong;
  if (sent.find("X-Api-Key")) return "X-Api-Key was not removed";
  return wants_header(exchange.response.headers, "X-Gateway", "perf");
}

std::string check_body(Exchange& exchange) {
  const std::string_view body = exchange.request.body.bytes;
  return wants(exchange.request.body.replaced && body.find("gateway_user") != body.npos && body.size() > 1000,
               "the body was not rewritten");
}

std::string check_early(Exchange& exchange) {
  return wants(exchange.response.source == middleware::Response::Source::step &&
                   exchange.response.body.bytes == std::string(128, 'x'),
               "the script did not answer");
}

std::string check_compute(Exchange& exchange) {
  return wants_header(exchange.request.headers, "X-Hash", "3358825199");
}

std::string check_live(Exchange& exchange) {
  return wants_header(exchange.request.headers, "X-Live", "100000");
}

constexpr Job kJobs[] = {
    {"empty", "two hooks that do nothing", false, true, check_empty},
    {"header", "session by API key, three header edits", false, true, check_header},
    {"body", "1.1 KB of JSON decoded, changed, encoded", true, true, check_body},
    {"early", "an answer without the upstream", false, true, check_early},
    {"compute", "2,000 rounds of a hash", false, true, check_compute},
    {"live", "20 new objects beside 100,000 live ones", false, true, check_live},
    {"marks", "stamps", false, false, check_empty},
};

// Eleven items of an order, about 1.1 KB.
std::string order() {
  std::string text = R"({"order":4711,"currency":"EUR","customer":{"name":"Ada Lovelace","city":"London"},"items":[)";
  for (int k = 1; k <= 11; ++k)
    text +=
        fmt::format(R"({}{{"sku":"SKU-{:05d}","title":"A thing of some use, number {}","quantity":{},"price":{}.5}})",
                    k == 1 ? "" : ",", k * 7919, k, k % 4 + 1, k * 13);
  return text + R"(],"note":"Leave it at the door, please; the bell is broken.","paid":true})";
}

}  // namespace

std::span<const Job> all_jobs() noexcept {
  return kJobs;
}

const Job* find_job(std::string_view name) noexcept {
  for (const Job& job : kJobs)
    if (job.name == name) return &job;
  return nullptr;
}

const char* source_of(const Job& job, std::string_view runtime) noexcept {
  for (const auto& source : kJobSources)
    if (source.job == job.name && source.runtime == runtime) return source.text;
  return nullptr;
}

Traffic traffic_of(const Job& job) {
  Traffic traffic = usual_traffic();
  if (!job.request_body) return traffic;
  traffic.method = "POST";
  traffic.request_body = order();
  traffic.request_headers.emplace_back("Content-Type", "application/json");
  traffic.request_headers.emplace_back("Content-Length", std::to_string(traffic.request_body.size()));
  return traffic;
}

}  // namespace lingate::bench
