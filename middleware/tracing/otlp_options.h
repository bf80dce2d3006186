// Where spans go, as plain values: a collector's URL and what is sent with every request.
//
// Plain data that owns its memory.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace lingate::middleware::tracing {

struct OtlpUrl {
  bool secure = false;  // https
  std::string host{};   // without brackets
  std::string port{};
  std::string authority{};  // as Host says it
  std::string target{};

  bool operator==(const OtlpUrl&) const = default;
};

struct UrlProblem {
  std::string what;
  std::string cure;
};

Result<OtlpUrl, UrlProblem> parse_otlp_url(std::string_view url);

struct OtlpOptions {
  OtlpUrl url;
  std::string authorities{};  // a file in PEM; empty: the system's
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string service{};
  std::chrono::nanoseconds timeout{};  // of one request

  bool operator==(const OtlpOptions&) const = default;
};

}  // namespace lingate::middleware::tracing
