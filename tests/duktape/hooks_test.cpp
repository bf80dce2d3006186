#include "tests/duktape/stage.h"

namespace lingate::runtimes::duktape::test {
namespace {

TEST(DuktapeHooks, AHookThatDoesNothingLeavesNothing) {
  Stage stage(hook(""));
  EXPECT_EQ(stage.run().ByteSizeLong(), 0U);
}

TEST(DuktapeHooks, TheHeaderJob) {
  Stage stage(hook(R"(
    if (!req.session) return lingate.respond(401, "key required");
    req.headers["X-User"] = req.session.metadata.user;
    delete req.headers["Authorization"];
    ctx.started = lingate.now();)"));
  plugin::Call it = call({{"Authorization", "Bearer x"}, {"Accept", "*/*"}});
  const plugin::Verdict refused = stage.run(it);
  EXPECT_EQ(refused.answer().status(), 401U);
  EXPECT_EQ(refused.answer().body(), "key required");
  add_session(it);
  for (int round = 0; round < 3; ++round) {
    const plugin::Verdict verdict = stage.run(it);
    ASSERT_FALSE(verdict.has_failure()) << verdict.failure().message();
    ASSERT_EQ(verdict.request().headers_size(), 2);
    EXPECT_EQ(verdict.request().headers(0).name(), "X-User");
    EXPECT_EQ(verdict.request().headers(0).values(0), "ann@example.com");
    EXPECT_EQ(verdict.request().headers(1).name(), "Authorization");
    EXPECT_EQ(verdict.request().headers(1).values_size(), 0);
    EXPECT_GT(verdict.context().replaced().members(0).value().number(), 1e9);
  }
}

TEST(DuktapeHooks, ReadsAllOfTheRequest) {
  plugin::Call it = call({{"X-A", "1"}, {"x-a", "2"}, {"B", "3"}});
  auto& param = *it.mutable_request()->add_params();
  param.set_name("id");
  param.set_value("7");
  EXPECT_EQ(answer(R"(return lingate.respond(200, [req.id, req.method, req.scheme, req.host, req.path, req.query,
      req.version, req.route, req.params.id, req.params.none, req.client.ip, req.client.port, req.headers["x-A"],
      req.headers.values("X-a").join("+"), "x-a" in req.headers, "y" in req.headers, Object.keys(req.headers).join(),
      req.headers.lines().join("|"), req.session].map(String).join(" "));)",
                   it),
            "r-1 GET http api.example.com /users/7 a=1&b=2 1.1 users 7 undefined 192.0.2.7 4711 1 1+2 true false X-A,B "
            "X-A,1|x-a,2|B,3 null");
}

TEST(DuktapeHooks, ForInYieldsDistinctHeaderNames) {
  EXPECT_EQ(answer("var n = []; for (var k in req.headers) n.push(k + '=' + req.headers[k]);"
                   "return lingate.respond(200, n.join());",
                   call({{"A", "1"}, {"a", "2"}, {"B", "3"}})),
            "A=1,B=3");
}

