#include "gateway/http/metrics.h"

#include <algorithm>
#include <cstdio>

#include "base/codes.h"

namespace lingate::http {
namespace {

template <class Row>
Row& row_of(std::map<std::string, std::unique_ptr<Row>, std::less<>>& rows, std::string_view name) {
  const auto found = rows.find(name);
  if (found != rows.end()) return *found->second;
  return *rows.emplace(std::string(name), std::make_unique<Row>()).first->second;
}

// The sum of one histogram over several workers.
template <class Of>
struct SumOf {
  static constexpr const auto& kBounds = Of::kBounds;
  std::array<std::uint64_t, kBounds.size() + 1> buckets{};
  double seconds = 0;

  void add(const Of& histogram) {
    for (std::size_t k = 0; k < buckets.size(); ++k)
      buckets[k] += histogram.bucket(k);
    seconds += std::chrono::duration<double>(histogram.sum()).count();
  }
};
using Sum = SumOf<Histogram>;

std::string quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

void write_number(std::string& out, double number) {
  char text[40];
  const int size = std::snprintf(text, sizeof text, "%.9g", number);
  out.append(text, static_cast<std::size_t>(std::max(size, 0)));
}

template <class Of>
void write_histogram(std::string& out, std::string_view name, const std::string& labels, const SumOf<Of>& sum) {
  std::uint64_t below = 0;
  for (std::size_t k = 0; k < sum.buckets.size(); ++k) {
    below += sum.buckets[k];
    out.append(name).append("_bucket{").append(labels).append(",le=\"");
    if (k < sum.kBounds.size())
      write_number(out, static_cast<double>(sum.kBounds[k]) / 1e6);
    else
      out += "+Inf";
    out.append("\"} ").append(std::to_string(below)).append("\n");
  }
  out.append(name).append("_sum{").append(labels).append("} ");
  write_number(out, sum.seconds);
  out.append("\n").append(name).append("_count{").append(labels).append("} ");
  out.append(std::to_string(below)).append("\n");
}

void write_type(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n");
  out.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

void write_value(std::string& out, std::string_view name, const std::string& labels, std::uint64_t value) {
  out.append(name);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.append(" ").append(std::to_string(value)).append("\n");
}

struct RouteSum {
  std::array<std::uint64_t, 6> by_class{};
  Sum duration;
};

constexpr std::array<std::string_view, 5> kFailures{"exception", "timeout", "memory", "invalid", "unavailable"};

struct StepSum {
  SumOf<StepHistogram> request;
  SumOf<StepHistogram> response;
  std::array<std::uint64_t, kFailures.size()> failures{};

  void add(const StepMetrics& row) {
    request.add(row.request);
    response.add(row.response);
    for (std::size_t kind = 0; kind < failures.size(); ++kind)
      failures[kind] += row.failures[kind].read();
  }
};

struct UpstreamSum {
  Sum duration;
  std::uint64_t failures = 0;
  std::uint64_t retries = 0;
  std::uint64_t ejections = 0;
};

void write_routes(std::string& out, const std::map<std::string, RouteSum>& routes) {
  write_type(out, "http_server_request_duration_seconds", "histogram", "Requests served, by route.");
  for (const auto& [name, sum] : routes)
    write_histogram(out, "http_server_request_duration_seconds", "http_route=\"" + quoted(name) + "\"", sum.duration);
  write_type(out, "lingate_requests_total", "counter", "Requests served, by route and status class.");
  for (const auto& [name, sum] : routes)
    for (std::size_t k = 0; k < sum.by_class.size(); ++k) {
      const std::string status = k == 0 ? "none" : std::to_string(k) + "xx";
      write_value(out, "lingate_requests_total", "route=\"" + quoted(name) + "\",status=\"" + status + "\"",
                  sum.by_class[k]);
    }
}

void write_steps(std::string& out, const std::map<StepName, StepSum>& steps) {
  const auto labels = [](const StepName& name) {
    return "route=\"" + quoted(name.route) + "\",step=\"" + quoted(name.step) + "\",runtime=\"" + name.runtime + "\"";
  };
  write_type(out, "lingate_step_duration_seconds", "histogram", "What a step took, waiting included.");
  for (const auto& [name, sum] : steps) {
    write_histogram(out, "lingate_step_duration_seconds", labels(name) + ",hook=\"request\"", sum.request);
    write_histogram(out, "lingate_step_duration_seconds", labels(name) + ",hook=\"response\"", sum.response);
  }
  write_type(out, "lingate_step_errors_total", "counter", "Script calls that failed, by kind.");
  for (const auto& [name, sum] : steps)
    if (name.runtime != "native")
      for (std::size_t kind = 0; kind < kFailures.size(); ++kind)
        write_value(out, "lingate_step_errors_total", labels(name) + ",kind=\"" + std::string(kFailures[kind]) + "\"",
                    sum.failures[kind]);
}

void write_upstreams(std::string& out, const std::map<std::string, UpstreamSum>& upstreams) {
  write_type(out, "http_client_request_duration_seconds", "histogram", "Time to an upstream's response head.");
  for (const auto& [name, sum] : upstreams)
    write_histogram(out, "http_client_request_duration_seconds", "upstream=\"" + quoted(name) + "\"", sum.duration);
  const auto counter = [&](std::string_view metric, std::string_view help, std::uint64_t UpstreamSum::*member) {
    write_type(out, metric, "counter", help);
    for (const auto& [name, sum] : upstreams)
      write_value(out, metric, "upstream=\"" + quoted(name) + "\"", sum.*member);
  };
  counter("lingate_upstream_failures_total", "Failed connects, resets and time-outs.", &UpstreamSum::failures);
  counter("lingate_upstream_retries_total", "Requests sent once more.", &UpstreamSum::retries);
  counter("lingate_upstream_ejections_total", "Targets put out after failures in a row.", &UpstreamSum::ejections);
}

}  // namespace

void StepMetrics::count(std::chrono::nanoseconds on_request, std::chrono::nanoseconds on_response, int fault) noexcept {
  if (on_request.count() >= 0) request.observe(on_request);
  if (on_response.count() >= 0) response.observe(on_response);
  if (fault >= code::kScriptException && fault <= code::kScriptUnavailable)
    failures[static_cast<std::size_t>(fault - code::kScriptException)].add();
}

RouteMetrics& Metrics::route(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return row_of(routes_, name);
}

StepMetrics& Metrics::step(const StepName& name) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<StepMetrics>& row = steps_[name];
  if (!row) row = std::make_unique<StepMetrics>();
  return *row;
}

UpstreamMetrics& Metrics::upstream(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return row_of(upstreams_, name);
}

TargetState& Metrics::target(std::string_view upstream, std::string_view label) {
  const std::lock_guard lock(mutex_);
  TargetState& state = row_of(row_of(upstreams_, upstream).targets, label);
  state.healthy.store(true, std::memory_order_relaxed);
  state.ejected.store(false, std::memory_order_relaxed);
  return state;
}

UpstreamFigures Metrics::upstream_figures(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = upstreams_.find(name);
  if (found == upstreams_.end()) return {};
  const UpstreamMetrics& row = *found->second;
  UpstreamFigures figures{row.failures.read(), row.retries.read(), row.ejections.read(), {}};
  for (const auto& [label, state] : row.targets)
    figures.targets.push_back({label, state->healthy.load(std::memory_order_relaxed),
                               state->ejected.load(std::memory_order_relaxed), state->active.read()});
  return figures;
}

void write_prometheus(std::span<const Metrics* const> workers, std::string& out) {
  std::map<std::string, RouteSum> routes;
  std::map<StepName, StepSum> steps;
  std::map<std::string, UpstreamSum> upstreams;
  std::uint64_t accepted = 0, failures = 0, refused = 0, connections = 0, requests = 0, malformed = 0;
  std::uint64_t http2_connections = 0, http2_streams = 0, http2_abuses = 0, http2_breaches = 0;
  for (const Metrics* worker : workers) {
    accepted += worker->accepted.read();
    failures += worker->accept_failures.read();
    refused += worker->over_address_limit.read();
    connections += worker->active_connections.read();
    requests += worker->active_requests.read();
    malformed += worker->malformed.read();
    http2_connections += worker->http2_connections.read();
    http2_streams += worker->http2_streams.read();
    http2_abuses += worker->http2_abuses.read();
    http2_breaches += worker->http2_breaches.read();
    const std::lock_guard lock(worker->mutex_);
    for (const auto& [name, row] : worker->routes_) {
      RouteSum& sum = routes[name];
      for (std::size_t k = 0; k < sum.by_class.size(); ++k)
        sum.by_class[k] += row->by_class[k].read();
      sum.duration.add(row->duration);
    }
    for (const auto& [name, row] : worker->steps_)
      steps[name].add(*row);
    for (const auto& [name, row] : worker->upstreams_) {
      UpstreamSum& sum = upstreams[name];
      sum.duration.add(row->duration);
      sum.failures += row->failures.read();
      sum.retries += row->retries.read();
      sum.ejections += row->ejections.read();
    }
  }
  write_routes(out, routes);
  write_steps(out, steps);
  write_upstreams(out, upstreams);
  const auto single = [&](std::string_view name, std::string_view type, std::string_view help, std::uint64_t value) {
    write_type(out, name, type, help);
    write_value(out, name, {}, value);
  };
  single("http_server_active_requests", "gauge", "Requests in flight.", requests);
  single("lingate_connections", "gauge", "Client connections.", connections);
  single("lingate_accepted_total", "counter", "Client connections accepted.", accepted);
  single("lingate_accept_failures_total", "counter", "Accepts that failed for want of descriptors.", failures);
  single("lingate_connections_refused_total", "counter", "Client connections closed for `connections_per_address`.",
         refused);
  single("lingate_malformed_requests_total", "counter", "Requests refused before routing.", malformed);
  single("lingate_http2_connections_total", "counter", "Client connections that spoke HTTP/2.", http2_connections);
  single("lingate_http2_streams_total", "counter", "Requests begun on them.", http2_streams);
  write_type(out, "lingate_http2_closed_total", "counter", "HTTP/2 connections closed for what their client did.");
  write_value(out, "lingate_http2_closed_total", "reason=\"abuse\"", http2_abuses);
  write_value(out, "lingate_http2_closed_total", "reason=\"protocol\"", http2_breaches);
}

}  // namespace lingate::http
