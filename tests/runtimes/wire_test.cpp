// What crosses, against the official classes: random messages written by hand parse there and serialise to the same
// bytes, and what the official classes serialise is read by hand as it was meant. Bytes that are no UTF-8 included.
#include <gtest/gtest.h>
#include <plugin.pb.h>

#include <random>

#include "base/fields.h"
#include "runtimes/call_view.h"
#include "runtimes/wire_call.h"
#include "runtimes/wire_verdict.h"

namespace lingate::runtimes {
namespace {

struct Line {
  std::string name;
  std::string value;
  bool removed = false;
};

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool maybe() { return below(2) == 0; }
  std::string bytes() {
    std::string text(below(10) == 0 ? below(400) : below(20), '\0');
    for (char& c : text)
      c = static_cast<char>(below(256));
    return text;
  }
  std::string ascii() {
    std::string text(below(10) == 0 ? below(300) : below(12), '\0');
    for (char& c : text)
      c = static_cast<char>('a' + below(26));
    return text;
  }
  std::string name() { return "x-" + ascii(); }
  std::string value() {
    std::string text = bytes();
    for (char& c : text)
      if (!fields::is_value_char(c)) c = ' ';
    return text;
  }
  std::vector<Line> lines() {
    std::vector<Line> all(below(15));
    for (Line& line : all)
      line = {bytes(), bytes(), below(8) == 0};
    return all;
  }
  std::string members() {
    WireWriter writer;
    writer.begin_map();
    for (auto i = below(4); i > 0; --i) {
      writer.key(ascii() + std::to_string(i));
      writer.number(static_cast<double>(below(1000)));
    }
    writer.end_map();
    return std::string(writer.members());
  }

