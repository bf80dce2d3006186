// Calls and verdicts against the official classes as the oracle.
#include "middleware/script_verdict.h"

#include <functional>
#include <random>

#include "middleware/script_encode.h"
#include "plugin.pb.h"
#include "tests/middleware/fake_host.h"

namespace lingate::middleware {
namespace {

using runtimes::Hook;
using runtimes::ScriptLimits;
using Outcome = VerdictReader::Outcome;

plugin::Call encoded(Exchange& exchange, const CallShape& shape) {
  CallBuffers buffers;
  std::string bytes;
  encode_call(exchange, shape, buffers, bytes);
  plugin::Call call;
  EXPECT_TRUE(call.ParseFromString(bytes));
  EXPECT_EQ(call.SerializeAsString(), bytes) << "bytes by hand and by the official classes are the same";
  return call;
}

Session session_of(const plugin::Session& session) {
  return *Session::from_wire(session.SerializeAsString());
}

plugin::Session ada() {
  plugin::Session session;
  session.set_id("ada");
  session.set_alias("A");
  session.add_tags("old");
  auto* member = session.mutable_metadata()->add_members();
  member->set_name("tier");
  member->mutable_value()->set_text("gold");
  member = session.mutable_metadata()->add_members();
  member->set_name("seats");
  member->mutable_value()->set_number(3);
  session.set_rate(5);
  return session;
}

TEST(EncodeCall, HasAllOfTheRequest) {
  Stage stage;
  stage.receive("X-A", "1");
  stage.receive("X-Bytes", std::string_view("\xff\x00", 2));
  stage.receive("Empty", "");
  stage.exchange.request.headers.add("X-Gone", "1");
  stage.exchange.request.headers.remove("X-Gone");
  stage.exchange.request.params = {{"id", "7"}, {"*", "a/b"}};
  stage.exchange.set_session(session_of(ada()));
  CallShape shape = shape_of(Hook::request, 2);
  shape.timeout = std::chrono::seconds(30);
  const plugin::Call call = encoded(stage.exchange, shape);
  EXPECT_EQ(call.hook(), plugin::HOOK_REQUEST);
  EXPECT_GT(call.deadline(), 1'700'000'000'000'000U);
  const plugin::Request& request = call.request();
  EXPECT_EQ(request.id(), stage.exchange.id());
  EXPECT_EQ(request.method(), "GET");
  EXPECT_EQ(request.scheme(), "http");
  EXPECT_EQ(request.host(), "api.example.com");
  EXPECT_EQ(request.path(), "/users/7");
  EXPECT_EQ(request.query(), "x=1");
  EXPECT_EQ(request.version(), "1.1");
  EXPECT_EQ(request.route(), "users");
  EXPECT_EQ(request.client().ip(), "192.0.2.1");
  EXPECT_EQ(request.client().port(), 4711U);
  ASSERT_EQ(request.params_size(), 2);
  ASSERT_EQ(request.headers_size(), 3);
  EXPECT_EQ(request.headers(1).value(), std::string("\xff\x00", 2));
  EXPECT_FALSE(request.has_body());
  EXPECT_FALSE(call.has_response());
  EXPECT_EQ(call.session().id(), "ada");
}

TEST(EncodeCall, LeavesOutWhatTheHookDoesNotTake) {
  Stage stage;
  stage.upstream(200);
  stage.exchange.set_context(std::string_view("\x0a\x03\x0a\x01\x61", 5));
  EXPECT_FALSE(encoded(stage.exchange, shape_of(Hook::request, 0)).has_request());
  EXPECT_FALSE(encoded(stage.exchange, shape_of(Hook::request, 1)).has_context());
  const plugin::Call response_only = encoded(stage.exchange, shape_of(Hook::response, 1));
  EXPECT_EQ(response_only.response().status(), 200U);
  EXPECT_FALSE(response_only.has_request());
  const plugin::Call all = encoded(stage.exchange, shape_of(Hook::response, 3));
  EXPECT_TRUE(all.has_request());
  EXPECT_EQ(all.context().members_size(), 1);
}

TEST(EncodeCall, AnEditedRequestIsEncodedAgain) {
  Stage stage;
  EXPECT_EQ(encoded(stage.exchange, shape_of(Hook::request, 1)).request().headers_size(), 0);
  stage.exchange.request.headers.set("X-New", "1");
  EXPECT_EQ(encoded(stage.exchange, shape_of(Hook::request, 1)).request().headers_size(), 1);
  stage.exchange.edit_method("PUT");
  EXPECT_EQ(encoded(stage.exchange, shape_of(Hook::request, 1)).request().method(), "PUT");
}

TEST(EncodeCall, BodiesAreThereWhereTheStepBuffersThem) {
  Stage stage;
  CallShape shape = shape_of(Hook::request, 1);
  shape.request_body = true;
  EXPECT_TRUE(encoded(stage.exchange, shape).request().has_body()) << "no body is an empty one";
  stage.exchange.request.body = streaming();
  EXPECT_FALSE(encoded(stage.exchange, shape).request().has_body());
  stage.exchange.replace_request_body(std::string_view("\x00\xff", 2));
  EXPECT_EQ(encoded(stage.exchange, shape).request().body(), std::string("\x00\xff", 2));
}

// ---- verdicts ----

struct VerdictStage : Stage {
  VerdictStage() {
    receive("X-A", "1");
    exchange.set_session(session_of(ada()));
  }
  Outcome apply(const plugin::Verdict& verdict, Hook hook = Hook::request) {
    bytes = verdict.SerializeAsString();
    return reader.apply(exchange, hook, bytes, limits);
  }
  // Everything that a verdict can change.
  std::string state() {
    return std::string(exchange.request.method) + std::string(exchange.request.path) +
           std::string(exchange.request.query) + text_of(exchange.request.headers) +
           text_of(exchange.response.headers) + std::to_string(exchange.response.status) +
           std::string(exchange.request.body.bytes) + std::string(exchange.response.body.bytes) +
           std::string(exchange.context()) + (exchange.session() ? std::string(exchange.session()->wire()) : "none");
  }
  ScriptLimits limits;
  VerdictReader reader;
  std::string bytes;
};

void edit_header(plugin::Verdict& verdict, std::string_view name, std::string_view value) {
  auto* edit = verdict.mutable_request()->add_headers();
  edit->set_name(std::string(name));
  edit->add_values(std::string(value));
}

TEST(Verdict, EmptyBytesChangeNothing) {
  VerdictStage stage;
  const std::string before = stage.state();
  EXPECT_EQ(stage.apply({}), Outcome::next);
  EXPECT_EQ(stage.state(), before);
}

TEST(Verdict, AppliesEveryKindOfEdit) {
  VerdictStage stage;
  plugin::Verdict verdict;
  verdict.mutable_request()->set_method("PATCH");
  verdict.mutable_request()->set_path("/new");
  verdict.mutable_request()->set_query("");
  edit_header(verdict, "x-a", "2");
  auto* added = verdict.mutable_request()->add_headers();
  added->set_name("X-B");
  added->add_values("3");
  added->set_append(true);
  verdict.mutable_request()->set_body("body");
  verdict.mutable_context()->mutable_replaced()->add_members()->set_name("k");
  EXPECT_EQ(stage.apply(verdict), Outcome::next);
  const Request& request = stage.exchange.request;
  EXPECT_EQ(request.method, "PATCH");
  EXPECT_EQ(request.path, "/new");
  EXPECT_FALSE(request.has_query);
  EXPECT_EQ(text_of(request.headers), "x-a: 2\nX-B: 3\nContent-Length: 4\n");
  EXPECT_EQ(request.body.bytes, "body");
  EXPECT_FALSE(stage.exchange.context().empty());
}

TEST(Verdict, AnAnswerGoesOutAsGiven) {
  VerdictStage stage;
  plugin::Verdict verdict;
  verdict.mutable_answer()->set_status(401);
  verdict.mutable_answer()->set_body("no");
  auto* line = verdict.mutable_answer()->add_headers();
  line->set_name("WWW-Authenticate");
  line->set_value("Bearer");
  EXPECT_EQ(stage.apply(verdict), Outcome::answered);
  EXPECT_EQ(stage.exchange.response.status, 401);
  EXPECT_EQ(stage.exchange.response.body.bytes, "no");
  EXPECT_EQ(text_of(stage.exchange.response.headers), "WWW-Authenticate: Bearer\n");
}

TEST(Verdict, AFailureIsKeptAsItIs) {
  VerdictStage stage;
  plugin::Verdict verdict;
  auto* failure = verdict.mutable_failure();
  failure->set_kind(plugin::Failure::MEMORY);
  failure->set_message(std::string(100'000, 'm'));
  failure->set_file("a.lua");
  failure->set_line(7);
  for (int k = 0; k < 50; ++k)
    failure->add_stack("frame");
  EXPECT_EQ(stage.apply(verdict), Outcome::failed);
  const ScriptFailure& kept = stage.reader.failure();
  EXPECT_EQ(kept.kind, runtimes::FailureKind::memory);
  EXPECT_LE(kept.message.size(), 2048U);
  EXPECT_EQ(kept.file, "a.lua");
  EXPECT_EQ(kept.line, 7U);
  EXPECT_EQ(kept.stack.size(), 20U);
}

// Each of these must be refused whole, although the verdict also holds edits that may stand.
TEST(Verdict, IsAllOrNothing) {
  using Change = std::function<void(plugin::Verdict&, VerdictStage&)>;
  const std::pair<std::string_view, Change> kBad[] = {
      {"CR in a value", [](auto& v, auto&) { edit_header(v, "X", "a\r\nb"); }},
      {"NUL in a value", [](auto& v, auto&) { edit_header(v, "X", std::string_view("\0", 1)); }},
      {"no token", [](auto& v, auto&) { edit_header(v, "X Y", "a"); }},
      {"framing", [](auto& v, auto&) { edit_header(v, "Content-Length", "3"); }},
      {"hop-by-hop", [](auto& v, auto&) { edit_header(v, "connection", "close"); }},
      {"long line", [](auto& v, auto&) { edit_header(v, "X", std::string(20'000, 'x')); }},
      {"many lines",
       [](auto& v, auto&) {
         for (int k = 0; k < 101; ++k)
           edit_header(v, "X-" + std::to_string(k), "v");
       }},
      {"large head",
       [](auto& v, auto&) {
         for (int k = 0; k < 5; ++k)
           edit_header(v, "X-" + std::to_string(k), std::string(10'000, 'v'));
       }},
      {"method", [](auto& v, auto&) { v.mutable_request()->set_method("GE T"); }},
      {"relative path", [](auto& v, auto&) { v.mutable_request()->set_path("x"); }},
      {"path with a line break", [](auto& v, auto&) { v.mutable_request()->set_path("/x\r\nHost: y"); }},
      {"path with a query", [](auto& v, auto&) { v.mutable_request()->set_path("/x?y"); }},
      {"query with a space", [](auto& v, auto&) { v.mutable_request()->set_query("a b"); }},
      {"long target", [](auto& v, auto&) { v.mutable_request()->set_query(std::string(9000, 'q')); }},
      {"large body", [](auto& v, auto& s) { s.limits.body = 3, v.mutable_request()->set_body("1234"); }},
      {"response edits in request", [](auto& v, auto&) { v.mutable_response()->set_status(200); }},
      {"answer below 200", [](auto& v, auto&) { v.mutable_answer()->set_status(101); }},
      {"answer without a status", [](auto& v, auto&) { v.mutable_answer()->set_body("x"); }},
      {"answer's header",
       [](auto& v, auto&) {
         v.mutable_answer()->set_status(200);
         auto* line = v.mutable_answer()->add_headers();
         line->set_name("X");
         line->set_value("a\nb");
       }},
      {"answer's body",
       [](auto& v, auto& s) {
         s.limits.body = 3;
         v.mutable_answer()->set_status(200);
         v.mutable_answer()->set_body("1234");
       }},
      {"session without an id", [](auto& v, auto&) { v.mutable_session()->mutable_assigned()->set_alias("a"); }},
      {"cleared and edited",
       [](auto& v, auto&) {
         v.mutable_session()->set_cleared(true);
         v.mutable_session()->mutable_tags()->add_tags("t");
       }},
      {"large context",
       [](auto& v, auto&) {
         auto* member = v.mutable_context()->mutable_replaced()->add_members();
         member->set_name("k");
         member->mutable_value()->set_text(std::string(70'000, 'c'));
       }},
      {"NaN in the context",
       [](auto& v, auto&) {
         v.mutable_context()->mutable_replaced()->add_members()->mutable_value()->set_number(0.0 / 0.0);
       }},
      {"failure beside edits", [](auto& v, auto&) { v.mutable_failure()->set_kind(plugin::Failure::EXCEPTION); }},
  };
  for (const auto& [name, spoil] : kBad) {
    VerdictStage stage;
    const std::string before = stage.state();
    plugin::Verdict verdict;
    edit_header(verdict, "X-Good", "1");
    verdict.mutable_request()->set_path("/good");
    spoil(verdict, stage);
    EXPECT_EQ(stage.apply(verdict), Outcome::failed) << name;
    EXPECT_EQ(stage.reader.failure().kind, runtimes::FailureKind::invalid) << name;
    EXPECT_EQ(stage.state(), before) << name;
  }
}

TEST(Verdict, ManyEditsOfOneFieldAreNotManyLines) {
  VerdictStage stage;
  plugin::Verdict verdict;
  for (int k = 0; k < 300; ++k)
    edit_header(verdict, "X-Same", std::to_string(k));
  EXPECT_EQ(stage.apply(verdict), Outcome::next);
  EXPECT_EQ(stage.exchange.request.headers.value("X-Same"), "299");
}

TEST(Verdict, RequestEditsInTheResponseHookAreRefused) {
  VerdictStage stage;
  plugin::Verdict verdict;
  edit_header(verdict, "X", "1");
  EXPECT_EQ(stage.apply(verdict, Hook::response), Outcome::failed);
}

TEST(Verdict, ResponseEditsApplyInTheResponseHook) {
  VerdictStage stage;
  stage.upstream(200);
  Stage::receive(stage.exchange.response.headers, "ETag", "x");
  plugin::Verdict verdict;
  verdict.mutable_response()->set_status(202);
  verdict.mutable_response()->set_body("new");
  EXPECT_EQ(stage.apply(verdict, Hook::response), Outcome::next);
  EXPECT_EQ(stage.exchange.response.status, 202);
  EXPECT_EQ(text_of(stage.exchange.response.headers), "Content-Length: 3\n");
}

TEST(Verdict, AnyBytesAreRefusedOrHarmless) {
  std::mt19937 random(3);
  VerdictStage stage;
  plugin::Verdict good;
  edit_header(good, "X-Good", "1");
  good.mutable_session()->mutable_tags()->add_tags("t");
  good.mutable_context()->mutable_replaced()->add_members()->set_name("k");
  const std::string seed = good.SerializeAsString();
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = seed;
    for (int flips = 1 + static_cast<int>(random() % 4); flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    stage.reader.apply(stage.exchange, Hook::request, bytes, stage.limits);
    for (const Field& field : stage.exchange.request.headers.all())
      ASSERT_EQ(field.value.find('\n'), std::string_view::npos);
    if (round % 100 == 0) {
      stage.exchange.end();
      stage.begin();
    }
  }
}

// ---- sessions ----

plugin::Session after(const plugin::SessionEdits& edits, const plugin::Session* before) {
  VerdictStage stage;
  stage.exchange.set_session(before ? std::optional<Session>(session_of(*before)) : std::nullopt);
  plugin::Verdict verdict;
  *verdict.mutable_session() = edits;
  EXPECT_EQ(stage.apply(verdict), Outcome::next);
  plugin::Session result;
  const Session* session = stage.exchange.session();
  if (!session) return result;
  EXPECT_TRUE(result.ParseFromString(std::string(session->wire())));
  EXPECT_EQ(result.SerializeAsString(), session->wire()) << "edited bytes stay canonical";
  EXPECT_EQ(session->id(), result.id());
  EXPECT_EQ(session->alias(), result.alias());
  return result;
}

TEST(SessionEdits, AssignAndClear) {
  plugin::SessionEdits assign;
  *assign.mutable_assigned() = ada();
  EXPECT_EQ(after(assign, nullptr).SerializeAsString(), ada().SerializeAsString());
  plugin::SessionEdits clear;
  clear.set_cleared(true);
  const plugin::Session before = ada();
  EXPECT_TRUE(after(clear, &before).id().empty());
}

TEST(SessionEdits, TagsAreReplacedWhole) {
  plugin::SessionEdits edits;
  edits.mutable_tags()->add_tags("x");
  edits.mutable_tags()->add_tags("y");
  plugin::Session before = ada();
  plugin::Session expected = ada();
  expected.clear_tags();
  expected.add_tags("x");
  expected.add_tags("y");
  EXPECT_EQ(after(edits, &before).SerializeAsString(), expected.SerializeAsString());
  before.clear_metadata();
  expected.clear_metadata();
  EXPECT_EQ(after(edits, &before).SerializeAsString(), expected.SerializeAsString());
}

TEST(SessionEdits, MetadataChangesByKey) {
  plugin::SessionEdits edits;
  auto* set = edits.add_metadata();
  set->set_name("tier");
  set->mutable_value()->set_text("silver");
  set = edits.add_metadata();
  set->set_name("new");
  set->mutable_value()->set_boolean(true);
  edits.add_removed_metadata("seats");
  edits.add_removed_metadata("never there");
  const plugin::Session before = ada();
  const plugin::Session result = after(edits, &before);
  ASSERT_EQ(result.metadata().members_size(), 2);
  EXPECT_EQ(result.metadata().members(0).name(), "tier");
  EXPECT_EQ(result.metadata().members(0).value().text(), "silver");
  EXPECT_EQ(result.metadata().members(1).name(), "new");
  EXPECT_EQ(result.tags(0), "old");
  EXPECT_EQ(result.rate(), 5);
}

TEST(SessionEdits, DetailsOfAnAssignedSession) {
  plugin::SessionEdits edits;
  edits.mutable_assigned()->set_id("bob");
  edits.mutable_tags()->add_tags("t");
  const plugin::Session before = ada();
  const plugin::Session result = after(edits, &before);
  EXPECT_EQ(result.id(), "bob");
  EXPECT_EQ(result.tags(0), "t");
  EXPECT_FALSE(result.has_metadata());
}

TEST(SessionEdits, WithoutASessionThereIsNothingToEdit) {
  VerdictStage stage;
  stage.exchange.set_session(std::nullopt);
  plugin::Verdict verdict;
  verdict.mutable_session()->mutable_tags()->add_tags("t");
  EXPECT_EQ(stage.apply(verdict), Outcome::failed);
}

TEST(Session, SurvivesBeingMovedEvenWhenShort) {
  plugin::Session small;
  small.set_id("i");
  std::optional<Session> first = session_of(small);
  const std::optional<Session> second = std::move(first);
  EXPECT_EQ(second->id(), "i");
  EXPECT_EQ(second->alias(), "");
}

}  // namespace
}  // namespace lingate::middleware
