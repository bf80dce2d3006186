// req, res, headers, session, ctx and respond() in Python.
#include "tests/python/stage.h"

namespace lingate::runtimes::python {
namespace {

using ::testing::HasSubstr;

class PythonHooks : public Stage {};

TEST_F(PythonHooks, AnUntouchedRequestLeavesAnEmptyVerdict) {
  EXPECT_EQ(run("pass").ByteSizeLong(), 0U);
}

TEST_F(PythonHooks, ReadsEveryFieldOfTheRequest) {
  EXPECT_EQ(eval("req.id, req.method, req.scheme, req.host, req.path, req.query, req.version, req.route"),
            R"(["id-1","GET","http","api.example.com","/users/7","a=1","1.1","users"])");
  EXPECT_EQ(eval("req.client.ip, req.client.port, req.params['id'], dict(req.params), req.session"),
            R"(["10.0.0.9",4711,"7",{"id":"7"},null])");
}

TEST_F(PythonHooks, HeadersReadWithoutCase) {
  EXPECT_EQ(eval("req.headers['x-KEY'], 'x-key' in req.headers, 'nope' in req.headers, req.headers.get('nope'), "
                 "req.headers.get('nope', 5), req.headers.values('ACCEPT'), list(req.headers), len(req.headers)"),
            R"(["abc",true,false,null,5,["a","b"],["Host","X-Key","Accept"],3])");
  EXPECT_EQ(eval("[list(pair) for pair in req.headers.lines()]"),
            R"([[["Host","api.example.com"],["X-Key","abc"],["Accept","a"],["accept","b"]]])");
}

TEST_F(PythonHooks, ParamsAreAMappingThatCanBeRead) {
  EXPECT_EQ(
      eval("req.params.get('id'), req.params.get('no'), req.params.get('no', 5), 'id' in req.params, list(req.params), "
           "len(req.params), [list(i) for i in req.params.items()], req.params.keys(), req.params.values()"),
      R"(["7",null,5,true,["id"],1,[["id","7"]],["id"],["7"]])");
  EXPECT_EQ(
      eval(
          "req.params == {'id': '7'}, req.params == req.params, req.params != {}, repr(req.params), req.params.copy()"),
      R"([true,true,true,"{'id': '7'}",{"id":"7"}])");
  EXPECT_THAT(run("req.params['id'] = '8'").failure().message(), HasSubstr("TypeError"));
}

TEST_F(PythonHooks, AMissingHeaderIsAKeyError) {
  const auto verdict = run("req.headers['nope']");
  EXPECT_EQ(verdict.failure().kind(), plugin::Failure::EXCEPTION);
  EXPECT_EQ(verdict.failure().message(), "KeyError: 'nope'");
  EXPECT_EQ(verdict.failure().line(), 3U);
}

TEST_F(PythonHooks, HeaderWritesBecomeEdits) {
  const auto verdict =
      run("req.headers['X-New'] = 'v'\n"
          "req.headers['Accept'] = ['1', '2']\n"
          "del req.headers['X-Key']\n"
          "del req.headers['X-Missing']\n"
          "req.headers['X-Gone'] = None\n"
          "req.headers.add('X-New', 'w')\n"
          "assert req.headers.values('x-new') == ['v', 'w']\n"
          "assert 'x-key' not in req.headers");
  ASSERT_FALSE(verdict.has_failure()) << verdict.failure().message();
  const auto& edits = verdict.request().headers();
  ASSERT_EQ(edits.size(), 4);
  EXPECT_EQ(edits[0].name(), "X-New");
  EXPECT_EQ(edits[1].values_size(), 2);
  EXPECT_EQ(edits[2].values_size(), 0);
  EXPECT_TRUE(edits[3].append());
}

TEST_F(PythonHooks, ARefusedHeaderCanBeCaught) {
  for (const char* write : {"req.headers['A B'] = 'v'", "req.headers['X'] = 'a\\r\\nb'", "req.headers['X'] = 5",
                            "req.headers['Content-Length'] = '5'", "req.headers['X'] = b'v'",
                            "req.headers['X'] = ['a', 5]", "req.headers[5] = 'v'"}) {
    const auto verdict = run("try:\n    " + std::string(write) + "\nexcept Exception: req.headers['X-Caught'] = 'yes'");
    ASSERT_EQ(verdict.request().headers_size(), 1) << write;
    EXPECT_EQ(verdict.request().headers(0).name(), "X-Caught");
  }
}

TEST_F(PythonHooks, BytesThatAreNotUtf8SurviveTheRoundTrip) {
  auto call = a_call();
  const std::string odd = "\xff\xfe caf\xe9 \xc3\xa9";
  add_line(*call.mutable_request()->add_headers(), "X-Odd", odd);
  call.mutable_request()->set_body(odd);
  const auto verdict = run("req.headers['X-Copy'] = req.headers['x-odd']\nreq.body = req.body + b'!'", call);
  ASSERT_FALSE(verdict.has_failure()) << verdict.failure().message();
  EXPECT_EQ(verdict.request().headers(0).values(0), odd);
  EXPECT_EQ(verdict.request().body(), odd + "!");
}

TEST_F(PythonHooks, WritesTheRequestLineAndBody) {
  const auto verdict =
      run("req.method = 'POST'\nreq.path = '/b'\nreq.query = 'x=2'\nreq.body = 'h\\u00e9'\nassert req.path == '/b'");
  EXPECT_EQ(verdict.request().method(), "POST");
  EXPECT_EQ(verdict.request().path(), "/b");
  EXPECT_EQ(verdict.request().query(), "x=2");
  EXPECT_EQ(verdict.request().body(), "h\xc3\xa9");
}

TEST_F(PythonHooks, BodyHasTextAndJson) {
  EXPECT_EQ(eval("req.text(), req.json(), type(req.body).__name__"), R"(["{\"n\": 1}",{"n":1},"bytes"])");
}

TEST_F(PythonHooks, UnknownNamesAreErrorsWithTheCure) {
  EXPECT_THAT(run("req.hots").failure().message(), HasSubstr("did you mean 'host'?"));
  EXPECT_THAT(run("req.foo = 1").failure().message(), HasSubstr("req has no attribute 'foo'"));
  EXPECT_THAT(run("req.host = 'x'").failure().message(), HasSubstr("req.host is read-only"));
  EXPECT_THAT(run("lingate.respnod(200)").failure().message(), HasSubstr("did you mean 'respond'?"));
}

TEST_F(PythonHooks, ResponseSideReadsAndWrites) {
  auto instance = load(
      "def response(res, req, ctx):\n"
      "    assert res.status == 200 and res.text() == 'hello'\n"
      "    res.status = 201\n"
      "    res.headers['X-A'] = '1'\n"
      "    res.body = b'bye'\n");
  const auto verdict = run(*instance, a_call(plugin::HOOK_RESPONSE));
  ASSERT_FALSE(verdict.has_failure()) << verdict.failure().message();
  EXPECT_EQ(verdict.response().status(), 201U);
  EXPECT_EQ(verdict.response().body(), "bye");
  EXPECT_EQ(verdict.response().headers(0).name(), "X-A");
}

TEST_F(PythonHooks, HooksMayTakeFewerParameters) {
  auto instance = load(
      "def request(): pass\n"
      "def response(res): pass\n"
      "def log(*all): assert len(all) == 3\n");
  EXPECT_EQ(instance->hooks().request, 0);
  EXPECT_EQ(instance->hooks().response, 1);
  EXPECT_EQ(instance->hooks().log, 3);
  for (const auto hook : {plugin::HOOK_REQUEST, plugin::HOOK_RESPONSE, plugin::HOOK_LOG})
    EXPECT_FALSE(run(*instance, a_call(hook)).has_failure());
}

TEST_F(PythonHooks, RespondIsCheckedAndReturned) {
  const auto verdict = run("return lingate.respond(401, 'no', {'X-A': ['1', '2']})");
  EXPECT_EQ(verdict.answer().status(), 401U);
  EXPECT_EQ(verdict.answer().body(), "no");
  const auto json = run("return lingate.respond(200, {'a': [1, None, True]})");
  EXPECT_EQ(json.answer().body(), R"({"a":[1,null,true]})");
  EXPECT_FALSE(run("lingate.respond(200, 'dropped')").has_answer());
  EXPECT_EQ(run("a = lingate.respond(201, 'first')\nlingate.respond(202)\nreturn a").answer().status(), 201U);
  for (const char* bad :
       {"lingate.respond('abc')", "lingate.respond(0)", "lingate.respond(1000)", "lingate.respond(True)",
        "lingate.respond(200, 5)", "lingate.respond(200, 'x', [])", "lingate.respond(200, 'x', {'a': 5})",
        "lingate.respond(200, {'a': {1, 2}})", "lingate.respond(float('nan'))"})
    EXPECT_EQ(run("return " + std::string(bad)).failure().kind(), plugin::Failure::EXCEPTION) << bad;
}

TEST_F(PythonHooks, AnyOtherReturnValueIsInvalid) {
  for (const char* bad : {"5", "'text'", "{}", "[]", "float('nan')", "lambda: 1", "req", "False"})
    EXPECT_EQ(run("return " + std::string(bad)).failure().kind(), plugin::Failure::INVALID) << bad;
  auto instance = load(
      "import lingate\nkept = []\n"
      "def request(req):\n"
      "    kept.append(lingate.respond(200))\n"
      "    return kept[0]\n");
  EXPECT_EQ(run(*instance, a_call()).answer().status(), 200U);
  EXPECT_EQ(run(*instance, a_call()).failure().kind(), plugin::Failure::INVALID);
}

TEST_F(PythonHooks, WhatIsInvalidNamesTheScript) {
  for (const char* bad : {"return 5", "ctx['f'] = len"}) {
    const auto failure = run(bad).failure();
    EXPECT_EQ(failure.kind(), plugin::Failure::INVALID) << bad;
    EXPECT_EQ(failure.file(), (folder_ / "script.py").string()) << bad;
  }
}

TEST_F(PythonHooks, ContextIsADictThatIsWrittenBack) {
  auto call = a_call();
  auto& member = *call.mutable_context()->add_members();
  member.set_name("n");
  member.mutable_value()->set_number(7);
  EXPECT_EQ(run("assert type(ctx['n']) is int", call).ByteSizeLong(), 0U);
  const auto verdict = run("ctx['n'] += 1\nctx['deep'] = {'list': [1.5, 'x', None, False]}", call);
  ASSERT_EQ(verdict.context().replaced().members_size(), 2);
  EXPECT_EQ(verdict.context().replaced().members(0).value().number(), 8);
  EXPECT_TRUE(run("ctx.clear()", call).has_context());
}

TEST_F(PythonHooks, WhatIsNoValueNamesItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"ctx['user'] = {'fn': len}", "ctx.user.fn: a function is no value"},
      {"ctx['l'] = [1, {2}]", "ctx.l[1]: a set is no value"},
      {"ctx['b'] = b'x'", "ctx.b: bytes are no value"},
      {"ctx['n'] = float('nan')", "ctx.n: NaN is no value"},
      {"ctx['n'] = 2 ** 53 + 1", "ctx.n: an integer beyond 2^53"},
      {"ctx[5] = 1", "ctx: a key must be text"},
      {"ctx['c'] = ctx", "nest deeper than 32"},
      {"ctx['s'] = '\\udcff'", "ctx.s: text that is not UTF-8"},
      {"ctx['big'] = 'x' * 70000", "65536 bytes"},
  };
  for (const auto& [body, message] : cases) {
    const auto verdict = run(body);
    EXPECT_EQ(verdict.failure().kind(), plugin::Failure::INVALID) << body;
    EXPECT_THAT(verdict.failure().message(), HasSubstr(message)) << body;
  }
  EXPECT_FALSE(run("ctx['n'] = 2 ** 53").has_failure());
}