 private:
  std::mt19937_64 engine_;
};

template <class Message>
std::string canonical(std::string_view bytes) {
  Message message;
  EXPECT_TRUE(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return message.SerializeAsString();
}

TEST(WireCall, IsWhatTheOfficialClassesWrite) {
  std::string head_room, response_room, session, call;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    Random random(seed);
    const auto params = random.lines();
    const auto headers = random.lines();
    const std::vector<std::string> texts{random.ascii(), random.bytes(), random.ascii(), random.bytes(), random.bytes(),
                                         random.bytes(), random.ascii(), random.ascii(), random.ascii()};
    const RequestParts request{texts[0], texts[1], texts[2], texts[3], texts[4],
                               texts[5], texts[6], texts[7], texts[8], static_cast<std::uint32_t>(random.below(65536))};
    const std::string_view head = write_request_head(head_room, request, params, headers);
    const std::string_view response_head =
        write_response_head(response_room, static_cast<std::uint32_t>(random.below(600)), headers);
    const std::string metadata = random.members();
    const std::vector<std::string_view> tags{"a", texts[2], ""};
    SessionParts of_session{.id = texts[0], .alias = texts[2], .tags = tags};
    if (random.maybe()) of_session.metadata = metadata;
    if (random.maybe()) of_session.rate = 1.5;
    if (random.maybe()) of_session.expires = 0.0;
    write_session(session, of_session);
    const std::string body = random.bytes();
    const std::string context = random.members();
    CallParts parts{.hook = static_cast<Hook>(1 + random.below(4)), .deadline = random.below(1ULL << 60U)};
    if (random.maybe()) parts.request_head = head;
    if (random.maybe()) parts.request_body = body;
    if (random.maybe()) parts.response_head = response_head;
    if (random.maybe()) parts.response_body = body;
    if (random.maybe()) parts.session = session;
    if (random.maybe()) parts.context = context;
    write_call(call, parts);
    ASSERT_EQ(call, canonical<plugin::Call>(call)) << "seed " << seed;

    plugin::Call official;
    ASSERT_TRUE(official.ParseFromString(call));
    ASSERT_EQ(official.has_request(), parts.request_head.has_value());
    ASSERT_EQ(official.has_session(), parts.session.has_value());
    if (!official.has_request()) continue;
    ASSERT_EQ(official.request().path(), texts[4]);
    ASSERT_EQ(official.request().has_body(), parts.request_body.has_value());
    int at = 0;
    for (const Line& line : headers) {
      if (line.removed) continue;
      ASSERT_EQ(official.request().headers(at).name(), line.name);
      ASSERT_EQ(official.request().headers(at++).value(), line.value);
    }
    ASSERT_EQ(official.request().headers_size(), at);
  }
}

void fill(plugin::Request& request, Random& random) {
  request.set_id(random.ascii());
  request.set_method(random.bytes());
  request.set_scheme(random.ascii());
  request.set_host(random.bytes());
  request.set_path(random.bytes());
  request.set_query(random.bytes());
  request.set_version("1.1");
  request.set_route(random.ascii());
  if (random.maybe()) request.mutable_client()->set_ip(random.ascii());
  if (random.maybe()) request.mutable_client()->set_port(static_cast<std::uint32_t>(random.below(65536)));
  if (random.maybe()) request.mutable_client()->mutable_tls()->add_members()->set_name(random.ascii());
  for (auto i = random.below(5); i > 0; --i) {
    auto* const param = request.add_params();
    param->set_name(random.bytes());
    param->set_value(random.bytes());
  }
  for (auto i = random.below(20); i > 0; --i) {
    auto* const header = request.add_headers();
    header->set_name(random.bytes());
    header->set_value(random.bytes());
  }
  if (random.maybe()) request.set_body(random.bytes());
}

TEST(CallView, ReadsWhatTheOfficialClassesWrote) {
  CallView view;
  ScriptLimits limits;
  limits.request_body = limits.response_body = true;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    Random random(seed);
    plugin::Call call;
    call.set_hook(plugin::HOOK_RESPONSE);
    fill(*call.mutable_request(), random);
    call.mutable_response()->set_status(static_cast<std::uint32_t>(random.below(600)));
    call.mutable_response()->set_body(random.bytes());
    if (random.maybe()) {
      call.mutable_session()->set_id(random.ascii());
      call.mutable_session()->add_tags(random.ascii());
      call.mutable_session()->set_burst(7);
    }
    const std::string bytes = call.SerializeAsString();
    view.begin(Hook::response, bytes, limits);
    using Text = CallView::RequestText;
    const auto& request = call.request();
    ASSERT_EQ(view.request_text(Text::id), request.id());
    ASSERT_EQ(view.request_text(Text::method), request.method());
    ASSERT_EQ(view.request_text(Text::host), request.host());
    ASSERT_EQ(view.request_text(Text::path), request.path());
    ASSERT_EQ(view.request_text(Text::query), request.query());
    ASSERT_EQ(view.request_text(Text::route), request.route());
    ASSERT_EQ(view.request_text(Text::client_ip), request.client().ip());
    ASSERT_EQ(view.client_port(), request.client().port());
    ASSERT_EQ(view.client_tls(), request.client().tls().SerializeAsString());
    ASSERT_EQ(view.params().size(), static_cast<std::size_t>(request.params_size()));
    for (int i = 0; i < request.params_size(); ++i) {
      ASSERT_EQ(view.params()[static_cast<std::size_t>(i)].name, request.params(i).name());
      ASSERT_EQ(view.params()[static_cast<std::size_t>(i)].value, request.params(i).value());
    }
    const auto lines = view.request_head().lines();
    ASSERT_EQ(lines.size(), static_cast<std::size_t>(request.headers_size()));
    for (int i = 0; i < request.headers_size(); ++i) {
      ASSERT_EQ(lines[static_cast<std::size_t>(i)].name, request.headers(i).name());
      ASSERT_EQ(lines[static_cast<std::size_t>(i)].value, request.headers(i).value());
    }
    ASSERT_EQ(view.body(Side::request).bytes, request.body());
    ASSERT_EQ(view.status(), call.response().status());
    ASSERT_EQ(view.body(Side::response).bytes, call.response().body());
    ASSERT_EQ(view.has_session(), call.has_session());
    ASSERT_EQ(view.session_text(CallView::SessionText::id), call.session().id());
    ASSERT_EQ(view.session_number(CallView::SessionNumber::burst).has_value(), call.session().has_burst());
    ASSERT_EQ(view.finish(), "");
  }
}

TEST(CallView, SurvivesRandomBytesAsACall) {
  CallView view;
  const ScriptLimits limits;
  for (std::uint64_t seed = 1; seed <= 20000; ++seed) {
    Random random(seed);
    plugin::Call call;
    fill(*call.mutable_request(), random);
    std::string bytes = call.SerializeAsString();
    for (auto i = random.below(6); i > 0 && !bytes.empty(); --i)
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    bytes.resize(random.below(bytes.size() + 1));
    view.begin(Hook::request, bytes, limits);
    view.request_text(CallView::RequestText::path);
    view.params();
    view.request_head().get("x");
    view.session_text(CallView::SessionText::id);
    view.context();
    view.finish();
  }
}

