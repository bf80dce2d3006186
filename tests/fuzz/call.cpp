// Calls: what CallView reads of a call's bytes and makes of a script's writes. Bytes that no gateway wrote must do no
// harm; of a call that write_call() wrote, every text is read as it was put in, and the verdict that finish() gives is
// one that the gateway accepts and that leaves the head just as the script saw it.
//
// Input: the hook (q request, s response, l log), the limits (n narrow, b with bodies, else the defaults), operations
// (call_script.h) and then either '=' and the call as wire text (wire_text.h), or '~' and its parts (call_parts.h).
#include <map>
#include <string>

#include "middleware/script_verdict.h"
#include "proto/plugin.h"
#include "runtimes/call_view.h"
#include "tests/fuzz/call_parts.h"
#include "tests/fuzz/call_script.h"
#include "tests/fuzz/stage.h"

namespace lingate::fuzz {
namespace {

using runtimes::CallView;
using runtimes::Hook;
using runtimes::ScriptLimits;
using runtimes::Side;

ScriptLimits limits_of(char letter) {
  ScriptLimits limits;
  limits.request_body = limits.response_body = letter == 'b';
  if (letter != 'n') return limits;
  limits.field_line = 48;
  limits.fields = 6;
  limits.head = 120;
  limits.target = 32;
  limits.body = 32;
  return limits;
}

bool same(std::span<const Line> a, std::span<const Line> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Line& x, const Line& y) { return x.name == y.name && x.value == y.value; });
}

// The lazy search, before anything else has looked at the head, finds what the lines say.
void check_search(const std::string& call, Hook hook, const ScriptLimits& limits, const std::vector<Line>& lines) {
  CallView view;
  view.begin(hook, call, limits);
  for (const Line& line : lines) {
    if (line.name.empty()) continue;
    const auto same_name = [&line](const Line& each) { return fields::same_name(each.name, line.name); };
    const std::string_view* const found = view.request_head().get(line.name);
    require(found && *found == std::find_if(lines.begin(), lines.end(), same_name)->value,
            "the first line of a name is found");
  }
  require(view.request_head().get("x-no-such-name") == nullptr ||
              std::any_of(lines.begin(), lines.end(),
                          [](const Line& line) { return fields::same_name(line.name, "x-no-such-name"); }),
          "no line is found where there is none");
}

void check_session(CallView& view, const Parts& parts) {
  require(view.has_session() == parts.has_session, "a session is there or not");
  if (!parts.has_session) return;
  require(view.session_text(CallView::SessionText::id) == parts.session.id, "a session's id is read as written");
  require(view.session_text(CallView::SessionText::org) == parts.session.org, "a session's org is read as written");
  require(view.session_metadata() == parts.session.metadata.value_or(""), "metadata is read as written");
  std::vector<std::string_view> tags;
  view.session_tags(tags);
  require(tags == parts.tags, "tags are read as written");
  const auto rate = view.session_number(CallView::SessionNumber::rate);
  require(rate.has_value() == parts.session.rate.has_value(), "a number is there or not");
}

void check_reads(const std::string& call, Hook hook, const ScriptLimits& limits, const Parts& parts) {
  using Text = CallView::RequestText;
  check_search(call, hook, limits, parts.headers);
  CallView view;
  view.begin(hook, call, limits);
  require(view.request_text(Text::method) == parts.texts.method, "the method is read as written");
  require(view.request_text(Text::host) == parts.texts.host, "the host is read as written");
  require(view.request_text(Text::path) == parts.texts.path, "the path is read as written");
  require(view.request_text(Text::query) == parts.texts.query, "the query is read as written");
  require(view.request_text(Text::route) == parts.texts.route, "the route is read as written");
  require(view.request_text(Text::client_ip) == parts.texts.client_ip, "the client is read as written");
  require(view.client_port() == parts.texts.client_port, "the client's port is read as written");
  require(same(view.params(), parts.params), "parameters are read as written");
  require(same(view.request_head().lines(), parts.headers), "headers are read as written");
  if (limits.request_body) require(view.body(Side::request).bytes == parts.body.value_or(""), "a body is read whole");
  require(view.context() == parts.context, "ctx is read as written");
  check_session(view, parts);
  if (hook == Hook::request) return;
  require(view.status() == parts.status, "the status is read as written");
  require(same(view.response_head().lines(), parts.response_headers), "the response's headers are read as written");
}

// All that can be read, of a call that may be anything.
void read_all(CallView& view) {
  std::vector<std::string_view> tags;
  std::size_t bytes = 0;
  for (unsigned which = 0; which < 9; ++which)
    bytes += view.request_text(static_cast<CallView::RequestText>(which)).size();
  for (const Line& line : view.params())
    bytes += line.name.size() + line.value.size();
  for (const Line& line : view.request_head().lines())
    bytes += line.name.size() + line.value.size();
  for (const Line& line : view.response_head().lines())
    bytes += line.name.size() + line.value.size();
  for (unsigned which = 0; which < 7; ++which)
    view.session_number(static_cast<CallView::SessionNumber>(which));
  view.session_tags(tags);
  view.param("id");
  static_cast<void>(view.client_port() + view.status());
  bytes += view.session_metadata().size() + view.context().size() + view.body(Side::request).bytes.size();
  bytes += view.session_text(CallView::SessionText::alias).size() + view.body(Side::response).bytes.size();
  require(bytes < 64U * 1024 * 1024, "no text is longer than its call");
}

void check_failure(CallView& view, std::string_view message) {
  const std::vector<std::string> stack(message.size() % 30, std::string(message));
  view.fail(runtimes::FailureKind::exception, message, "a.lua", 7, stack);
  const std::string_view bytes = view.finish();
  runtimes::Verdict verdict;
  require(runtimes::read_verdict(bytes, verdict) && verdict.failure, "a failure is a verdict");
  require(verdict.failure->line == 7 && message.starts_with(verdict.failure->message), "a failure says what it was");
  require(bytes.size() < 16 * 1024, "a failure is short");
}

