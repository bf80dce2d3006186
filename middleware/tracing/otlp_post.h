// OtlpPost: one request to a collector.
//
// Thread: run() on the exporter's, stop() any. Lifetime: the options outlive it.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"
#include "middleware/tracing/otlp_options.h"

namespace lingate::middleware::tracing {

struct OtlpFailure {
  std::string what;
  bool may_pass = false;  // another attempt may help
};

class OtlpPost {
 public:
  OtlpPost(const OtlpOptions& options, std::string body);
  ~OtlpPost();
  OtlpPost(const OtlpPost&) = delete;
  OtlpPost& operator=(const OtlpPost&) = delete;

  // Waits for the collector's answer, as long as the options say.
  Result<void, OtlpFailure> run();
  // Ends the waiting.
  void stop() noexcept;

 private:
  class Exchange;
  const std::unique_ptr<Exchange> exchange_;
};

}  // namespace lingate::middleware::tracing