TEST_F(PythonHooks, SessionIsReadAndItsMetadataWrittenBack) {
  auto call = a_call();
  add_session(call);
  EXPECT_EQ(eval("req.session.id, req.session.org, req.session.tags, req.session.metadata, req.session.rate, "
                 "req.session.burst",
                 call),
            R"(["s-1","acme",["gold"],{"user":"ann"},10,null])");
  const auto verdict = run("req.session.metadata['seen'] = 1\nreq.session.tags.append('new')", call);
  ASSERT_FALSE(verdict.has_failure()) << verdict.failure().message();
  EXPECT_EQ(verdict.session().metadata_size(), 1);
  EXPECT_EQ(verdict.session().tags().tags_size(), 2);
  EXPECT_EQ(run("del req.session.metadata['user']", call).session().removed_metadata(0), "user");
  EXPECT_EQ(run("req.session.metadata", call).ByteSizeLong(), 0U);
  EXPECT_THAT(run("req.session.id = 'x'", call).failure().message(), HasSubstr("session.id is read-only"));
}

TEST_F(PythonHooks, ASessionIsAssignedAndCleared) {
  const auto verdict =
      run("req.session = {'id': 'u-1', 'metadata': {'user': 'bob'}}\n"
          "assert req.session.metadata['user'] == 'bob'\n"
          "assert req.session.id == 'u-1'");
  ASSERT_FALSE(verdict.has_failure()) << verdict.failure().message();
  EXPECT_EQ(verdict.session().assigned().id(), "u-1");
  EXPECT_EQ(run("req.session = {'name': 'x'}").failure().kind(), plugin::Failure::EXCEPTION);
  auto call = a_call();
  add_session(call);
  EXPECT_TRUE(run("req.session = None\nassert req.session is None", call).session().cleared());
}