TEST(DuktapeHooks, WritesTheRequest) {
  Stage stage(hook(R"(
    req.method = "POST"; req.path = "/other"; req.query = "x=1"; req.body = "h\u00e9\ud83d\ude00";
    req.headers["A"] = ["1", "2"]; req.headers.add("B", "3"); req.headers["C"] = null; req.headers["D"] = [];)"));
  const plugin::Verdict verdict = stage.run(call({{"C", "x"}, {"D", "y"}}));
  ASSERT_FALSE(verdict.has_failure()) << verdict.failure().message();
  const plugin::RequestEdits& edits = verdict.request();
  EXPECT_EQ(edits.method(), "POST");
  EXPECT_EQ(edits.path(), "/other");
  EXPECT_EQ(edits.query(), "x=1");
  EXPECT_EQ(edits.body(), "h\xC3\xA9\xF0\x9F\x98\x80");
  ASSERT_EQ(edits.headers_size(), 4);
  EXPECT_EQ(edits.headers(0).values_size(), 2);
  EXPECT_TRUE(edits.headers(1).append());
  EXPECT_EQ(edits.headers(2).values_size(), 0);
}

TEST(DuktapeHooks, WritesTheResponse) {
  Stage stage(
      "exports.response = function (res, req, ctx) {\n"
      "  res.status = res.status + 1; res.headers.Server = undefined; res.body = new Uint8Array([0, 255, 10]);\n"
      "  ctx.seen = req.method;\n};");
  plugin::Call it = call();
  it.mutable_response()->set_status(200);
  auto& header = *it.mutable_response()->add_headers();
  header.set_name("Server");
  header.set_value("x");
  const plugin::Verdict verdict = stage.run(it, Hook::response);
  ASSERT_FALSE(verdict.has_failure()) << verdict.failure().message();
  EXPECT_EQ(verdict.response().status(), 201U);
  EXPECT_EQ(verdict.response().body(), std::string("\0\xFF\n", 3));
  EXPECT_EQ(verdict.response().headers(0).name(), "Server");
  EXPECT_EQ(verdict.context().replaced().members(0).value().text(), "GET");
}

TEST(DuktapeHooks, HeaderBytesSurviveARoundTrip) {
  std::string bytes;
  for (int byte = 0x20; byte < 0x100; ++byte)
    if (byte != 0x7f) bytes.push_back(static_cast<char>(byte));
  Stage stage(
      hook("if (req.headers.a.length !== 223) throw new Error(req.headers.a.length); req.headers.B = req.headers.a;"));
  const plugin::Verdict verdict = stage.run(call({{"A", bytes}}));
  ASSERT_FALSE(verdict.has_failure()) << verdict.failure().message();
  EXPECT_EQ(verdict.request().headers(0).values(0), bytes);
}

TEST(DuktapeHooks, BodiesAreByteExact) {
  std::string bytes;
  for (int byte = 0; byte < 0x100; ++byte)
    bytes.push_back(static_cast<char>(byte));
  plugin::Call it = call();
  it.mutable_request()->set_body(bytes);
  Stage stage(
      hook("var b = req.body; if (!(b instanceof Uint8Array) || b[255] !== 255) throw new Error('no'); req.body = b;"));
  EXPECT_EQ(stage.run(it).request().body(), bytes);
}

TEST(DuktapeHooks, TextAndJsonReadTheBody) {
  plugin::Call it = call();
  it.mutable_request()->set_body("{\"a\":[1,\"\xF0\x9F\x98\x80\"]}");
  EXPECT_EQ(answer("return lingate.respond(200, req.text().length + req.json().a[1]);", it), "14\xF0\x9F\x98\x80");
  it.mutable_request()->set_body("\xFF");
  EXPECT_EQ(answer("try { req.text(); } catch (e) { return lingate.respond(200, e.message); }", it),
            "the body is not UTF-8: read the bytes from body");
}

TEST(DuktapeHooks, WritesThatAreRefusedCanBeCaught) {
  const char* const bad[] = {"req.headers['Content-Length'] = '1'",
                             "req.headers['a b'] = 'x'",
                             "req.headers.A = 'x\\r\\ny'",
                             "req.headers.A = 1",
                             "req.headers.A = 'x\\u0100'",
                             "req.headers['\\u0100'] = 'x'",
                             "req.headers.add('A')",
                             "req.method = 'G T'",
                             "req.method = 5",
                             "req.path = 'x'",
                             "req.host = 'x'",
                             "req.nothing = 1",
                             "req.nothing",
                             "req.headers = {}",
                             "req.params.id = 'x'",
                             "req.client.port = 1",
                             "req.body = 5",
                             "req.body = {}",
                             "lingate.respond(99)",
                             "lingate.respond('200')",
                             "lingate.respond(200, 5)",
                             "lingate.respond(200, '', {a: 1})",
                             "lingate.respond(200, '', {'a b': 'x'})",
                             "lingate.respond(200, '', {A: 'x\\ny'})",
                             "lingate.nothing",
                             "lingate.now = 1",
                             "delete req.path",
                             "req.session = {}",
                             "req.session = {id: 'x', foo: 1}",
                             "Object.defineProperty(req, 'x', {value: 1})",
                             "Object.setPrototypeOf(req, Array.prototype)"};
  for (const char* const statement : bad)
    EXPECT_EQ(answer(std::string("try { ") + statement + "; } catch (e) { return lingate.respond(200, 'caught'); }"),
              "caught")
        << statement;
}

TEST(DuktapeHooks, UnknownNamesSayWhatWasMeant) {
  EXPECT_EQ(answer("try { req.hots; } catch (e) { return lingate.respond(200, e.message); }"),
            "req has no attribute 'hots'; did you mean 'host'?");
}

TEST(DuktapeHooks, ObjectsCanBeShown) {
  EXPECT_EQ(answer("return lingate.respond(200, '' + req + typeof req + JSON.stringify(req.client) + "
                   "JSON.stringify(req.headers));",
                   call({{"A", "1"}})),
            "[object Object]object{\"ip\":\"192.0.2.7\",\"port\":4711}{\"A\":\"1\"}");
}

TEST(DuktapeHooks, ReflectionOnObjectsHarmsNothing) {
  EXPECT_EQ(answer(R"(
    var count = 0;
    [req, req.headers, req.client, req.params, lingate, lingate.respond(200)].forEach(function (o) {
      [Object.freeze, Object.seal, Object.preventExtensions, Object.isFrozen, Object.getPrototypeOf, Object.keys, Reflect.ownKeys,
       Object.getOwnPropertyNames, Object.getOwnPropertySymbols, Array.isArray, JSON.stringify, Object.isExtensible,
       function (x) { return Object.getOwnPropertyDescriptor(x, 'path'); }, function (x) { return Object.assign({}, x); },
       function (x) { return new Proxy(x, {}); }, function (x) { return x instanceof Object; },
       function (x) { return Object.create(x).id; }, function (x) { for (var k in x) ++count; },
       function (x) { x.__proto__ = null; }, function (x) { x(); }, function (x) { new x(); },
       function (x) { return Object.defineProperties(x, {a: {value: 1}}); }, function (x) { return [].concat(x).length; },
       function (x) { return Array.prototype.slice.call(x); }, function (x) { return Reflect.set(x, 'a', 1, {}); },
       function (x) { return Reflect.get(x, 'a', {}); }, function (x) { return Object.prototype.toString.call(x); },
       function (x) { return Function('o', 'with (o) { return path; }')(x); }
      ].forEach(function (f) { try { f(o); } catch (e) { ++count; } });
    });
    return lingate.respond(200, req.path + (count > 0));)",
                   call({{"A", "1"}})),
            "/users/7true");
}

