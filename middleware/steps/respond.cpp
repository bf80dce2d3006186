// respond: answers by itself; nothing goes upstream. Status, headers and body are made once, when the step is.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/codes.h"
#include "middleware/settings_value.h"
#include "middleware/steps/header_settings.h"
#include "middleware/steps/steps.h"
#include "runtimes/value.h"

namespace lingate::middleware::steps {
namespace {

class Respond final : public Middleware {
 public:
  Respond(std::uint16_t status, std::string body, std::vector<HeaderLine> headers)
      : status_(status), body_(std::move(body)), headers_(std::move(headers)) {}

  std::string_view kind() const noexcept override { return "respond"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = true}; }

  Flow on_request(Exchange& exchange, StepRecord&) const override {
    exchange.respond(status_, body_);
    for (const HeaderLine& line : headers_)
      exchange.response.headers.add(line.name, line.value);
    return Flow::respond;
  }

 private:
  const std::uint16_t status_;
  const std::string body_;
  const std::vector<HeaderLine> headers_;
};

struct Content {
  std::string bytes;
  std::string_view type;  // empty: no body, no type
};

Result<Content> content_of(const Settings& settings) {
  if (const Settings* json = settings.find("json")) {
    runtimes::JsonWriter writer;
    if (!walk(*json, writer)) return fail(code::kBadValue, "step 'respond': json: " + writer.error().message);
    return Content{std::string(writer.json()), "application/json"};
  }
  if (settings.find("text")) return Content{std::string(settings.text("text")), "text/plain; charset=utf-8"};
  if (settings.find("body")) return Content{std::string(settings.text("body")), "application/octet-stream"};
  return Content{};
}

}  // namespace

MadeStep make_respond(const Settings& settings, const StepSurroundings&) {
  const std::int64_t status = settings.integer("status", 200);
  if (status < 200 || status > 599)
    return fail(code::kOutOfRange, "step 'respond': status " + std::to_string(status) + " is not within 200 to 599");
  auto content = content_of(settings);
  if (!content) return fail(std::move(content.error()));
  auto lines = header_lines("respond", settings.map("headers"));
  if (!lines) return fail(std::move(lines.error()));
  const bool typed = std::any_of(lines->begin(), lines->end(),
                                 [](const HeaderLine& line) { return field_id(line.name) == FieldId::content_type; });
  if (!typed && !content->type.empty()) lines->insert(lines->begin(), {"Content-Type", std::string(content->type)});
  return std::make_unique<Respond>(static_cast<std::uint16_t>(status), std::move(content->bytes), std::move(*lines));
}

}  // namespace lingate::middleware::steps