TEST_F(PythonHooks, AbsentTextsOfASessionAreNone) {
  auto call = a_call();
  add_session(call);
  EXPECT_EQ(eval("req.session.alias, req.session.org", call), R"([null,"acme"])");
  call.mutable_session()->clear_org();
  EXPECT_EQ(eval("req.session.org", call), "[null]");
}

TEST_F(PythonHooks, TheSessionAssignedToItselfChangesNothing) {
  auto call = a_call();
  add_session(call);
  EXPECT_EQ(run("req.session = req.session", call).ByteSizeLong(), 0U);
  const auto verdict = run("s = req.session\ns.tags.append('new')\nreq.session = s", call);
  EXPECT_EQ(verdict.session().tags().tags_size(), 2) << verdict.failure().message();
  EXPECT_FALSE(verdict.session().has_assigned());
  EXPECT_EQ(run("s = req.session\nreq.session = None\nreq.session = s", call).failure().kind(),
            plugin::Failure::EXCEPTION);
}

TEST_F(PythonHooks, NoneClearsTagsAndMetadata) {
  auto call = a_call();
  add_session(call);
  const auto verdict =
      run("s = req.session\ns.tags = None\ns.metadata = None\nassert s.tags == [] and s.metadata == {}", call);
  ASSERT_FALSE(verdict.has_failure()) << verdict.failure().message();
  EXPECT_TRUE(verdict.session().has_tags());
  EXPECT_EQ(verdict.session().tags().tags_size(), 0);
  EXPECT_EQ(verdict.session().removed_metadata(0), "user");
}

