"""lingate.respond, failures, and the order of the onion."""
from case import case

case("respond.without_a_body_is_empty", "respond(status, body, headers): body nil: empty",
     lua="function M.request() return lingate.respond(204) end", python="def request(): return lingate.respond(204)",
     js="exports.request = function () { return lingate.respond(204); };",
     status=204, reply=b"", reply_headers={"Content-Type": None}, forwarded=False)

case("respond.text_is_plain_text", "string: text/plain; charset=utf-8",
     lua='function M.request() return lingate.respond(200, "hé") end', python='def request(): return lingate.respond(200, "hé")',
     js='exports.request = function () { return lingate.respond(200, "hé"); };',
     reply="hé".encode(), reply_headers={"Content-Type": "text/plain; charset=utf-8"}, forwarded=False)

case("respond.a_map_or_list_is_json", "map or list: JSON",
     lua='function M.request() return lingate.respond(201, {a = {1, 2}}) end', python='def request(): return lingate.respond(201, {"a": [1, 2]})',
     js='exports.request = function () { return lingate.respond(201, {a: [1, 2]}); };',
     status=201, reply=b'{"a":[1,2]}', reply_headers={"Content-Type": "application/json"}, forwarded=False)

case("respond.bytes_are_an_octet_stream", "bytes: application/octet-stream (Lua has one string type: text)",
     lua='function M.request() return lingate.respond(200, "\\255\\0", {["Content-Type"] = "application/octet-stream"}) end',
     python='def request(): return lingate.respond(200, b"\\xff\\x00")',
     js="exports.request = function () { return lingate.respond(200, new Uint8Array([255, 0])); };",
     reply=b"\xff\x00", reply_headers={"Content-Type": "application/octet-stream"}, forwarded=False)

case("respond.a_given_content_type_wins", "a given Content-Type wins",
     lua='function M.request() return lingate.respond(200, "<p>", {["content-type"] = "text/html"}) end',
     python='def request(): return lingate.respond(200, "<p>", {"content-type": "text/html"})',
     js='exports.request = function () { return lingate.respond(200, "<p>", {"content-type": "text/html"}); };',
     reply=b"<p>", reply_headers={"Content-Type": "text/html"}, forwarded=False)

case("respond.headers_may_be_lists", "headers: name to text or list of texts",
     lua='function M.request() return lingate.respond(200, "", {["Set-Cookie"] = {"a=1", "b=2"}, ["X-A"] = "1"}) end',
     python='def request(): return lingate.respond(200, "", {"Set-Cookie": ["a=1", "b=2"], "X-A": "1"})',
     js='exports.request = function () { return lingate.respond(200, "", {"Set-Cookie": ["a=1", "b=2"], "X-A": "1"}); };',
     reply_headers={"Set-Cookie": ["a=1", "b=2"], "X-A": "1"}, forwarded=False)

# A refusal that a client's input could turn into a pass would be a hole.
case("respond.that_is_refused_leaves_the_one_before", "a caught error of respond() takes nothing back",
     lua='''function M.request(req)
  local deny = lingate.respond(403, "no")
  for _, bad in ipairs({{200, "in", {["X-A"] = "a\\n"}}, {99}}) do
    if pcall(lingate.respond, bad[1], bad[2], bad[3]) then return lingate.respond(500) end
  end
  return deny
end''',
     python='''def request(req):
    deny = lingate.respond(403, "no")
    for bad in (200, "in", {"X-A": "a\\n"}), (99,):
        try:
            lingate.respond(*bad)
            return lingate.respond(500)
        except Exception:
            pass
    return deny''',
     js='''exports.request = function (req) {
  var deny = lingate.respond(403, "no"), passed = 0;
  [[200, "in", {"X-A": "a\\n"}], [99]].forEach(function (bad) {
    try { lingate.respond(bad[0], bad[1], bad[2]); passed++; } catch (e) {}
  });
  return passed ? lingate.respond(500) : deny;
};''',
     status=403, reply=b"no", forwarded=False)