TEST(DuktapeHooks, RespondKnowsEveryKindOfBody) {
  Stage stage(
      hook("var b = {none: null, text: 'h\\u00e9', bytes: new Uint8Array([1, 2]), map: {a: [1, null]}, list: [1]};"
           "return lingate.respond(201, b[req.headers.kind], {'X-A': ['1', '2'], 'X-B': '3'});"));
  const std::pair<const char*, std::string> cases[] = {
      {"none", ""}, {"text", "h\xC3\xA9"}, {"bytes", "\1\2"}, {"map", "{\"a\":[1,null]}"}, {"list", "[1]"}};
  for (const auto& [kind, body] : cases) {
    const plugin::Verdict verdict = stage.run(call({{"kind", kind}}));
    ASSERT_TRUE(verdict.has_answer()) << verdict.failure().message();
    EXPECT_EQ(verdict.answer().body(), body);
    EXPECT_EQ(verdict.answer().status(), 201U);
  }
}

TEST(DuktapeHooks, AnAnswerThatIsNotReturnedIsDropped) {
  Stage stage(hook("lingate.respond(200, 'x');"));
  EXPECT_FALSE(stage.run().has_answer());
}

TEST(DuktapeHooks, OnlyTheLastAnswerCanBeReturned) {
  Stage stage(hook("var a = lingate.respond(200, 'a'); lingate.respond(200, 'b'); return a;"));
  EXPECT_EQ(stage.run().failure().kind(), plugin::Failure::INVALID);
}

