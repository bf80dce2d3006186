// body-limit: refuses request bodies over `size` with 413: at once where Content-Length says so, else when the byte
// too much passes (the connection counts, see Exchange::body_limit).
#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/codes.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

// The connection has checked the field: digits only. A number that does not fit is over any limit.
std::uint64_t length_of(std::string_view digits) noexcept {
  std::uint64_t length = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  return fault == std::errc() ? length : UINT64_MAX;
}

class BodyLimit final : public Middleware {
 public:
  explicit BodyLimit(std::uint64_t size) : size_(size) {}

  std::string_view kind() const noexcept override { return "body-limit"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true}; }

  Flow on_request(Exchange& exchange, StepRecord& record) const override {
    exchange.body_limit = std::min(exchange.body_limit, size_);
    if (announced(exchange.request) <= size_) return Flow::next;
    record.fault = code::kBodyOverLimit;
    exchange.fail({.code = code::kBodyOverLimit, .detail = {}, .step = label()});
    return Flow::fail;
  }

 private:
  static std::uint64_t announced(const Request& request) noexcept {
    if (request.body.kind == Body::Kind::bytes) return request.body.bytes.size();
    const Field* length = request.headers.find(FieldId::content_length);
    return length ? length_of(length->value) : 0;
  }

  const std::uint64_t size_;
};

}  // namespace

MadeStep make_body_limit(const Settings& settings, const StepSurroundings&) {
  return std::make_unique<BodyLimit>(settings.size("size"));
}

}  // namespace lingate::middleware::steps