TEST_F(PythonHooks, ASessionIsReadOnlyInLog) {
  auto call = a_call(plugin::HOOK_LOG);
  add_session(call);
  for (const char* write : {"tags = ['x']", "tags = None", "metadata = {}", "metadata = None"}) {
    auto instance = load("def log(res, req): req.session." + std::string(write) + "\n");
    EXPECT_EQ(run(*instance, call).failure().message(), "everything is read-only in log") << write;
  }
}

TEST_F(PythonHooks, ChangesInPlaceInLogAreDropped) {
  auto call = a_call(plugin::HOOK_LOG);
  add_session(call);
  auto instance = load(
      "def log(res, req, ctx):\n"
      "    req.session.tags.append('x')\n"
      "    req.session.tags.append(5)\n"
      "    req.session.metadata['f'] = len\n"
      "    ctx['f'] = len\n");
  EXPECT_EQ(run(*instance, call).ByteSizeLong(), 0U);
}

TEST_F(PythonHooks, KeptObjectsRaiseAfterTheCall) {
  auto instance = load(
      "kept = []\n"
      "def request(req, ctx):\n"
      "    for use in kept[:]:\n"
      "        try: use()\n"
      "        except Exception as e: assert 'over' in str(e), str(e)\n"
      "        else: raise AssertionError('alive')\n"
      "    h, c, s, p = req.headers, req.client, req.session, req.params\n"
      "    kept.extend([lambda: req.path, lambda: h['Host'], lambda: c.ip, lambda: s.id, lambda: h.lines(),\n"
      "                 lambda: p['id'], lambda: dict(p), lambda: len(p), lambda: p == {}, lambda: repr(p),\n"
      "                 lambda: setattr(req, 'path', '/x'), lambda: list(h)])\n");
  auto call = a_call();
  add_session(call);
  for (int i = 0; i < 3; ++i) {
    const auto verdict = run(*instance, call);
    EXPECT_FALSE(verdict.has_failure()) << verdict.failure().message();
  }
}

TEST_F(PythonHooks, BodyWithoutTheOptionIsAnError) {
  auto instance = load("def request(req): req.body", {.bodies = false});
  EXPECT_EQ(run(*instance, a_call()).failure().kind(), plugin::Failure::EXCEPTION);
}

}  // namespace
}  // namespace lingate::runtimes::python