std::size_t bytes_of(std::span<const Line> lines) {
  std::size_t bytes = 0;
  for (const Line& line : lines)
    bytes += runtimes::line_bytes(line.name, line.value);
  return bytes;
}

bool fits(std::span<const Line> lines, const ScriptLimits& limits) {
  return lines.size() <= limits.fields && bytes_of(lines) <= limits.head;
}

std::string seen_lines(std::span<const Line> lines) {
  std::string text;
  for (const Line& line : lines)
    text.append(line.name).append(": ").append(line.value).append("\n");
  return text;
}

void receive(middleware::Headers& headers, std::span<const Line> lines) {
  for (const Line& line : lines)
    Stage::receive(headers, line.name, line.value, "received");
}

// The exchange that the parts describe takes the verdict, and its head is then what the script saw.
void check_applied(CallView& view, Hook hook, const ScriptLimits& limits, const Parts& parts) {
  Stage stage;
  middleware::Exchange& exchange = stage.exchange;
  exchange.request.path = parts.texts.path;
  exchange.request.query = parts.texts.query;
  receive(exchange.request.headers, parts.headers);
  if (hook != Hook::request) receive(exchange.response.headers, parts.response_headers);
  if (parts.has_session) exchange.set_session(*middleware::Session::from_wire(encode_session(parts)));
  const std::string_view bytes = view.finish();
  middleware::VerdictReader reader;  // the one that looks at everything
  const auto outcome = reader.apply(exchange, hook, bytes, limits);
  if (outcome == middleware::VerdictReader::Outcome::failed)
    require(false, ("what a room writes is accepted, not: " + reader.failure().message).c_str());
  require(view.has_session() == (exchange.session() != nullptr), "the session is there as the script left it");
  if (exchange.session())
    require(exchange.session()->id() == view.session_text(CallView::SessionText::id), "it is the script's session");
  if (hook == Hook::request && !exchange.request.body.replaced)
    require(lines_of(exchange.request.headers) == seen_lines(view.request_head().lines()),
            "the head is as the script saw it");
  if (hook == Hook::response && !exchange.response.body.replaced && outcome == middleware::VerdictReader::Outcome::next)
    require(lines_of(exchange.response.headers) == seen_lines(view.response_head().lines()),
            "the response's head is as the script saw it");
}

using Members = std::map<std::string, std::string>;

Members map_of(std::string_view members) {
  Members map;
  runtimes::Repeated each(members, proto::members::kMembers);
  for (std::string_view member; each.next(member);) {
    const runtimes::MemberEdit entry = runtimes::read_member(member);
    map.insert_or_assign(std::string(entry.name), std::string(entry.value));
  }
  return map;
}

// Metadata that a script leaves behind crosses as edits of single keys, and is then what it was.
void check_metadata(Hook hook, const Parts& parts, std::string_view json) {
  const std::string wanted = members_of(json);
  const std::string call = encode(parts, hook);
  const ScriptLimits limits;
  CallView view;
  view.begin(hook, call, limits);
  if (view.keep_metadata(wanted)) return;
  Stage stage;
  if (hook != Hook::request) stage.begin_response(200);
  stage.exchange.set_session(*middleware::Session::from_wire(encode_session(parts)));
  middleware::VerdictReader reader;
  require(reader.apply(stage.exchange, hook, view.finish(), limits) == middleware::VerdictReader::Outcome::next,
          "metadata that a script may leave behind is accepted");
  std::string_view kept;
  runtimes::Repeated found(stage.exchange.session()->wire(), proto::session::kMetadata);
  while (found.next(kept))
    continue;
  require(map_of(kept) == map_of(wanted), "metadata is what the script left behind");
}

// Any bytes: nothing is read outside of them, and finish() comes to an end.
void check_any(Hook hook, const ScriptLimits& limits, Tokens& operations, std::string_view call) {
  CallView view;
  view.begin(hook, call, limits);
  if (call.size() % 2 == 0) read_all(view);
  while (operations.next("=~"))
    run(view, operations);
  read_all(view);
  static_cast<void>(view.finish());
  check_failure(view, call);
}

// What a gateway wrote.
void check_written(Hook hook, const ScriptLimits& limits, Tokens& operations, std::string_view text) {
  Parts parts;
  read_parts(text, parts);
  const Exact call(encode(parts, hook));
  check_reads(std::string(call.view()), hook, limits, parts);
  CallView view;
  view.begin(hook, call.view(), limits);
  while (operations.next("=~")) {
    run(view, operations);
    if (operations.letter() == 'j' && parts.has_session && hook != Hook::log)
      check_metadata(hook, parts, operations.text(0));
  }
  // A head over its limits does not come to a script.
  if (hook != Hook::log && fits(parts.headers, limits) && fits(parts.response_headers, limits))
    check_applied(view, hook, limits, parts);
}

void check(std::string_view input) {
  if (input.size() < 2) return;
  const Hook hook = input[0] == 's' ? Hook::response : input[0] == 'l' ? Hook::log : Hook::request;
  const ScriptLimits limits = limits_of(input[1]);
  Tokens ahead(input.substr(2));
  while (ahead.next("=~"))
    continue;
  Tokens operations(input.substr(2));
  if (ahead.ended_by() == '~') return check_written(hook, limits, operations, ahead.rest());
  const Exact call(wire_of(ahead.rest()));
  check_any(hook, limits, operations, call.view());
}

}  // namespace
}  // namespace lingate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  lingate::fuzz::check(lingate::fuzz::text_of(bytes, size));
  return 0;
}
