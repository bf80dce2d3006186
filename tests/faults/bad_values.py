"""Bad values beside those of tests/conformance, in its form: each is refused with its code, a near-identical one passes.

These are about what the request hook cannot show: the response side, texts that JSON cannot hold, giants.
"""
EXCEPTION, INVALID, MEMORY = "LG3001", "LG3004", "LG3003"


def bad_values(case):
    def pair(name, code, bad, good, hook="request", **control):
        for suffix, bodies, outcome in (("", bad, {"status": 500, "code": code, "not_in_reply": ["evil"]}), (".control", good, control)):
            case(f"bad.{name}{suffix}", "refused, nothing of it reaches the wire, the log names why", **wrap(hook, *bodies),
                 options="budget: 5s", **outcome)

    def values(family, code, template, rows, **control):
        for name, (bad, good) in rows.items():
            pair(f"{family}.{name}", code, tuple(t.replace("%s", v) for t, v in zip(template, bad)),
                 tuple(t.replace("%s", v) for t, v in zip(template, good)), **control)

    response_side(values, pair)
    json_texts(values)
    giants(pair)


def wrap(hook, lua, python, js):
    head = {"request": "req, ctx", "response": "res, req, ctx"}[hook]
    return {"lua": f"function M.{hook}({head}) {lua} end", "python": f"def {hook}({head}):\n    " + python.replace("\n", "\n    "),
            "js": f"exports.{hook} = function ({head}) {{ {js} }};"}


def same(text):
    return (text, text, text)


def each(text):
    return (text, text, text + ";")


NULL = ("nil", "None", "undefined")


def response_side(values, pair):
    values("res_status", EXCEPTION, each("res.status = %s"), {
        "zero": (same("0"), same("201")), "below_200": (same("199"), same("201")), "above_599": (same("600"), same("201")),
        "thousand": (same("1000"), same("201")), "text": (same('"abc"'), same("201")), "fraction": (same("200.5"), same("201.0")),
        "nan": (("0/0", 'float("nan")', "NaN"), same("201")), "boolean": (("true", "True", "true"), same("201")),
        "nothing": (NULL, same("201")), "list": (("{201}", "[201]", "[201]"), same("201")),
    }, hook="response", status=201)
    values("res_header", EXCEPTION, each('res.headers["X-A"] = %s'), {
        "crlf": (same('"a\\r\\nevil: 1"'), same('"a  evil: 1"')), "nul": (same('"a\\0b"'), same('"ab"')),
        "number": (same("5"), same('"5"')), "function": (("print", "print", "print"), same('"print"')),
        "map": (('{a = "1"}', '{"a": "1"}', '{a: "1"}'), ('{"1"}', '["1"]', '["1"]')),
    }, hook="response", status=200)
    values("res_header_name", EXCEPTION, each('res.headers[%s] = "evil"'), {
        "crlf": (same('"X\\r\\nevil"'), same('"X-Evil"')), "space": (same('"X A"'), same('"X-A"')),
        "content_length": (same('"Content-Length"'), same('"X-Content-Length"')),
        "transfer_encoding": (same('"Transfer-Encoding"'), same('"X-Transfer-Encoding"')),
        "connection": (same('"Connection"'), same('"X-Connection"')),
    }, hook="response", status=200)
    values("res_body", EXCEPTION, each("res.body = %s"), {
        "number": (same("5"), same('"5"')), "boolean": (("true", "True", "true"), same('"true"')),
        "map": (("{a = 1}", '{"a": 1}', "{a: 1}"), same('"a"')), "function": (("print", "print", "print"), same('"print"')),
    }, hook="response", status=200)
    values("returned_by_response", INVALID, ("return %s", "return %s", "return %s;"), {
        "number": (same("5"), NULL), "text": (same('"evil"'), NULL), "list": (("{1}", "[1]", "[1]"), NULL),
        "response": (same("res"), NULL),
    }, hook="response", status=200)
    values("written_in_response", EXCEPTION, each("%s"), {
        "request_path": (same('req.path = "/evil"'), ('local p = req.path', "p = req.path", "var p = req.path")),
        "request_header": (same('req.headers["X-A"] = "evil"'),
                           ('local p = req.headers["Host"]', 'p = req.headers["Host"]', 'var p = req.headers["Host"]')),
    }, hook="response", status=200)


def json_texts(values):
    values("encoded", EXCEPTION, ("local v = lingate.json.encode(%s)", "lingate.json.encode(%s)", "lingate.json.encode(%s);"), {
        "nan": (("0/0", 'float("nan")', "NaN"), same("0")), "infinity": (("{1/0}", '[float("inf")]', "[Infinity]"), ("{1}", "[1]", "[1]")),
        "function": (("print", "print", "print"), same('"print"')), "request": (same("req"), same("req.path")),
        "no_utf8": (('"\\255"', 'b"\\xff"', '"\\ud800"'), same('"x"')),
    }, status=200)
    values("decoded", EXCEPTION, ("local v = lingate.json.decode(%s)", "lingate.json.decode(%s)", "lingate.json.decode(%s);"), {
        "nothing": (same('""'), same('"null"')), "half": (same("'{\"a\": '"), same("'{\"a\": 1}'")),
        "two": (same('"1 2"'), same('"[1, 2]"')), "nan": (same('"NaN"'), same('"null"')),
        "comment": (same('"1 // one"'), same('"1"')), "single_quotes": (same("\"{'a': 1}\""), same("'{\"a\": 1}'")),
        "leading_zero": (same('"01"'), same('"10"')), "control_character": (same("'\"a\\nb\"'"), same("'\"ab\"'")),
        "too_deep": (('string.rep("[", 10000) .. string.rep("]", 10000)', '"[" * 10000 + "]" * 10000', '"[".repeat(10000) + "]".repeat(10000)'),
                     ('string.rep("[", 20) .. string.rep("]", 20)', '"[" * 20 + "]" * 20', '"[".repeat(20) + "]".repeat(20)')),
    }, status=200)


def giants(pair):
    pair("body.a_gibibyte", MEMORY, ('req.body = string.rep("x", 2 ^ 30)', 'req.body = "x" * 2**30', 'req.body = "x".repeat(1073741824);'),
         ('req.body = string.rep("x", 2 ^ 10)', 'req.body = "x" * 2**10', 'req.body = "x".repeat(1024);'), status=200)
    pair("respond_body.a_gibibyte", MEMORY,
         ('return lingate.respond(200, string.rep("x", 2 ^ 30))', 'return lingate.respond(200, "x" * 2**30)',
          'return lingate.respond(200, "x".repeat(1073741824));'),
         ('return lingate.respond(200, string.rep("x", 2 ^ 10))', 'return lingate.respond(200, "x" * 2**10)',
          'return lingate.respond(200, "x".repeat(1024));'), status=200)
    pair("respond_headers.a_million", EXCEPTION,
         ('local h = {} for i = 1, 100000 do h["X-" .. i] = "1" end return lingate.respond(200, "", h)',
          'return lingate.respond(200, "", {f"X-{i}": "1" for i in range(100000)})',
          'var h = {}; for (var i = 0; i < 100000; i++) h["X-" + i] = "1"; return lingate.respond(200, "", h);'),
         ('local h = {} for i = 1, 10 do h["X-" .. i] = "1" end return lingate.respond(200, "", h)',
          'return lingate.respond(200, "", {f"X-{i}": "1" for i in range(10)})',
          'var h = {}; for (var i = 0; i < 10; i++) h["X-" + i] = "1"; return lingate.respond(200, "", h);'), status=200)