case("respond.from_response_replaces_and_outer_steps_go_on",
     "from response it replaces the response and outer steps go on",
     lua=['function M.response(res) res.headers["X-Outer"] = tostring(res.status) end',
          'function M.response(res) return lingate.respond(202, "mine") end'],
     python=['def response(res): res.headers["X-Outer"] = str(res.status)', 'def response(res): return lingate.respond(202, "mine")'],
     js=['exports.response = function (res) { res.headers["X-Outer"] = String(res.status); };',
         'exports.response = function (res) { return lingate.respond(202, "mine"); };'],
     status=202, reply=b"mine", reply_headers={"X-Outer": "202", "X-Origin": None}, forwarded=True)

# ---- the onion ----

def steps(lua, python, js, count):
    """The same script `count` times; %s is its number."""
    return {"lua": [lua % n if "%s" in lua else lua for n in range(1, count + 1)],
            "python": [python % n if "%s" in python else python for n in range(1, count + 1)],
            "js": [js % n if "%s" in js else js for n in range(1, count + 1)]}


LUA_MARK = '''local n = "%s"
function M.request(req, ctx) ctx.seen = (ctx.seen or "") .. n; req.headers["X-Seen"] = ctx.seen end
function M.response(res, req, ctx) res.headers["X-Back"] = (res.headers["X-Back"] or "") .. n end'''
PY_MARK = '''n = "%s"
def request(req, ctx):
    ctx["seen"] = ctx.get("seen", "") + n
    req.headers["X-Seen"] = ctx["seen"]
def response(res, req, ctx): res.headers["X-Back"] = (res.headers.get("X-Back") or "") + n'''
JS_MARK = '''var n = "%s";
exports.request = function (req, ctx) { ctx.seen = (ctx.seen || "") + n; req.headers["X-Seen"] = ctx.seen; };
exports.response = function (res, req, ctx) { res.headers["X-Back"] = (res.headers["X-Back"] || "") + n; };'''
MARKS = steps(LUA_MARK, PY_MARK, JS_MARK, 3)

case("onion.request_sides_run_forward_response_sides_back",
     "request sides first step to last, response sides last to first, an onion",
     **MARKS, upstream=[("X-Seen", "123")], reply_headers={"X-Back": "321"})

DENY = {"lua": 'function M.request() return lingate.respond(403, "no") end\nfunction M.response(res) res.headers["X-Back"] = "k" end',
        "python": 'def request(): return lingate.respond(403, "no")\ndef response(res): res.headers["X-Back"] = "k"',
        "js": 'exports.request = function () { return lingate.respond(403, "no"); };\nexports.response = function (res) { res.headers["X-Back"] = "k"; };'}
case("onion.a_refusal_runs_the_response_sides_before_it",
     "A refusal or failure at step k runs the response sides of k-1...1, not k's",
     **{lang: MARKS[lang][:2] + [DENY[lang]] + MARKS[lang][2:] for lang in DENY},
     status=403, reply=b"no", reply_headers={"X-Back": "21"}, forwarded=False)

FAIL = {"lua": 'function M.request() error("boom") end\nfunction M.response(res) res.headers["X-Back"] = "k" end',
        "python": 'def request(): raise ValueError("boom")\ndef response(res): res.headers["X-Back"] = "k"',
        "js": 'exports.request = function () { throw new Error("boom"); };\nexports.response = function (res) { res.headers["X-Back"] = "k"; };'}
case("onion.a_failure_runs_the_response_sides_before_it",
     "A refusal or failure at step k runs the response sides of k-1...1, not k's",
     **{lang: MARKS[lang][:2] + [FAIL[lang]] + MARKS[lang][2:] for lang in FAIL},
     status=500, code="LG3001", reply_headers={"X-Back": "21"}, forwarded=False)

BACK_FAIL = {"lua": 'function M.response() error("boom") end', "python": 'def response(): raise ValueError("boom")',
             "js": 'exports.response = function () { throw new Error("boom"); };'}
case("onion.a_failing_response_side_does_likewise",
     "so does a failing response side",
     **{lang: MARKS[lang][:2] + [BACK_FAIL[lang]] + MARKS[lang][2:] for lang in BACK_FAIL},
     status=500, code="LG3001", reply_headers={"X-Back": "21"}, forwarded=True)

case("onion.a_skipped_step_is_not_entered",
     "A step skipped by on_error: continue is not entered",
     **{lang: [FAIL[lang]] for lang in FAIL}, options="on_error: continue", reply=b"ok", reply_headers={"X-Back": None}, forwarded=True)

