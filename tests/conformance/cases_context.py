"""ctx and session: what crosses from step to step."""
from case import case

case("ctx.values_cross_from_step_to_step",
     "ctx: what earlier steps put there; null, booleans, numbers, UTF-8 strings, lists and string-keyed maps",
     lua=['''function M.request(req, ctx)
  ctx.null = lingate.null; ctx.yes = true; ctx.int = 7; ctx.real = 1.5; ctx.text = "é"; ctx.list = {1, "b"}; ctx.map = {k = {z = 1}}
  ctx.empty = {}; ctx.none = lingate.array({})
end''', "function M.request(req, ctx) return lingate.respond(200, ctx) end"],
     python=['''def request(req, ctx):
    ctx.update(null=None, yes=True, int=7, real=1.5, text="é", list=[1, "b"], map={"k": {"z": 1}}, empty={}, none=[])''',
             "def request(req, ctx): return lingate.respond(200, ctx)"],
     js=['''exports.request = function (req, ctx) {
  ctx["null"] = null; ctx.yes = true; ctx.int = 7; ctx.real = 1.5; ctx.text = "é"; ctx.list = [1, "b"]; ctx.map = {k: {z: 1}};
  ctx.empty = {}; ctx.none = [];
};''', "exports.request = function (req, ctx) { return lingate.respond(200, ctx); };"],
     reply={"null": None, "yes": True, "int": 7, "real": 1.5, "text": "é", "list": [1, "b"], "map": {"k": {"z": 1}},
            "empty": {}, "none": []})

case("ctx.nested_changes_are_seen",
     "What ctx holds when the hook returns is what the next step sees, nested changes included",
     lua=["function M.request(req, ctx) ctx.a = {b = {1}} end", "function M.request(req, ctx) ctx.a.b[2] = 2; ctx.a.c = true end",
          "function M.request(req, ctx) return lingate.respond(200, ctx) end"],
     python=['def request(req, ctx): ctx["a"] = {"b": [1]}', 'def request(req, ctx):\n    ctx["a"]["b"].append(2)\n    ctx["a"]["c"] = True',
             "def request(req, ctx): return lingate.respond(200, ctx)"],
     js=["exports.request = function (req, ctx) { ctx.a = {b: [1]}; };",
         "exports.request = function (req, ctx) { ctx.a.b.push(2); ctx.a.c = true; };",
         "exports.request = function (req, ctx) { return lingate.respond(200, ctx); };"],
     reply={"a": {"b": [1, 2], "c": True}})

case("ctx.deleting_works",
     "nil or undefined deletes",
     lua=["function M.request(req, ctx) ctx.a = 1; ctx.b = 2 end", "function M.request(req, ctx) ctx.a = nil end",
          "function M.request(req, ctx) return lingate.respond(200, ctx) end"],
     python=['def request(req, ctx): ctx.update(a=1, b=2)', 'def request(req, ctx):\n    del ctx["a"]',
             "def request(req, ctx): return lingate.respond(200, ctx)"],
     js=["exports.request = function (req, ctx) { ctx.a = 1; ctx.b = 2; };", "exports.request = function (req, ctx) { ctx.a = undefined; };",
         "exports.request = function (req, ctx) { return lingate.respond(200, ctx); };"],
     reply={"b": 2})

case("ctx.integers_are_integers",
     "Integral numbers within 2^53 reach Python as int",
     lua=["function M.request(req, ctx) ctx.n = 3; ctx.m = -9007199254740992; ctx.h = 0.5 end",
          'function M.request(req, ctx) return lingate.respond(200, string.format("%d %.0f %g", ctx.n, ctx.m, ctx.h)) end'],
     python=['def request(req, ctx): ctx.update(n=3.0, m=-9007199254740992, h=0.5)',
             'def request(req, ctx): return lingate.respond(200, f"{ctx[\'n\']!r} {ctx[\'m\']!r} {ctx[\'h\']!r}")'],
     js=["exports.request = function (req, ctx) { ctx.n = 3; ctx.m = -9007199254740992; ctx.h = 0.5; };",
         'exports.request = function (req, ctx) { return lingate.respond(200, ctx.n + " " + ctx.m + " " + ctx.h); };'],
     reply=b"3 -9007199254740992 0.5")