TEST(DuktapeHooks, OtherReturnValuesAreInvalid) {
  for (const char* const value :
       {"1", "0", "''", "'x'", "false", "true", "[]", "{}", "req", "req.headers", "function () {}", "NaN"}) {
    Stage stage(hook(std::string("return ") + value + ";"));
    EXPECT_EQ(stage.run().failure().kind(), plugin::Failure::INVALID) << value;
  }
  for (const char* const value : {"undefined", "null", ""}) {
    Stage stage(hook(std::string("return ") + value + ";"));
    EXPECT_FALSE(stage.run().has_failure()) << value;
  }
}

TEST(DuktapeHooks, ContextKeepsEveryKindOfValue) {
  plugin::Call it = call();
  auto& member = *it.mutable_context()->add_members();
  member.set_name("old");
  member.mutable_value()->mutable_list()->add_values()->set_number(1);
  auto& gone = *it.mutable_context()->add_members();
  gone.set_name("gone");
  gone.mutable_value()->set_boolean(true);
  Stage stage(hook(
      "ctx.old.push('\\ud83d\\ude00'); ctx.gone = undefined; ctx.m = {n: null, b: false, __proto__x: 1}; ctx.l = [];"));
  const plugin::Verdict verdict = stage.run(it);
  ASSERT_FALSE(verdict.has_failure()) << verdict.failure().message();
  const plugin::Members& after = verdict.context().replaced();
  ASSERT_EQ(after.members_size(), 3);
  EXPECT_EQ(after.members(0).value().list().values(1).text(), "\xF0\x9F\x98\x80");
  EXPECT_EQ(after.members(1).name(), "m");
  EXPECT_TRUE(after.members(1).value().members().members(0).value().null());
  EXPECT_TRUE(after.members(2).value().has_list());
}

TEST(DuktapeHooks, AnUnchangedContextIsNoEdit) {
  plugin::Call it = call();
  auto& member = *it.mutable_context()->add_members();
  member.set_name("__proto__");
  member.mutable_value()->set_text("x");
  Stage stage(hook("if (Object.keys(ctx).join() !== '__proto__') throw new Error('lost');"));
  EXPECT_EQ(stage.run(it).ByteSizeLong(), 0U);
}

TEST(DuktapeHooks, AContextDoesNotLeakIntoTheNextCall) {
  Stage stage(
      hook("var n = Object.keys(ctx).length; if (req.headers.set) { ctx.x = 1; Object.setPrototypeOf(ctx, {y: 1}); }"
           "if (n || ctx.y && !req.headers.set) throw new Error('leak');"));
  EXPECT_TRUE(stage.run(call({{"set", "1"}})).has_context());
  EXPECT_EQ(stage.run().ByteSizeLong(), 0U);
}

