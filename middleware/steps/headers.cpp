// headers: sets, adds and removes header lines of the request, the response, or both. `remove` runs first, then `set`,
// then `add`.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
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

  enum class Kind : std::uint8_t { remove, set, set_further, add };  // `set_further`: one more line of the name before
  struct Edit {
    Field line;  // views into `texts`; to remove, a name is enough
    Kind kind;
  };

  std::vector<Edit> edits;
  std::vector<std::string> texts;

  bool empty() const noexcept { return edits.empty(); }

  void apply(Headers& headers) const {
    for (const auto& [line, kind] : edits) {
      switch (kind) {
        case Kind::remove: headers.remove(line.name, {.id = line.id, .mark = line.mark}); break;
        case Kind::set: headers.set_prepared(line); break;
        case Kind::set_further: headers.set_further(line); break;
        case Kind::add: headers.add_prepared(line); break;
      }
    }
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
  using Kind = HeaderEdits::Kind;
  const std::vector<std::string> remove = texts_of(*settings, "remove");
  edits.texts.reserve(remove.size() + set->size() + add->size());  // so that none moves
  const auto prepare = [&edits](const HeaderLine& line, Kind kind) {
    const std::string& text = edits.texts.emplace_back(line.name + ": " + line.value + "\r\n");
    edits.edits.push_back({make_prepared_field(text, line.name.size()), kind});
  };
  for (const std::string& name : remove) {
    if (auto checked = check_header_name("headers", name); !checked) return fail(std::move(checked.error()));
    edits.edits.push_back({make_field(edits.texts.emplace_back(name), {}), Kind::remove});
  }
  std::string_view before;
  for (const HeaderLine& line : *set)
    prepare(line, std::exchange(before, line.name) == line.name ? Kind::set_further : Kind::set);
  for (const HeaderLine& line : *add)
    prepare(line, Kind::add);
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