case("onion.a_response_only_step_is_entered",
     "A step is entered when its request side succeeded or it has none",
     **{lang: [x.split("function M.request", 1)[0] + "function M.response" + x.split("function M.response", 1)[1] if lang == "lua" else
               x.split("def request", 1)[0] + "def response" + x.split("def response", 1)[1] if lang == "python" else
               x.split("exports.request", 1)[0] + "exports.response" + x.split("exports.response", 1)[1]]
        for lang, x in (("lua", LUA_MARK % 1), ("python", PY_MARK % 1), ("js", JS_MARK % 1))},
     reply_headers={"X-Back": "1"})

case("onion.responses_of_the_gateway_pass_every_entered_step",
     "Responses that the gateway makes (413, 502, 504) pass every entered step",
     **MARKS, origin=b"garbage\r\n\r\n", status=502, code="LG4003", reply_headers={"X-Back": "321"})

# ---- failures ----

case("failure.an_exception_is_500_and_logged_with_its_place",
     "The log has file, line, message and at most 20 frames ... with the request id; the client sees none of it",
     lua='local function inner() error("secret-detail") end\nfunction M.request() inner() end',
     python='def inner(): raise ValueError("secret-detail")\ndef request(): inner()',
     js='function inner() { throw new Error("secret-detail"); }\nexports.request = function () { inner(); };',
     status=500, code="LG3001", forwarded=False, not_in_reply=["secret-detail", "script."], log=["secret-detail.*script\\.|script\\..*secret-detail"])

# What is thrown need not know its place, what is returned or left in ctx has none.
for what, code, lua, python, js in (
        ("thrown_text", "LG3001", 'error("no place", 0)', 'raise Exception("no place")', 'throw "no place";'),
        ("thrown_map", "LG3001", "error({a = 1})", 'raise Exception({"a": 1})', "throw {a: 1};"),
        ("thrown_nil", "LG3001", "error(nil)", "raise Exception", "throw null;"),
        ("a_bad_return_value", "LG3004", "return 5", "return 5", "return 5;"),
        ("a_bad_ctx_value", "LG3004", "ctx.f = print", 'ctx["f"] = print', "ctx.f = print;")):
    case(f"failure.{what}_is_logged_with_the_file",
         "The log has file, line, message",
         lua=f"function M.request(req, ctx) {lua} end", python=f"def request(req, ctx): {python}",
         js=f"exports.request = function (req, ctx) {{ {js} }};",
         status=500, code=code, forwarded=False, not_in_reply=["script."],
         log=[rf'"route":"failure\.{what}_.*"file":"[^"]*script\.(lua|py|js)"'])

case("failure.continue_goes_on_as_if_the_step_were_not_there",
     "continue goes on as if the step were not there",
     lua='function M.request(req) req.headers["X-A"] = "1"; error("boom") end',
     python='def request(req):\n    req.headers["X-A"] = "1"\n    raise ValueError("boom")',
     js='exports.request = function (req) { req.headers["X-A"] = "1"; throw new Error("boom"); };',
     options="on_error: continue", upstream=[], log=["boom"])

case("failure.a_loop_is_ended_at_its_budget", "timeout 504",
     lua="function M.request() while true do end end", python="def request():\n    while True: pass",
     js="exports.request = function () { for (;;) {} };", options="budget: 50ms", status=504, code="LG3002", forwarded=False)

case("failure.a_loop_under_continue_costs_only_itself", "timeout 504; continue goes on",
     lua="function M.request() while true do end end", python="def request():\n    while True: pass",
     js="exports.request = function () { for (;;) {} };", options="budget: 50ms, on_error: continue", reply=b"ok")

case("failure.a_giant_allocation_is_a_memory_failure", "exception, memory, invalid 500",
     lua='function M.request() local t = {} for i = 1, 1e9 do t[i] = {i} end end',
     python="def request():\n    t = []\n    while True: t.append([0] * 100000)",
     js="exports.request = function () { var t = [], s = new Array(1000).join('xxxxxxxxxx'); for (;;) t.push(t.length + s); };",
     options="budget: 5s, memory: 32MiB", status=500, code="LG3003", forwarded=False)

