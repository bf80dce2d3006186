"""Bad values, each with its code and a near-identical control that passes. Nothing of a bad value reaches the wire."""
from case import case

EXCEPTION, INVALID = "LG3001", "LG3004"


JS_BIG = 'function big() { var s = "x"; while (s.length < 11534336) s += s; return s; }\n'


def wrap(lua, python, js):
    return {"lua": f"function M.request(req, ctx) {lua} end", "python": "def request(req, ctx):\n    " + python.replace("\n", "\n    "),
            "js": JS_BIG + f"exports.request = function (req, ctx) {{ {js} }};"}


def pair(name, code, bad, good, **control):
    """`bad` and `good` are (lua, python, js) statements of a request hook."""
    case(f"bad.{name}", "refused, nothing of it reaches the wire, the log names why", **wrap(*bad),
         status=500, code=code, forwarded=False, not_in_reply=["evil"])
    case(f"bad.{name}.control", "the near-identical control passes", **wrap(*good), **control)


def values(family, code, template, rows, **control):
    """template: (lua, python, js) with %s for the value; rows: name -> ((lua, python, js) bad, the same good)."""
    for name, (bad, good) in rows.items():
        pair(f"{family}.{name}", code, tuple(t.replace("%s", v) for t, v in zip(template, bad)),
             tuple(t.replace("%s", v) for t, v in zip(template, good)), **control)


def same(text):
    return (text, text, text)


NULL = ("nil", "None", "undefined")

# ---- respond(status): 12 ----
values("respond_status", EXCEPTION, ("return lingate.respond(%s)", "return lingate.respond(%s)", "return lingate.respond(%s);"), {
    "zero": (same("0"), same("200")),
    "below_200": (same("199"), same("200")),
    "continue": (same("100"), same("200")),
    "above_599": (same("600"), same("200")),
    "thousand": (same("1000"), same("200")),
    "negative": (same("-200"), same("200")),
    "text": (same('"abc"'), same("200")),
    "fraction": (same("200.5"), same("200.0")),
    "nan": (("0/0", 'float("nan")', "NaN"), same("200")),
    "infinite": (("1/0", 'float("inf")', "Infinity"), same("200")),
    "boolean": (("true", "True", "true"), same("200")),
    "list": (("{200}", "[200]", "[200]"), same("200")),
    "nothing": (NULL, same("200")),
}, status=200, reply=b"", forwarded=False)

# ---- respond(200, body): 7 ----
values("respond_body", EXCEPTION, ("return lingate.respond(200, %s)", "return lingate.respond(200, %s)", "return lingate.respond(200, %s);"), {
    "function": (("print", "print", "print"), ('"x"', '"x"', '"x"')),
    "number": (same("5"), same('"5"')),
    "boolean": (("true", "True", "true"), same('"true"')),
    "nan_inside": (("{a = 0/0}", '{"a": float("nan")}', "{a: NaN}"), ("{a = 0}", '{"a": 0}', "{a: 0}")),
    "infinity_inside": (("{a = {1/0}}", '{"a": [float("inf")]}', "{a: [Infinity]}"), ("{a = {1}}", '{"a": [1]}', "{a: [1]}")),
    "function_inside": (("{a = print}", '{"a": print}', "{a: print}"), ('{a = "print"}', '{"a": "print"}', '{a: "print"}')),
    "request_object": (same("req"), ("{p = req.path}", '{"p": req.path}', "{p: req.path}")),
}, status=200, forwarded=False)
pair("respond_body.cycle", EXCEPTION,
     ("local t = {}; t.t = t; return lingate.respond(200, t)", 't = {}\nt["t"] = t\nreturn lingate.respond(200, t)',
      "var t = {}; t.t = t; return lingate.respond(200, t);"),
     ("local t = {}; t.t = {}; return lingate.respond(200, t)", 't = {}\nt["t"] = {}\nreturn lingate.respond(200, t)',
      "var t = {}; t.t = {}; return lingate.respond(200, t);"), reply=b'{"t":{}}', forwarded=False)