TEST(DuktapeHooks, WhatIsNoValueIsNamedWithItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"ctx.user = {fn: function () {}}", "ctx.user.fn: a function is no value"},
      {"ctx.a = [1, NaN]", "ctx.a[1]: NaN is no value"},
      {"ctx.a = 1 / 0", "ctx.a: infinity is no value"},
      {"ctx.a = Symbol('x')", "ctx.a: a symbol is no value"},
      {"ctx.a = new Uint8Array(2)", "ctx.a: bytes are no value"},
      {"ctx.a = ctx", "ctx.a: a cycle is no value"},
      {"ctx.a = [ctx.b = {c: 0}]; ctx.b.c = ctx.a", "ctx.b.c[0]: a cycle is no value"},
      {"ctx.a = [undefined]", "ctx.a[0]: undefined is no value"},
      {"ctx.a = [, 1]", "ctx.a[0]: a hole in a list is no value"},
      {"ctx.a = new Array(2147483647)", "ctx.a[0]: a hole in a list is no value"},
      {"ctx.a = '\\ud83d'", "ctx.a: text with half a surrogate pair is no value"},
      {"ctx['\\udc00'] = 1", "ctx.\xEF\xBF\xBD: a key with half a surrogate pair is no key"},
      {"Object.defineProperty(ctx, 'g', {get: function () { for (;;); }, enumerable: true})",
       "ctx.g: a getter is no value"},
      {"ctx.req = req", "ctx.req: an object of lingate's own is no value"},
      {"ctx.h = req.headers", "ctx.h: an object of lingate's own is no value"},
  };
  for (const auto& [statement, message] : cases) {
    Stage stage(hook(statement));
    const plugin::Verdict verdict = stage.run();
    EXPECT_EQ(verdict.failure().kind(), plugin::Failure::INVALID) << statement;
    EXPECT_EQ(verdict.failure().message(), message) << statement;
  }
  for (const char* const value :
       {"new Date()", "/x/", "new Error('x')", "new Proxy({}, {get: function () { throw 1; }})", "new String('x')",
        "Math", "new ArrayBuffer(4)"}) {
    Stage stage(hook(std::string("ctx.a = ") + value));
    EXPECT_EQ(stage.run().failure().kind(), plugin::Failure::INVALID) << value;
  }
}

TEST(DuktapeHooks, DepthAndSizeOfContextAreBounded) {
  Stage deep(hook("var d = Number(req.headers.depth), a = ctx; for (var i = 1; i < d; i++) a = a.x = {};"));
  EXPECT_FALSE(deep.run(call({{"depth", "32"}})).has_failure());
  EXPECT_EQ(deep.run(call({{"depth", "33"}})).failure().kind(), plugin::Failure::INVALID);
  Stage large(hook("ctx.x = 'y'.repeat(Number(req.headers.size));"));
  EXPECT_FALSE(large.run(call({{"size", "65000"}})).has_failure());
  EXPECT_EQ(large.run(call({{"size", "65600"}})).failure().kind(), plugin::Failure::INVALID);
}

TEST(DuktapeHooks, SessionsAreReadEditedAndAssigned) {
  plugin::Call it = call();
  add_session(it);
  EXPECT_EQ(answer("var s = req.session; return lingate.respond(200, [s.id, s.alias, s.org, s.tags, s.metadata.user, "
                   "s.rate, s.per]"
                   ".map(String).join());",
                   it),
            "s-1,ann,null,gold,ann@example.com,10,null");
  Stage edit(hook("req.session.tags.push('new'); req.session.metadata.n = 1; delete req.session.metadata.user;"));
  const plugin::Verdict edited = edit.run(it);
  ASSERT_FALSE(edited.has_failure()) << edited.failure().message();
  EXPECT_EQ(edited.session().tags().tags(1), "new");
  EXPECT_EQ(edited.session().metadata(0).name(), "n");
  EXPECT_EQ(edited.session().removed_metadata(0), "user");
  Stage look(hook("req.session.tags.length + Object.keys(req.session.metadata).length;"));
  EXPECT_EQ(look.run(it).ByteSizeLong(), 0U);
  Stage assign(
      hook("req.session = {id: 'x', tags: ['t'], metadata: {k: 'v'}, rate: 5};"
           "if (req.session.tags[0] !== 't' || req.session.metadata.k !== 'v') throw new Error('unseen');"));
  const plugin::Verdict assigned = assign.run(it);
  ASSERT_FALSE(assigned.has_failure()) << assigned.failure().message();
  EXPECT_EQ(assigned.session().assigned().id(), "x");
  Stage clear(hook("req.session = null; if (req.session !== null) throw new Error('there');"));
  EXPECT_TRUE(clear.run(it).session().cleared());
}

