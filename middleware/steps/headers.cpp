// headers: sets, adds and removes header lines of the request, the response, or both. `remove` runs first, then `set`,
// then `add`.
#include <string>
#include <string_view>
#include <vector>

#include "middleware/settings_value.h"
#include "middleware/steps/header_settings.h"
#include "middleware/steps/steps.h"

namespace lingate::middleware::steps {
namespace {

// A `set` with all its values; lines of the settings share their text.
struct SetLine {
  FieldKey key;
  std::string_view name;
  std::vector<std::string_view> values;
};

struct HeaderEdits {
  HeaderEdits() = default;
  HeaderEdits(HeaderEdits&&) = default;  // a copy's `set` would look into the original
  HeaderEdits& operator=(HeaderEdits&&) = default;

  std::vector<std::string> remove;
  std::vector<HeaderLine> set_lines;
  std::vector<HeaderLine> add;
  std::vector<SetLine> set;  // views into set_lines

  bool empty() const noexcept { return remove.empty() && set.empty() && add.empty(); }

  void apply(Headers& headers) const {
    for (const std::string& name : remove)
      headers.remove(name);
    for (const SetLine& line : set)
      headers.set_lasting(line.key, line.name, line.values);
    for (const HeaderLine& line : add)
      headers.add(line.name, line.value);
  }
};

class HeadersStep final : public Middleware {
 public:
  HeadersStep(HeaderEdits request, HeaderEdits response)
      : request_(std::move(request)), response_(std::move(response)) {}

  std::string_view kind() const noexcept override { return "headers"; }
  std::string_view label() const noexcept override { return kind(); }
  StepNeeds needs() const noexcept override { return {.request = !request_.empty(), .response = !response_.empty()}; }

  Flow on_request(Exchange& exchange, StepRecord&) const override {
    request_.apply(exchange.request.headers);
    return Flow::next;
  }

  Flow on_response(Exchange& exchange, StepRecord&) const override {
    response_.apply(exchange.response.headers);
    return Flow::next;
  }

 private:
  const HeaderEdits request_;
  const HeaderEdits response_;
};

std::vector<SetLine> group(const std::vector<HeaderLine>& lines) {
  std::vector<SetLine> grouped;
  for (const HeaderLine& line : lines) {
    if (grouped.empty() || grouped.back().name != line.name) grouped.push_back({field_key(line.name), line.name, {}});
    grouped.back().values.push_back(line.value);
  }
  return grouped;
}

Result<HeaderEdits> edits_of(const Settings* settings) {
  HeaderEdits edits;
  if (!settings) return edits;
  auto set = header_lines("headers", settings->map("set"));
  if (!set) return fail(std::move(set.error()));
  auto add = header_lines("headers", settings->map("add"));
  if (!add) return fail(std::move(add.error()));
  edits.set_lines = std::move(*set);
  edits.set = group(edits.set_lines);
  edits.add = std::move(*add);
  edits.remove = texts_of(*settings, "remove");
  for (const std::string& name : edits.remove)
    if (auto checked = check_header_name("headers", name); !checked) return fail(std::move(checked.error()));
  return edits;
}

}  // namespace

MadeStep make_headers(const Settings& settings, const StepSurroundings&) {
  auto request = edits_of(settings.find("request"));
  if (!request) return fail(std::move(request.error()));
  auto response = edits_of(settings.find("response"));
  if (!response) return fail(std::move(response.error()));
  return std::make_unique<HeadersStep>(std::move(*request), std::move(*response));
}

}  // namespace lingate::middleware::steps