# ---- respond(200, "", headers): 12 ----
values("respond_headers", EXCEPTION,
       ('return lingate.respond(200, "", %s)', 'return lingate.respond(200, "", %s)', 'return lingate.respond(200, "", %s);'), {
           "text": (same('"X: 1"'), ('{["X"] = "1"}', '{"X": "1"}', '{"X": "1"}')),
           "value_with_crlf": (('{["X"] = "a\\r\\nevil: 1"}', '{"X": "a\\r\\nevil: 1"}', '{"X": "a\\r\\nevil: 1"}'),
                               ('{["X"] = "a  evil: 1"}',) + ('{"X": "a  evil: 1"}',) * 2),
           "value_with_nul": (('{["X"] = "a\\0b"}', '{"X": "a\\0b"}', '{"X": "a\\0b"}'), ('{["X"] = "ab"}',) + ('{"X": "ab"}',) * 2),
           "value_with_control": (('{["X"] = "a\\x0bb"}', '{"X": "a\\x0bb"}', '{"X": "a\\x0bb"}'), ('{["X"] = "ab"}',) + ('{"X": "ab"}',) * 2),
           "value_number": (('{["X"] = 5}',) + ('{"X": 5}',) * 2, ('{["X"] = "5"}',) + ('{"X": "5"}',) * 2),
           "value_null": (('{["X"] = lingate.null}', '{"X": None}', '{"X": null}'), ('{["X"] = ""}',) + ('{"X": ""}',) * 2),
           "value_map": (('{["X"] = {a = "1"}}',) + ('{"X": {"a": "1"}}',) * 2, ('{["X"] = {"1"}}',) + ('{"X": ["1"]}',) * 2),
           "name_with_space": (('{["X Y"] = "1"}',) + ('{"X Y": "1"}',) * 2, ('{["X-Y"] = "1"}',) + ('{"X-Y": "1"}',) * 2),
           "name_empty": (('{[""] = "1"}',) + ('{"": "1"}',) * 2, ('{["X"] = "1"}',) + ('{"X": "1"}',) * 2),
           "name_with_colon": (('{["X:"] = "1"}',) + ('{"X:": "1"}',) * 2, ('{["X"] = "1"}',) + ('{"X": "1"}',) * 2),
           "content_length": (('{["Content-Length"] = "99"}',) + ('{"Content-Length": "99"}',) * 2, ('{["X"] = "99"}',) + ('{"X": "99"}',) * 2),
           "transfer_encoding": (('{["Transfer-Encoding"] = "chunked"}',) + ('{"Transfer-Encoding": "chunked"}',) * 2,
                                 ('{["X"] = "chunked"}',) + ('{"X": "chunked"}',) * 2),
       }, status=200, reply=b"", forwarded=False)

# ---- req.headers[...] = ...: 16 ----
values("header_value", EXCEPTION, ('req.headers["X-A"] = %s', 'req.headers["X-A"] = %s', 'req.headers["X-A"] = %s;'), {
    "number": (same("5"), same('"5"')),
    "boolean": (("true", "True", "true"), same('"true"')),
    "map": (('{a = "1"}', '{"a": "1"}', '{a: "1"}'), ('{"1"}', '["1"]', '["1"]')),
    "list_with_a_number": (('{"a", 1}', '["a", 1]', '["a", 1]'), ('{"a", "1"}', '["a", "1"]', '["a", "1"]')),
    "cr": (same('"a\\revil"'), same('"a evil"')),
    "lf": (same('"a\\nevil: 1"'), same('"a evil: 1"')),
    "nul": (same('"a\\0b"'), same('"ab"')),
    "control": (same('"a\\x01b"'), same('"a\\tb"')),
    "delete": (same('"a\\x7fb"'), same('"a~b"')),
    "crlf_in_a_list": (('{"a", "b\\r\\nevil: 1"}', '["a", "b\\r\\nevil: 1"]', '["a", "b\\r\\nevil: 1"]'), ('{"a", "b"}', '["a", "b"]', '["a", "b"]')),
    "too_long": (('string.rep("x", 20000)', '"x" * 20000', 'new Array(20001).join("x")'), ('string.rep("x", 200)', '"x" * 200', 'new Array(201).join("x")')),
    "function": (("print", "print", "print"), same('"print"')),
}, forwarded=True)
values("header_name", EXCEPTION, ('req.headers[%s] = "1"', 'req.headers[%s] = "1"', 'req.headers[%s] = "1";'), {
    "space": (same('"X A"'), same('"X-A"')),
    "crlf": (same('"X\\r\\nevil"'), same('"X-A"')),
    "empty": (same('""'), same('"X"')),
    "not_ascii": (("\"X\\195\\169\"", '"Xé"', '"Xé"'), same('"Xe"')),
    "connection": (same('"Connection"'), same('"X-Connection"')),
    "keep_alive": (same('"Keep-Alive"'), same('"X-Keep-Alive"')),
    "proxy_connection": (same('"proxy-connection"'), same('"x-proxy-connection"')),
    "te": (same('"TE"'), same('"X-TE"')),
    "trailer": (same('"Trailer"'), same('"X-Trailer"')),
    "transfer_encoding": (same('"transfer-encoding"'), same('"x-transfer-encoding"')),
    "upgrade": (same('"Upgrade"'), same('"X-Upgrade"')),
    "content_length": (same('"Content-Length"'), same('"X-Content-Length"')),
}, forwarded=True)
pair("header_count", EXCEPTION,
     ('for i = 1, 1000000 do req.headers:add("X-" .. i, "1") end', 'for i in range(1000000): req.headers.add(f"X-{i}", "1")',
      'for (var i = 0; i < 1000000; i++) req.headers.add("X-" + i, "1");'),
     ('for i = 1, 20 do req.headers:add("X-" .. i, "1") end', 'for i in range(20): req.headers.add(f"X-{i}", "1")',
      'for (var i = 0; i < 20; i++) req.headers.add("X-" + i, "1");'), forwarded=True)
