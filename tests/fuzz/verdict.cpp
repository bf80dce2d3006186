// Verdicts: what read_verdict() accepts and VerdictReader applies, as if another process had written it. Nothing or all
// of it is applied, nothing of it can break a head, and what a room could have written obeys the rooms' rules.
//
// Input: the hook (q request, s response, l log), the limits (n narrow, else the defaults), then the verdict as wire
// text (wire_text.h).
#include "middleware/script_verdict.h"

#include <string>

#include "base/codes.h"
#include "runtimes/call_view.h"
#include "tests/fuzz/stage.h"
#include "tests/fuzz/wire_text.h"

namespace lingate::fuzz {
namespace {

using middleware::Exchange;
using middleware::VerdictReader;
using runtimes::Hook;
using runtimes::ScriptLimits;
using runtimes::Verdict;
using Outcome = VerdictReader::Outcome;

ScriptLimits limits_of(char letter) {
  ScriptLimits limits;
  if (letter != 'n') return limits;
  limits.field_line = 32;
  limits.fields = 5;
  limits.head = 96;
  limits.target = 24;
  limits.body = 32;
  return limits;
}

Hook hook_of(char letter) {
  return letter == 's' ? Hook::response : letter == 'l' ? Hook::log : Hook::request;
}

// id, tags, metadata {tier: gold}
middleware::Session session() {
  static const std::string wire = wire_of(R"("1ada" "2A" "4old" (5 (1 "1tier" (2 "4gold"))) %65)");
  return *middleware::Session::from_wire(wire);
}

void set_up(Exchange& exchange, Hook hook, std::string_view input) {
  middleware::Headers& headers = exchange.request.headers;
  Stage::receive(headers, "Host", "api.test", "Host: api.test\r\n");
  Stage::receive(headers, "X-A", "1", "X-A: 1\r\n");
  Stage::receive(headers, "x-a", "2", "x-a: 2\r\n");
  if (input.size() % 2 == 0) exchange.set_session(session());
  if (hook == Hook::request) return;
  exchange.response.source = middleware::Response::Source::upstream;
  exchange.response.status = 200;
  Stage::receive(exchange.response.headers, "ETag", "\"1\"", "ETag: \"1\"\r\n");
  Stage::receive(exchange.response.headers, "X-A", "1", "X-A: 1\r\n");
}

void check_line(std::string_view name, std::string_view value) {
  require(fields::is_token(name) && !fields::is_connection_field(name), "a script's header name is one it may write");
  require(fields::is_value(value), "a script's header value holds no control byte");
}

void check_text(std::string_view text, std::string_view forbidden) {
  for (const char c : text)
    require(static_cast<unsigned char>(c) > 0x20 && forbidden.find(c) == std::string_view::npos,
            "a path and a query hold neither space nor control bytes");
}

// What read_verdict() promises.
void check_content(const Verdict& verdict) {
  require(!(verdict.request && verdict.response), "one head is edited at most");
  require(!verdict.failure || !(verdict.edits_head() || verdict.session || verdict.context || verdict.answer),
          "a failure stands alone");
  for (std::size_t i = 0; i < verdict.headers.size(); ++i) {
    const runtimes::HeaderEdit edit = verdict.headers[i];
    check_line(edit.name, {});
    for (const std::string_view value : edit.values)
      check_line(edit.name, value);
  }
  if (verdict.request) {
    if (verdict.request->method) require(fields::is_token(*verdict.request->method), "a method is a token");
    if (verdict.request->path) check_text(*verdict.request->path, "?#\x7f");
    if (verdict.request->query) check_text(*verdict.request->query, "#\x7f");
  }
  if (verdict.response && verdict.response->status)
    require(*verdict.response->status >= 200 && *verdict.response->status <= 599, "a status has its range");
  if (!verdict.answer) return;
  require(verdict.answer->status >= 200 && verdict.answer->status <= 599, "a status has its range");
  runtimes::HeaderLines lines = verdict.answer->headers;
  for (std::string_view name, value; lines.next(name, value);)
    check_line(name, value);
}

// Would a room have let its script write this? It has rules beside those of the wire: a path is ASCII and well-encoded,
// a method is short and not CONNECT, Host is a host.
bool rooms_allow(const Verdict& verdict, Hook hook, const ScriptLimits& limits) {
  runtimes::CallView view;
  view.begin(hook, {}, limits);
  if (verdict.request) {
    const auto& edits = *verdict.request;
    if (edits.method && view.set_method(*edits.method)) return false;
    if (edits.path && view.set_path(*edits.path)) return false;
    if (edits.query && view.set_query(*edits.query)) return false;
  }
  for (std::size_t i = 0; i < verdict.headers.size(); ++i)
    for (const std::string_view value : verdict.headers[i].values)
      if (runtimes::check_header_value(verdict.headers[i].name, value, limits)) return false;
  if (!verdict.answer) return true;
  runtimes::HeaderLines lines = verdict.answer->headers;
  for (std::string_view name, value; lines.next(name, value);)
    if (runtimes::check_header_value(name, value, limits)) return false;
  return true;
}

bool is_strict(const middleware::Headers& headers) {
  return std::all_of(headers.all().begin(), headers.all().end(),
                     [](const middleware::Field& field) { return fields::is_value(field.value); });
}

void check_applied(const Exchange& exchange, const Verdict& verdict, Hook hook, const ScriptLimits& limits) {
  const middleware::Headers& edited = hook == Hook::request ? exchange.request.headers : exchange.response.headers;
  if (!verdict.answer && !exchange.request.body.replaced && !exchange.response.body.replaced)
    require(verdict.headers.size() == 0 || edited.size() <= limits.fields, "an edited head is in its limits");
  if (verdict.session && exchange.session()) require(!exchange.session()->id().empty(), "a session has an id");
  const bool strict = is_strict(exchange.request.headers) && is_strict(exchange.response.headers);
  require(rooms_allow(verdict, hook, limits), "the gateway is as strict as the rooms");
  if (!strict) return;
  require(sends_one_request(exchange), "the request that goes upstream is one head");
  const bool answered = exchange.response.source != middleware::Response::Source::none;
  require(!answered || sends_one_response(exchange), "the response that goes to the client is one head");
}

void check_failure(const VerdictReader& reader, const Exchange& exchange, const std::string& before) {
  require(text_of(exchange) == before, "a verdict that may not stand changes nothing");
  require(find_code(middleware::code_of(reader.failure().kind)) != nullptr, "a failure has a code");
  require(reader.failure().message.size() <= 2048 && reader.failure().stack.size() <= 20, "a failure fits a log line");
}

struct Applied {
  Outcome outcome;
  std::string text;
};

Applied apply(std::string_view input, Hook hook, std::string_view bytes, const ScriptLimits& limits) {
  Stage stage;
  set_up(stage.exchange, hook, input);
  const std::string before = text_of(stage.exchange);
  VerdictReader reader;
  const Outcome outcome = reader.apply(stage.exchange, hook, bytes, limits);
  Verdict verdict;
  const bool accepted = runtimes::read_verdict(bytes, verdict);
  if (accepted) check_content(verdict);
  require(accepted || outcome == Outcome::failed, "what is malformed is not applied");
  if (outcome == Outcome::failed) check_failure(reader, stage.exchange, before);
  if (outcome != Outcome::failed) check_applied(stage.exchange, verdict, hook, limits);
  require((outcome == Outcome::answered) == (outcome != Outcome::failed && verdict.answer.has_value()),
          "an answer, and nothing else, answers");
  return {outcome, text_of(stage.exchange)};
}

void check(std::string_view input) {
  if (input.size() < 2) return;
  const Hook hook = hook_of(input[0]);
  const ScriptLimits limits = limits_of(input[1]);
  const Exact bytes(wire_of(input.substr(2)));
  const Applied first = apply(input, hook, bytes.view(), limits);
  const Applied again = apply(input, hook, bytes.view(), limits);
  require(first.outcome == again.outcome && first.text == again.text, "the same verdict does the same");
  VerdictReader log;
  Verdict verdict;
  const bool accepted = runtimes::read_verdict(bytes.view(), verdict);
  const bool fails = !accepted || verdict.failure.has_value();
  require((log.read_failure(bytes.view()) == Outcome::failed) == fails, "the log side sees the same failures");
}

}  // namespace
}  // namespace lingate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  lingate::fuzz::check(lingate::fuzz::text_of(bytes, size));
  return 0;
}