// Random edits through CallView: the official classes read the verdict, and write the same bytes.
TEST(Verdict, IsWhatTheOfficialClassesWrite) {
  CallView view;
  const ScriptLimits limits;
  plugin::Call call;
  call.mutable_session()->set_id("s");
  const std::string bytes = call.SerializeAsString();
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    Random random(seed);
    const bool response = random.maybe();
    view.begin(response ? Hook::response : Hook::request, bytes, limits);
    for (auto i = random.below(8); i > 0; --i) {
      HeadView& head = response ? view.response_head() : view.request_head();
      const std::string value = random.value();
      const std::string_view twice[] = {value, "second"};
      switch (random.below(4)) {
        case 0: ASSERT_FALSE(head.add(random.name(), value)); break;
        case 1: ASSERT_FALSE(head.set(random.name(), {twice, 1})); break;
        case 2: ASSERT_FALSE(head.set(random.name(), twice)); break;
        default: ASSERT_FALSE(head.remove(random.name()));
      }
    }
    if (random.maybe()) {
      ASSERT_FALSE(view.set_body(response ? Side::response : Side::request, random.bytes()));
    }
    if (!response && random.maybe()) {
      ASSERT_FALSE(view.set_path("/" + random.ascii()));
    }
    if (!response && random.maybe()) {
      ASSERT_FALSE(view.set_query(""));
    }
    if (response && random.maybe()) {
      ASSERT_FALSE(view.set_status(201));
    }
    if (random.maybe()) {
      const std::string_view tags[] = {"t", ""};
      ASSERT_FALSE(view.keep_tags(tags));
      ASSERT_FALSE(view.keep_metadata(random.members()));
    }
    if (random.maybe()) view.keep_context(random.members());
    if (random.maybe()) {
      const std::string body = random.bytes();
      const std::string value = random.value();
      const AnswerParts::Line line{"X-A", value};
      ASSERT_FALSE(view.answer({.status = 404, .kind = AnswerParts::Body::bytes, .body = body, .headers = {&line, 1}}));
    }
    const std::string verdict(view.finish());
    ASSERT_EQ(verdict, canonical<plugin::Verdict>(verdict)) << "seed " << seed;
    Verdict read;
    ASSERT_TRUE(read_verdict(verdict, read)) << "seed " << seed;
    plugin::Verdict official;
    ASSERT_TRUE(official.ParseFromString(verdict));
    ASSERT_EQ(read.answer.has_value(), official.has_answer());
    ASSERT_EQ(read.request.has_value(), official.has_request());
    ASSERT_EQ(read.response.has_value(), official.has_response());
    ASSERT_EQ(read.session.has_value(), official.has_session());
    ASSERT_EQ(read.context.has_value(), official.has_context());
    if (read.answer) {
      ASSERT_EQ(read.answer->body, official.answer().body());
    }
    if (!read.request) continue;
    ASSERT_EQ(read.headers.size(), static_cast<std::size_t>(official.request().headers_size()));
    for (std::size_t i = 0; i < read.headers.size(); ++i) {
      const auto& expected = official.request().headers(static_cast<int>(i));
      ASSERT_EQ(read.headers[i].name, expected.name());
      ASSERT_EQ(read.headers[i].append, expected.append());
      ASSERT_EQ(read.headers[i].values.size(), static_cast<std::size_t>(expected.values_size()));
    }
  }
}

TEST(Verdict, ReadsAFailure) {
  CallView view;
  view.begin(Hook::request, {}, {});
  const std::vector<std::string> stack{"a.lua:1: in f", "a.lua:2: in g"};
  view.fail(FailureKind::memory, "no \xff room", "a.lua", 3, stack);
  const std::string bytes(view.finish());
  ASSERT_EQ(bytes, canonical<plugin::Verdict>(bytes));
  Verdict verdict;
  ASSERT_TRUE(read_verdict(bytes, verdict));
  ASSERT_TRUE(verdict.failure);
  EXPECT_EQ(verdict.failure->kind, FailureKind::memory);
  EXPECT_EQ(verdict.failure->message, "no \xff room");
  EXPECT_EQ(verdict.failure->file, "a.lua");
  EXPECT_EQ(verdict.failure->line, 3U);
  std::string_view frame;
  ASSERT_TRUE(verdict.failure->stack.next(frame));
  EXPECT_EQ(frame, stack[0]);
}

TEST(Verdict, CutsAFailureToWhatALogLineHolds) {
  CallView view;
  view.begin(Hook::request, {}, {});
  const std::string huge(100 * 1024 * 1024, 'x');
  const std::vector<std::string> stack(100, std::string(10000, 'f'));
  view.fail(FailureKind::exception, huge, huge, 1, stack);
  EXPECT_LT(view.finish().size(), 8192U);
}