values("header_add", EXCEPTION, ('req.headers:add("X-A", %s)', 'req.headers.add("X-A", %s)', 'req.headers.add("X-A", %s);'), {
    "list": (('{"a"}', '["a"]', '["a"]'), same('"a"')),
    "nothing": (NULL, same('""')),
    "crlf": (same('"a\\r\\nevil: 1"'), same('"a"')),
}, forwarded=True)

# ---- method, path, query: 8 ----
values("method", EXCEPTION, ("req.method = %s", "req.method = %s", "req.method = %s;"), {
    "empty": (same('""'), same('"PUT"')),
    "space": (same('"GET /evil"'), same('"PUT"')),
    "number": (same("5"), same('"PUT"')),
}, forwarded=True)
values("path", EXCEPTION, ("req.path = %s", "req.path = %s", "req.path = %s;"), {
    "relative": (same('"evil"'), same('"/x"')),
    "space": (same('"/a b"'), same('"/a%20b"')),
    "crlf": (same('"/a\\r\\nevil: 1"'), same('"/a"')),
    "question_mark": (same('"/a?evil"'), same('"/a"')),
    "cut_triplet": (same('"/a%2"'), same('"/a%2F"')),
    "nothing": (NULL, same('"/"')),
    "too_long": (('"/" .. string.rep("x", 20000)', '"/" + "x" * 20000', '"/" + new Array(20001).join("x")'), same('"/x"')),
}, forwarded=True)
values("query", EXCEPTION, ("req.query = %s", "req.query = %s", "req.query = %s;"), {
    "space": (same('"a b"'), same('"a+b"')),
    "lf": (same('"a\\nevil"'), same('"a"')),
    "fragment": (same('"a#b"'), same('"a%23b"')),
}, forwarded=True)

# ---- ctx: 11 ----
values("ctx", INVALID, ("ctx.v = %s", 'ctx["v"] = %s', "ctx.v = %s;"), {
    "nan": (("0/0", 'float("nan")', "NaN"), same("0")),
    "infinity": (("1/0", 'float("inf")', "Infinity"), same("1")),
    "function": (("print", "print", "print"), same('"print"')),
    "request_object": (same("req"), same("req.path")),
    "too_large": (('string.rep("x", 70000)', '"x" * 70000', 'new Array(70001).join("x")'), ('string.rep("x", 60000)', '"x" * 60000', 'new Array(60001).join("x")')),
    "headers_object": (same("req.headers"), ('req.headers["Host"]',) * 3),
    "respond_object": (("lingate.respond(200)",) * 3, same("200")),
    "function_deep_inside": (("{a = {{b = print}}}", '{"a": [{"b": print}]}', "{a: [{b: print}]}"), ("{a = {{b = 1}}}", '{"a": [{"b": 1}]}', "{a: [{b: 1}]}")),
}, forwarded=True)
pair("ctx.cycle", INVALID, ("ctx.t = {}; ctx.t.t = ctx.t", 'ctx["t"] = {}\nctx["t"]["t"] = ctx["t"]', "ctx.t = {}; ctx.t.t = ctx.t;"),
     ("ctx.t = {}; ctx.t.t = {}", 'ctx["t"] = {}\nctx["t"]["t"] = {}', "ctx.t = {}; ctx.t.t = {};"), forwarded=True)
for depth, name in ((40, "too_deep"),):
    build = ("local t = {}; for i = 1, %d do t = {t} end; ctx.t = t", "t = []\nfor i in range(%d): t = [t]\nctx['t'] = t",
             "var t = []; for (var i = 0; i < %d; i++) t = [t]; ctx.t = t;")
    pair(f"ctx.{name}", INVALID, tuple(b % depth for b in build), tuple(b % 20 for b in build), forwarded=True)