case("failure.memory_cannot_be_caught", "budgets hold against pcall/try/except around giant allocations",
     lua='function M.request() while true do pcall(function() local t = {} for i = 1, 1e9 do t[i] = {i} end end) end end',
     python="def request():\n    while True:\n        try:\n            t = []\n            while True: t.append([0] * 100000)\n        except MemoryError: pass",
     js="exports.request = function () { var s = new Array(1000).join('xxxxxxxxxx'); for (;;) try { var t = []; for (;;) t.push(t.length + s); } catch (e) {} };",
     options="budget: 5s, memory: 32MiB", status=500, code="LG3003", forwarded=False)

case("failure.deep_recursion_is_an_exception", "deep recursion: 500",
     lua="local function f(n) return 1 + f(n + 1) end\nfunction M.request() f(1) end",
     python="def f(n): return 1 + f(n + 1)\ndef request(): f(1)",
     js="function f(n) { return 1 + f(n + 1); }\nexports.request = function () { f(1); };",
     options="budget: 5s, memory: 128MiB", status=500, forwarded=False)

case("failure.thrown_values_that_are_no_errors_are_exceptions", "exception 500",
     lua="function M.request() error({}) end", python="class Odd(BaseException):\n    def __str__(self): raise self\ndef request(): raise Odd()",
     js="exports.request = function () { throw null; };", status=500, code="LG3001", forwarded=False)

# ---- waiting ----

case("waiting.sleep_suspends_the_call", "fetch, sleep and kv suspend the call",
     lua='function M.request(req) lingate.sleep(0.02); req.headers["X-Slept"] = "1" end',
     python='async def request(req):\n    await lingate.sleep(0.02)\n    req.headers["X-Slept"] = "1"',
     js='exports.request = function (req) { lingate.sleep(0.02); req.headers["X-Slept"] = "1"; };',
     upstream=[("X-Slept", "1")])

case("waiting.the_budget_stands_still", "budget ... stands still while the call is suspended",
     lua='function M.request(req) lingate.sleep(0.2); req.headers["X-Slept"] = "1" end',
     python='async def request(req):\n    await lingate.sleep(0.2)\n    req.headers["X-Slept"] = "1"',
     js='exports.request = function (req) { lingate.sleep(0.2); req.headers["X-Slept"] = "1"; };',
     options="budget: 50ms", upstream=[("X-Slept", "1")])

case("waiting.timeout_bounds_the_whole_call", "timeout (30s) the whole call",
     lua="function M.request() lingate.sleep(20) end", python="async def request():\n    await lingate.sleep(20)",
     js="exports.request = function () { lingate.sleep(20); };",
     options="timeout: 100ms", status=504, code="LG3002", forwarded=False)

case("waiting.inside_a_callback_is_an_error",
     "inside a library's callback, such as sort, gsub or forEach, they are a script error; in a plain def an error says so",
     lua="function M.request() table.sort({3, 2, 1}, function(a, b) lingate.sleep(0.01); return a < b end) end",
     python="def request(): lingate.sleep(0.01)",
     js="exports.request = function () { [1, 2].forEach(function () { lingate.sleep(0.01); }); };",
     status=500, code="LG3001", forwarded=False)

case("waiting.works_inside_pcall_and_try", "they look plain",
     lua='function M.request(req) local ok = pcall(function() lingate.sleep(0.01) end); req.headers["X-Ok"] = tostring(ok) end',
     python='async def request(req):\n    try:\n        await lingate.sleep(0.01)\n        ok = "true"\n    except Exception:\n        ok = "false"\n    req.headers["X-Ok"] = ok',
     js='exports.request = function (req) { var ok = "false"; try { lingate.sleep(0.01); ok = "true"; } catch (e) {} req.headers["X-Ok"] = ok; };',
     upstream=[("X-Ok", "true")])

case("waiting.on_the_response_side_too", "any hook may wait",
     lua='function M.response(res) lingate.sleep(0.01); res.headers["X-Slept"] = "1" end',
     python='async def response(res):\n    await lingate.sleep(0.01)\n    res.headers["X-Slept"] = "1"',
     js='exports.response = function (res) { lingate.sleep(0.01); res.headers["X-Slept"] = "1"; };', reply_headers={"X-Slept": "1"})