case("ctx.lives_as_long_as_the_request",
     "ctx lives as long as the request; the response side sees what the request side left",
     lua='function M.request(req, ctx) ctx.a = "1" end\nfunction M.response(res, req, ctx) res.headers["X-Ctx"] = ctx.a end',
     python='def request(req, ctx): ctx["a"] = "1"\ndef response(res, req, ctx): res.headers["X-Ctx"] = ctx["a"]',
     js='exports.request = function (req, ctx) { ctx.a = "1"; };\nexports.response = function (res, req, ctx) { res.headers["X-Ctx"] = ctx.a; };',
     reply_headers={"X-Ctx": "1"})

case("ctx.edits_of_a_failed_call_are_dropped",
     "A verdict is all or nothing: if a call fails, none of its edits apply",
     lua=['function M.request(req, ctx) ctx.a = 1; req.headers["X-A"] = "1"; error("no") end',
          'function M.request(req, ctx) return lingate.respond(200, {a = ctx.a == nil, h = req.headers["X-A"] == nil}) end'],
     python=['def request(req, ctx):\n    ctx["a"] = 1\n    req.headers["X-A"] = "1"\n    raise ValueError("no")',
             'def request(req, ctx): return lingate.respond(200, {"a": "a" not in ctx, "h": "X-A" not in req.headers})'],
     js=['exports.request = function (req, ctx) { ctx.a = 1; req.headers["X-A"] = "1"; throw new Error("no"); };',
         'exports.request = function (req, ctx) { return lingate.respond(200, {a: ctx.a === undefined, h: req.headers["X-A"] === undefined}); };'],
     options="on_error: continue", reply={"a": True, "h": True})

# ---- session ----

LUA_SESSION = '{id = "u1", alias = "Ada", org = "acme", tags = {"a", "b"}, metadata = {plan = "gold", n = 1}, rate = 10, per = 60}'
PY_SESSION = '{"id": "u1", "alias": "Ada", "org": "acme", "tags": ["a", "b"], "metadata": {"plan": "gold", "n": 1}, "rate": 10, "per": 60}'
JS_SESSION = '{id: "u1", alias: "Ada", org: "acme", tags: ["a", "b"], metadata: {plan: "gold", n: 1}, rate: 10, per: 60}'

LUA_SHOW = '''function M.request(req)
  local s = req.session
  return lingate.respond(200, {id = s.id, alias = s.alias, org = s.org, tags = s.tags, metadata = s.metadata, rate = s.rate, per = s.per,
    burst = s.burst == nil, expires = s.expires == nil})
end'''
PY_SHOW = '''def request(req):
    s = req.session
    return lingate.respond(200, {"id": s.id, "alias": s.alias, "org": s.org, "tags": s.tags, "metadata": s.metadata,
        "rate": s.rate, "per": s.per, "burst": s.burst is None, "expires": s.expires is None})'''
JS_SHOW = '''exports.request = function (req) {
  var s = req.session;
  return lingate.respond(200, {id: s.id, alias: s.alias, org: s.org, tags: s.tags, metadata: s.metadata, rate: s.rate, per: s.per,
    burst: s.burst == null, expires: s.expires == null});
};'''
SHOWN = {"id": "u1", "alias": "Ada", "org": "acme", "tags": ["a", "b"], "metadata": {"plan": "gold", "n": 1}, "rate": 10,
         "per": 60, "burst": True, "expires": True}

case("session.an_assigned_one_authenticates",
     "assign a whole session to req.session: that is how a script authenticates; later steps see it at once",
     lua=[f"function M.request(req) req.session = {LUA_SESSION} end", LUA_SHOW],
     python=[f"def request(req): req.session = {PY_SESSION}", PY_SHOW],
     js=[f"exports.request = function (req) {{ req.session = {JS_SESSION}; }};", JS_SHOW], reply=SHOWN)