TEST(DuktapeHooks, NullAndUndefinedClearTagsAndMetadata) {
  plugin::Call it = call();
  add_session(it);
  for (const char* const none : {"null", "undefined"}) {
    Stage stage(hook("var s = req.session, none = " + std::string(none) + ";\n" +
                     "if ((s.tags = none) !== none || (s.metadata = none) !== none) throw new Error('not its value');\n"
                     "if (s.tags.length || Object.keys(s.metadata).length) throw new Error('there');"));
    const plugin::Verdict verdict = stage.run(it);
    ASSERT_FALSE(verdict.has_failure()) << verdict.failure().message();
    EXPECT_TRUE(verdict.session().has_tags());
    EXPECT_EQ(verdict.session().tags().tags_size(), 0);
    EXPECT_EQ(verdict.session().removed_metadata(0), "user");
  }
}

TEST(DuktapeHooks, ObjectsDieWithTheirCall) {
  Stage stage(R"(
    var kept = {}, names = ["req", "headers", "session", "client", "params", "text", "values"];
    exports.request = function (req) {
      if (!kept.req) {
        kept = {req: req, headers: req.headers, session: req.session, client: req.client, params: req.params};
        return;
      }
      var uses = [
        function () { return kept.req.path; }, function () { kept.req.path = "/x"; }, function () { return "path" in kept.req; },
        function () { return kept.headers.a; }, function () { kept.headers.a = "x"; }, function () { delete kept.headers.a; },
        function () { return Object.keys(kept.headers); }, function () { return kept.headers.values("a"); },
        function () { return kept.headers.lines(); }, function () { return kept.session.id; },
        function () { return kept.session.metadata; }, function () { return kept.client.ip; },
        function () { return kept.params.id; }, function () { return kept.req.text; }, function () { return kept.req.body; }];
      uses.forEach(function (use, i) {
        var seen;
        try { seen = use(); } catch (error) {
          if (error.message !== "the call is over: req, res and session die with it") throw error;
          return;
        }
        throw new Error("use " + i + " saw " + seen);
      });
      if (kept.req === req || kept.headers === req.headers) throw new Error("the same object");
      if (req.headers.a !== "2") throw new Error("not mine");
    };)");
  plugin::Call first = call({{"A", "1"}});
  add_session(first);
  EXPECT_FALSE(stage.run(first).has_failure());
  const plugin::Verdict second = stage.run(call({{"A", "2"}}));
  EXPECT_FALSE(second.has_failure()) << second.failure().message();
}

TEST(DuktapeHooks, LogHooksAreReadOnly) {
  Stage stage(
      "exports.log = function (res, req, ctx) {\n  ctx.x = 1;\n  if (res.status === 499) return;\n  req.path = "
      "'/x';\n};");
  plugin::Call it = call();
  it.mutable_response()->set_status(499);
  EXPECT_EQ(stage.run(it, Hook::log).ByteSizeLong(), 0U);
  it.mutable_response()->set_status(200);
  EXPECT_EQ(stage.run(it, Hook::log).failure().line(), 4U);
}

TEST(DuktapeHooks, AritiesAreKnown) {
  Stage stage(
      "exports.request = function (req) {}; exports.response = function () {}; exports.log = function () { arguments; "
      "};");
  EXPECT_EQ(stage.instance().hooks().request, 1);
  EXPECT_EQ(stage.instance().hooks().response, 0);
  EXPECT_EQ(stage.instance().hooks().log, 3);
  Stage bound("exports.request = function (req, ctx) {}.bind(null);");
  EXPECT_EQ(bound.instance().hooks().request, 2);
}

}  // namespace
}  // namespace lingate::runtimes::duktape::test