# ---- session: 10 ----
values("session", EXCEPTION, ("req.session = %s", "req.session = %s", "req.session = %s;"), {
    "without_id": (('{org = "o"}', '{"org": "o"}', '{org: "o"}'), ('{id = "u"}', '{"id": "u"}', '{id: "u"}')),
    "empty_id": (('{id = ""}', '{"id": ""}', '{id: ""}'), ('{id = "u"}', '{"id": "u"}', '{id: "u"}')),
    "number_id": (("{id = 5}", '{"id": 5}', "{id: 5}"), ('{id = "5"}', '{"id": "5"}', '{id: "5"}')),
    "unknown_field": (('{id = "u", colour = "x"}', '{"id": "u", "colour": "x"}', '{id: "u", colour: "x"}'), ('{id = "u", alias = "x"}', '{"id": "u", "alias": "x"}', '{id: "u", alias: "x"}')),
    "text": (same('"u"'), ('{id = "u"}', '{"id": "u"}', '{id: "u"}')),
    "list": (('{"u"}', '["u"]', '["u"]'), ('{id = "u"}', '{"id": "u"}', '{id: "u"}')),
    "tags_text": (('{id = "u", tags = "a"}', '{"id": "u", "tags": "a"}', '{id: "u", tags: "a"}'), ('{id = "u", tags = {"a"}}', '{"id": "u", "tags": ["a"]}', '{id: "u", tags: ["a"]}')),
    "tags_with_a_number": (('{id = "u", tags = {1}}', '{"id": "u", "tags": [1]}', '{id: "u", tags: [1]}'), ('{id = "u", tags = {"1"}}', '{"id": "u", "tags": ["1"]}', '{id: "u", tags: ["1"]}')),
    "metadata_list": (('{id = "u", metadata = {1}}', '{"id": "u", "metadata": [1]}', '{id: "u", metadata: [1]}'), ('{id = "u", metadata = {a = 1}}', '{"id": "u", "metadata": {"a": 1}}', '{id: "u", metadata: {a: 1}}')),
    "rate_negative": (('{id = "u", rate = -1}', '{"id": "u", "rate": -1}', '{id: "u", rate: -1}'), ('{id = "u", rate = 0}', '{"id": "u", "rate": 0}', '{id: "u", rate: 0}')),
    "rate_text": (('{id = "u", rate = "5"}', '{"id": "u", "rate": "5"}', '{id: "u", rate: "5"}'), ('{id = "u", rate = 5}', '{"id": "u", "rate": 5}', '{id: "u", rate: 5}')),
    "function_in_metadata": (('{id = "u", metadata = {a = print}}', '{"id": "u", "metadata": {"a": print}}', '{id: "u", metadata: {a: print}}'),
                             ('{id = "u", metadata = {a = "print"}}', '{"id": "u", "metadata": {"a": "print"}}', '{id: "u", metadata: {a: "print"}}')),
}, forwarded=True)

# ---- body: 5 ----
values("body", EXCEPTION, ("req.body = %s", "req.body = %s", "req.body = %s;"), {
    "number": (same("5"), same('"5"')),
    "boolean": (("true", "True", "true"), same('"true"')),
    "map": (("{a = 1}", '{"a": 1}', "{a: 1}"), ("lingate.json.encode({a = 1})", 'lingate.json.encode({"a": 1})', "lingate.json.encode({a: 1})")),
    "function": (("print", "print", "print"), same('"print"')),
    "over_the_limit": (('string.rep("x", 11534336)', '"x" * 11534336', 'big()'), same('"x"')),
}, forwarded=True, method="POST", body=b"b")

# ---- the module, of what is absent: 8 ----
ABSENT = ("nil", "None", "null")
for function, call, good in (("equal_first", 'crypto.equal(%s, "")', '""'), ("equal_second", 'crypto.equal("", %s)', '""'),
                             ("hmac_key", 'crypto.hmac(%s, "x")', '"k"'), ("hmac_data", 'crypto.hmac("k", %s)', '""'),
                             ("sha256", "crypto.sha256(%s)", '""'), ("base64_encode", "base64.encode(%s)", '""'),
                             ("base64_decode", "base64.decode(%s)", '""'), ("query_parse", "query.parse(%s)", '""')):
    values("absent", EXCEPTION, (f"local v = lingate.{call}", f"lingate.{call}", f"lingate.{call};"),
           {function: (ABSENT, same(good))}, forwarded=True)

# ---- return values: 6 ----
values("returned", INVALID, ("return %s", "return %s", "return %s;"), {
    "number": (same("5"), NULL),
    "text": (same('"evil"'), NULL),
    "boolean": (("true", "True", "true"), NULL),
    "map": (("{status = 200}", '{"status": 200}', "{status: 200}"), NULL),
    "list": (("{1}", "[1]", "[1]"), NULL),
    "function": (("print", "print", "print"), NULL),
    "request": (same("req"), NULL),
}, forwarded=True)