case("session.the_script_that_assigned_it_sees_it",
     "later steps see it at once; so does the script itself",
     lua=f"function M.request(req) req.session = {LUA_SESSION}; return lingate.respond(200, req.session.id .. req.session.metadata.plan) end",
     python=f"def request(req):\n    req.session = {PY_SESSION}\n    return lingate.respond(200, req.session.id + req.session.metadata['plan'])",
     js=f"exports.request = function (req) {{ req.session = {JS_SESSION}; return lingate.respond(200, req.session.id + req.session.metadata.plan); }};",
     reply=b"u1gold")

case("session.nil_makes_the_request_anonymous",
     "nil makes the request anonymous",
     lua=[f"function M.request(req) req.session = {LUA_SESSION} end", "function M.request(req) req.session = nil end",
          "function M.request(req) return lingate.respond(200, {anonymous = req.session == nil}) end"],
     python=[f"def request(req): req.session = {PY_SESSION}", "def request(req): req.session = None",
             'def request(req): return lingate.respond(200, {"anonymous": req.session is None})'],
     js=[f"exports.request = function (req) {{ req.session = {JS_SESSION}; }};", "exports.request = function (req) { req.session = null; };",
         "exports.request = function (req) { return lingate.respond(200, {anonymous: !req.session}); };"],
     reply={"anonymous": True})

case("session.tags_and_metadata_are_writable",
     "session: write tags, metadata",
     lua=[f"function M.request(req) req.session = {LUA_SESSION} end",
          'function M.request(req) req.session.metadata.plan = "free"; req.session.metadata.n = nil; req.session.tags = {"c"} end',
          "function M.request(req) return lingate.respond(200, {m = req.session.metadata, t = req.session.tags}) end"],
     python=[f"def request(req): req.session = {PY_SESSION}",
             'def request(req):\n    req.session.metadata["plan"] = "free"\n    del req.session.metadata["n"]\n    req.session.tags = ["c"]',
             'def request(req): return lingate.respond(200, {"m": req.session.metadata, "t": req.session.tags})'],
     js=[f"exports.request = function (req) {{ req.session = {JS_SESSION}; }};",
         'exports.request = function (req) { req.session.metadata.plan = "free"; delete req.session.metadata.n; req.session.tags = ["c"]; };',
         "exports.request = function (req) { return lingate.respond(200, {m: req.session.metadata, t: req.session.tags}); };"],
     reply={"m": {"plan": "free"}, "t": ["c"]})

case("session.tags_change_in_place",
     "nested changes are kept",
     lua=[f"function M.request(req) req.session = {LUA_SESSION} end", 'function M.request(req) table.insert(req.session.tags, "c") end',
          "function M.request(req) return lingate.respond(200, req.session.tags) end"],
     python=[f"def request(req): req.session = {PY_SESSION}", 'def request(req): req.session.tags.append("c")',
             "def request(req): return lingate.respond(200, req.session.tags)"],
     js=[f"exports.request = function (req) {{ req.session = {JS_SESSION}; }};", 'exports.request = function (req) { req.session.tags.push("c"); };',
         "exports.request = function (req) { return lingate.respond(200, req.session.tags); };"],
     reply=["a", "b", "c"])

case("session.tags_and_metadata_may_change_on_the_response_side",
     "req ... is read-only but for session tags and metadata",
     lua=f'''function M.request(req) req.session = {LUA_SESSION} end
function M.response(res, req) req.session.metadata.seen = true; res.headers["X-Ok"] = "1" end''',
     python=f'''def request(req): req.session = {PY_SESSION}
def response(res, req):
    req.session.metadata["seen"] = True
    res.headers["X-Ok"] = "1"''',
     js=f'''exports.request = function (req) {{ req.session = {JS_SESSION}; }};
exports.response = function (res, req) {{ req.session.metadata.seen = true; res.headers["X-Ok"] = "1"; }};''',
     reply_headers={"X-Ok": "1"})