// ---- what read_verdict() refuses; each beside a control that passes ----

plugin::Verdict good() {
  plugin::Verdict verdict;
  auto* const edit = verdict.mutable_request()->add_headers();
  edit->set_name("X-A");
  edit->add_values("1");
  verdict.mutable_request()->set_path("/a");
  verdict.mutable_session()->mutable_assigned()->set_id("me");
  auto* const member = verdict.mutable_context()->mutable_replaced()->add_members();
  member->set_name("k");
  member->mutable_value()->set_number(1);
  verdict.mutable_answer()->set_status(200);
  auto* const header = verdict.mutable_answer()->add_headers();
  header->set_name("X-B");
  return verdict;
}

bool accepted(const plugin::Verdict& verdict) {
  Verdict read;
  return read_verdict(verdict.SerializeAsString(), read);
}

TEST(Verdict, IsHeldToTheRules) {
  ASSERT_TRUE(accepted(good()));
  const auto refused = [](const std::function<void(plugin::Verdict&)>& spoil) {
    plugin::Verdict verdict = good();
    spoil(verdict);
    return !accepted(verdict);
  };
  EXPECT_TRUE(refused([](auto& v) { v.mutable_request()->mutable_headers(0)->set_name("X A"); }));
  EXPECT_TRUE(refused([](auto& v) { v.mutable_request()->mutable_headers(0)->set_name(""); }));
  EXPECT_TRUE(refused([](auto& v) { v.mutable_request()->mutable_headers(0)->set_name("Content-Length"); }));
  EXPECT_TRUE(refused([](auto& v) { v.mutable_request()->mutable_headers(0)->set_values(0, "a\r\nb"); }));
  EXPECT_TRUE(refused([](auto& v) { v.mutable_request()->set_path("a"); }));
  EXPECT_TRUE(refused([](auto& v) { v.mutable_request()->set_path("/a b"); }));
  EXPECT_TRUE(refused([](auto& v) { v.mutable_request()->set_query("a#b"); }));
  EXPECT_TRUE(refused([](auto& v) { v.mutable_request()->set_method("G T"); }));
  EXPECT_TRUE(refused([](auto& v) { v.mutable_response()->set_status(1000); }));
  EXPECT_TRUE(refused([](auto& v) { v.mutable_answer()->set_status(0); }));
  EXPECT_TRUE(refused([](auto& v) { v.mutable_answer()->set_status(199); }));
  EXPECT_TRUE(refused([](auto& v) { v.mutable_answer()->set_status(600); }));
  EXPECT_TRUE(refused([](auto& v) { v.mutable_answer()->mutable_headers(0)->set_value(std::string("\0", 1)); }));
  EXPECT_TRUE(refused([](auto& v) { v.mutable_answer()->mutable_headers(0)->set_name("Transfer-Encoding"); }));
  EXPECT_TRUE(refused([](auto& v) { v.mutable_session()->mutable_assigned()->set_id(""); }));
  EXPECT_TRUE(refused([](auto& v) { v.mutable_session()->mutable_assigned()->set_rate(std::nan("")); }));
  EXPECT_TRUE(refused([](auto& v) {
    v.mutable_context()->mutable_replaced()->mutable_members(0)->mutable_value()->set_number(std::nan(""));
  }));
  EXPECT_TRUE(refused([](auto& v) { v.mutable_failure()->set_kind(plugin::Failure::EXCEPTION); }));
}

TEST(Verdict, RefusesEveryTruncation) {
  const std::string bytes = good().SerializeAsString();
  const auto whole_fields = [&](std::size_t size) {
    plugin::Verdict verdict;
    return verdict.ParseFromString(bytes.substr(0, size));
  };
  Verdict read;
  for (std::size_t size = 1; size < bytes.size(); ++size)
    EXPECT_EQ(read_verdict(bytes.substr(0, size), read), whole_fields(size)) << size;
}

TEST(Verdict, SurvivesRandomBytes) {
  for (std::uint64_t seed = 1; seed <= 50000; ++seed) {
    Random random(seed);
    std::string bytes = good().SerializeAsString();
    for (auto i = 1 + random.below(4); i > 0; --i)
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    Verdict read;
    if (!read_verdict(bytes, read) || !read.request) continue;
    for (std::size_t i = 0; i < read.headers.size(); ++i)
      ASSERT_FALSE(read.headers[i].name.empty());
  }
}

}  // namespace
}  // namespace lingate::runtimes
