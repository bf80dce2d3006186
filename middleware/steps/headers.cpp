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

struct HeaderEdits {
  HeaderEdits() = default;
  HeaderEdits(HeaderEdits&&) = default;  // a copy's lines would look into the original
  HeaderEdits& operator=(HeaderEdits&&) = default;

  std::vector<std::string> remove;
  std::vector<std::vector<Field>> set;  // the lines of one name each; views into `texts`, as `add`
  std::vector<Field> add;
  std::vector<std::string> texts;

  bool empty() const noexcept { return remove.empty() && set.empty() && add.empty(); }

  void apply(Headers& headers) const {
    for (const std::string& name : remove)
      headers.remove(name);
    for (const std::vector<Field>& lines : set)
      headers.set_prepared(lines);
    for (const Field& line : add)
      headers.add_prepared(line);
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

Result<HeaderEdits> edits_of(const Settings* settings) {
  HeaderEdits edits;
  if (!settings) return edits;
  auto set = header_lines("headers", settings->map("set"));
  if (!set) return fail(std::move(set.error()));
  auto add = header_lines("headers", settings->map("add"));
  if (!add) return fail(std::move(add.error()));
  edits.texts.reserve(set->size() + add->size());  // so that none moves
  const auto prepare = [&edits](const HeaderLine& line) {
    return make_prepared_field(edits.texts.emplace_back(line.name + ": " + line.value + "\r\n"), line.name.size());
  };
  for (const HeaderLine& line : *set) {
    if (edits.set.empty() || edits.set.back().front().name != line.name) edits.set.emplace_back();
    edits.set.back().push_back(prepare(line));
  }
  for (const HeaderLine& line : *add)
    edits.add.push_back(prepare(line));
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