case("session.other_fields_are_read_only",
     "session: write tags, metadata",
     lua=[f"function M.request(req) req.session = {LUA_SESSION} end", 'function M.request(req) req.session.id = "x" end'],
     python=[f"def request(req): req.session = {PY_SESSION}", 'def request(req): req.session.id = "x"'],
     js=[f"exports.request = function (req) {{ req.session = {JS_SESSION}; }};", 'exports.request = function (req) { req.session.id = "x"; };'],
     status=500, code="LG3001", forwarded=False)

case("session.absent_texts_are_nil",
     "nil, None, null: what a session does not have, texts as well as numbers",
     lua=['function M.request(req) req.session = {id = "u1"} end',
          "function M.request(req) return lingate.respond(200, {alias = req.session.alias == nil, org = req.session.org == nil}) end"],
     python=['def request(req): req.session = {"id": "u1"}',
             'def request(req): return lingate.respond(200, {"alias": req.session.alias is None, "org": req.session.org is None})'],
     js=['exports.request = function (req) { req.session = {id: "u1"}; };',
         "exports.request = function (req) { return lingate.respond(200, {alias: req.session.alias === null, org: req.session.org === null}); };"],
     reply={"alias": True, "org": True})

case("session.assigned_to_itself_changes_nothing",
     "req.session = req.session is no edit",
     lua=[f"function M.request(req) req.session = {LUA_SESSION} end", "function M.request(req) req.session = req.session end", LUA_SHOW],
     python=[f"def request(req): req.session = {PY_SESSION}", "def request(req): req.session = req.session", PY_SHOW],
     js=[f"exports.request = function (req) {{ req.session = {JS_SESSION}; }};", "exports.request = function (req) { req.session = req.session; };",
         JS_SHOW], reply=SHOWN)

case("session.nil_clears_tags_and_metadata",
     "session: write tags, metadata; nil, None, null and undefined remove",
     lua=[f"function M.request(req) req.session = {LUA_SESSION} end", "function M.request(req) req.session.tags = nil; req.session.metadata = nil end",
          "function M.request(req) return lingate.respond(200, {m = req.session.metadata, t = req.session.tags}) end"],
     python=[f"def request(req): req.session = {PY_SESSION}", "def request(req):\n    req.session.tags = None\n    req.session.metadata = None",
             'def request(req): return lingate.respond(200, {"m": req.session.metadata, "t": req.session.tags})'],
     js=[f"exports.request = function (req) {{ req.session = {JS_SESSION}; }};",
         "exports.request = function (req) { req.session.tags = null; req.session.metadata = undefined; };",
         "exports.request = function (req) { return lingate.respond(200, {m: req.session.metadata, t: req.session.tags}); };"],
     reply={"m": {}, "t": []})

for part, lua, python, js in (("tags", '{"x"}', '["x"]', '["x"]'), ("metadata", '{x = 1}', '{"x": 1}', '{x: 1}')):
    case(f"session.{part}_are_read_only_in_log",
         "log: everything is read-only",
         lua=f"""function M.request(req) req.session = {LUA_SESSION} end
function M.log(res, req)
  local _, why = pcall(function () req.session.{part} = {lua} end)
  lingate.log.warn("{part} in log: " .. tostring(why))
end""",
         python=f"""def request(req): req.session = {PY_SESSION}
def log(res, req):
    why = None
    try: req.session.{part} = {python}
    except lingate.Error as error: why = error
    lingate.log.warn(f"{part} in log: {{why}}")""",
         js=f"""exports.request = function (req) {{ req.session = {JS_SESSION}; }};
exports.log = function (res, req) {{
  var why;
  try {{ req.session.{part} = {js}; }} catch (error) {{ why = error; }}
  lingate.log.warn("{part} in log: " + why);
}};""", log=[f"{part} in log: .*read-only in log"])
