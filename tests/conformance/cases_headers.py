"""Headers of requests and responses."""
from case import case

A = [("B", "1"), ("X-A", "old"), ("C", "2"), ("x-a", "other"), ("D", "3")]

case("headers.reading_ignores_case_and_gives_the_first_line",
     "headers[name] is case-insensitive and reads the first line's value",
     lua='function M.request(req) return lingate.respond(200, {a = req.headers["x-A"]}) end',
     python='def request(req): return lingate.respond(200, {"a": req.headers["x-A"]})',
     js='exports.request = function (req) { return lingate.respond(200, {a: req.headers["x-A"]}); };',
     headers=A, reply={"a": "old"}, forwarded=False)

case("headers.a_missing_one_reads_as_nothing",
     "missing: nil, undefined, KeyError (.get gives None; in works)",
     lua='''function M.request(req)
  return lingate.respond(200, {missing = req.headers["No"] == nil, has = req.headers["B"] ~= nil})
end''',
     python='''def request(req):
    try:
        req.headers["No"]
        raised = False
    except KeyError:
        raised = True
    missing = raised and req.headers.get("No") is None and "No" not in req.headers
    return lingate.respond(200, {"missing": missing, "has": "b" in req.headers})''',
     js='''exports.request = function (req) {
  var missing = req.headers["No"] === undefined && !("No" in req.headers);
  return lingate.respond(200, {missing: missing, has: "b" in req.headers});
};''',
     headers=A, reply={"missing": True, "has": True})

case("headers.assigning_a_string_replaces_the_first_line_in_place",
     "Assigning a string replaces the first such line in place, drops the others, with the name as written",
     lua='function M.request(req) req.headers["x-A"] = "new" end',
     python='def request(req): req.headers["x-A"] = "new"',
     js='exports.request = function (req) { req.headers["x-A"] = "new"; };',
     headers=A, upstream=[("B", "1"), ("x-A", "new"), ("C", "2"), ("D", "3")])

case("headers.assigning_a_list_replaces_with_several_lines",
     "Assigning a list of strings replaces the first such line in place, drops the others",
     lua='function M.request(req) req.headers["X-A"] = {"n1", "n2"} end',
     python='def request(req): req.headers["X-A"] = ["n1", "n2"]',
     js='exports.request = function (req) { req.headers["X-A"] = ["n1", "n2"]; };',
     headers=A, upstream=[("B", "1"), ("X-A", "n1"), ("X-A", "n2"), ("C", "2"), ("D", "3")])

case("headers.assigning_what_is_missing_appends",
     "Assigning ... or appends, with the name as written",
     lua='function M.request(req) req.headers["X-NEW"] = "1" end',
     python='def request(req): req.headers["X-NEW"] = "1"',
     js='exports.request = function (req) { req.headers["X-NEW"] = "1"; };',
     headers=A, upstream=A + [("X-NEW", "1")])

for name, lua, python, js in (
        ("nothing", "nil", "None", "null"), ("null", "lingate.null", "lingate.null", "undefined"),
        ("an_empty_list", "{}", "[]", "[]")):
    case(f"headers.assigning_{name}_removes_every_line",
         "nil, None, null, undefined or an empty list removes",
         lua=f'function M.request(req) req.headers["X-A"] = {lua} end',
         python=f'def request(req): req.headers["X-A"] = {python}',
         js=f'exports.request = function (req) {{ req.headers["X-A"] = {js}; }};',
         headers=A, upstream=[("B", "1"), ("C", "2"), ("D", "3")])

case("headers.deleting_removes_every_line",
     "removing: del in Python, delete in JavaScript, nil in Lua",
     lua='function M.request(req) req.headers["x-a"] = nil end',
     python='def request(req):\n    del req.headers["x-a"]',
     js='exports.request = function (req) { delete req.headers["x-a"]; };',
     headers=A, upstream=[("B", "1"), ("C", "2"), ("D", "3")])

case("headers.removing_what_is_missing_is_no_error",
     "removing what is missing is no error",
     lua='function M.request(req) req.headers["No"] = nil end',
     python='def request(req):\n    del req.headers["No"]\n    req.headers["No"] = None',
     js='exports.request = function (req) { delete req.headers["No"]; req.headers["No"] = null; };',
     headers=A, upstream=A)

case("headers.values_gives_every_line",
     "values(name)",
     lua='function M.request(req) return lingate.respond(200, {v = req.headers:values("X-a"), n = #req.headers:values("No")}) end',
     python='def request(req): return lingate.respond(200, {"v": list(req.headers.values("X-a")), "n": len(req.headers.values("No"))})',
     js='exports.request = function (req) { return lingate.respond(200, {v: req.headers.values("X-a"), n: req.headers.values("No").length}); };',
     headers=A, reply={"v": ["old", "other"], "n": 0})

case("headers.add_appends_a_line",
     "add(name, value)",
     lua='function M.request(req) req.headers:add("X-a", "third") end',
     python='def request(req): req.headers.add("X-a", "third")',
     js='exports.request = function (req) { req.headers.add("X-a", "third"); };',
     headers=A, upstream=A + [("X-a", "third")])

case("headers.lines_gives_pairs_in_order",
     "lines() (pairs in order; Lua calls with a colon)",
     lua='''function M.request(req)
  local out = {}
  for _, pair in ipairs(req.headers:lines()) do out[#out + 1] = pair[1] .. "=" .. pair[2] end
  return lingate.respond(200, out)
end''',
     python='def request(req): return lingate.respond(200, [n + "=" + v for n, v in req.headers.lines()])',
     js='''exports.request = function (req) {
  return lingate.respond(200, req.headers.lines().map(function (pair) { return pair[0] + "=" + pair[1]; }));
};''',
     headers=A, reply=["Host=headers-lines-gives-pairs-in-order.test", "B=1", "X-A=old", "C=2", "x-a=other", "D=3"])

case("headers.iteration_yields_distinct_names",
     "Plain iteration, where the language has it, yields distinct names",
     lua='''function M.request(req)
  local out = lingate.array({})
  for name in pairs(req.headers) do out[#out + 1] = name end
  return lingate.respond(200, out)
end''',
     python='def request(req): return lingate.respond(200, [name for name in req.headers])',
     js='''exports.request = function (req) {
  var out = [];
  for (var name in req.headers) out.push(name);
  return lingate.respond(200, out);
};''',
     headers=A, reply=["Host", "B", "X-A", "C", "D"])

case("headers.untouched_lines_go_out_byte_for_byte",
     "Lines that no script touched go out byte for byte, order and duplicates kept",
     lua='function M.request(req) local _ = req.headers["a"]; req.headers["Z"] = "9" end',
     python='def request(req):\n    req.headers.get("a")\n    req.headers["Z"] = "9"',
     js='exports.request = function (req) { var a = req.headers["a"]; req.headers["Z"] = "9"; };',
     headers=[("dUp", "1"), ("Mixed-CASE", "a  b\tc"), ("DUP", "2"), ("X-Bytes", "caf\xc3\xa9\xff")],
     upstream=[("dUp", "1"), ("Mixed-CASE", "a  b\tc"), ("DUP", "2"), ("X-Bytes", "caf\xc3\xa9\xff"), ("Z", "9")])

case("headers.bytes_that_are_not_utf8_survive",
     "What is not UTF-8 survives a round trip: Lua strings, Python surrogateescape text, JS one char per byte",
     lua='function M.request(req) req.headers["X-Copy"] = req.headers["X-Bytes"] end',
     python='def request(req): req.headers["X-Copy"] = req.headers["X-Bytes"]',
     js='exports.request = function (req) { req.headers["X-Copy"] = req.headers["X-Bytes"]; };',
     headers=[("X-Bytes", "\xff\x80caf\xc3\xa9")],
     upstream=[("X-Bytes", "\xff\x80caf\xc3\xa9"), ("X-Copy", "\xff\x80caf\xc3\xa9")])

case("headers.framing_fields_are_readable",
     "Framing and hop-by-hop fields are readable",
     lua='function M.request(req) return lingate.respond(200, {te = req.headers["TE"], n = req.headers["Content-Length"]}) end',
     python='def request(req): return lingate.respond(200, {"te": req.headers["TE"], "n": req.headers["Content-Length"]})',
     js='exports.request = function (req) { return lingate.respond(200, {te: req.headers["TE"], n: req.headers["Content-Length"]}); };',
     method="POST", body=b"abc", headers=[("TE", "trailers"), ("Connection", "TE")],
     reply={"te": "trailers", "n": "3"})

case("headers.a_refused_write_can_be_caught",
     "writing them ... raises a catchable script error at the assignment",
     lua='''function M.request(req)
  local ok, message = pcall(function() req.headers["Connection"] = "close" end)
  req.headers["X-Caught"] = tostring(not ok and type(message) == "string" and message:find("Connection", 1, true) ~= nil)
end''',
     python='''def request(req):
    caught = "false"
    try:
        req.headers["Connection"] = "close"
    except Exception as error:
        caught = str("Connection" in str(error)).lower()
    req.headers["X-Caught"] = caught''',
     js='''exports.request = function (req) {
  var caught = false;
  try { req.headers["Connection"] = "close"; } catch (error) { caught = error.message.indexOf("Connection") >= 0; }
  req.headers["X-Caught"] = String(caught);
};''',
     upstream=[("X-Caught", "true")])

case("headers.a_script_sees_its_own_writes",
     "reads see what was written before",
     lua='''function M.request(req)
  req.headers["X-A"] = {"1", "2"}
  req.headers:add("x-a", "3")
  return lingate.respond(200, {first = req.headers["x-a"], all = req.headers:values("X-A")})
end''',
     python='''def request(req):
    req.headers["X-A"] = ["1", "2"]
    req.headers.add("x-a", "3")
    return lingate.respond(200, {"first": req.headers["x-a"], "all": list(req.headers.values("X-A"))})''',
     js='''exports.request = function (req) {
  req.headers["X-A"] = ["1", "2"];
  req.headers.add("x-a", "3");
  return lingate.respond(200, {first: req.headers["x-a"], all: req.headers.values("X-A")});
};''',
     headers=A, reply={"first": "1", "all": ["1", "2", "3"]})

case("headers.a_later_step_sees_what_an_earlier_one_wrote",
     "later steps see edits",
     lua=['function M.request(req) req.headers["X-One"] = "1" end',
          'function M.request(req) req.headers["X-Two"] = req.headers["X-One"] .. "2" end'],
     python=['def request(req): req.headers["X-One"] = "1"',
             'def request(req): req.headers["X-Two"] = req.headers["X-One"] + "2"'],
     js=['exports.request = function (req) { req.headers["X-One"] = "1"; };',
         'exports.request = function (req) { req.headers["X-Two"] = req.headers["X-One"] + "2"; };'],
     upstream=[("X-One", "1"), ("X-Two", "12")])


RES = b"HTTP/1.1 201 Created\r\nX-A: old\r\nB: 1\r\nx-a: other\r\nContent-Length: 2\r\n\r\nok"

case("headers.response_lines_are_edited_in_place",
     "res: headers read and write",
     lua='function M.response(res) res.headers["X-A"] = "new"; res.headers:add("E", "5"); res.headers["B"] = nil end',
     python='def response(res):\n    res.headers["X-A"] = "new"\n    res.headers.add("E", "5")\n    del res.headers["B"]',
     js='exports.response = function (res) { res.headers["X-A"] = "new"; res.headers.add("E", "5"); delete res.headers["B"]; };',
     origin=RES, status=201, reply_headers={"X-A": "new", "E": "5", "B": None}, reply=b"ok")

case("headers.names_of_object_internals_are_plain_names",
     "a header may be called like a member of the language's objects",
     lua='function M.request(req) return lingate.respond(200, {b = req.headers["constructor"], c = req.headers["__proto__"] == nil}) end',
     python='def request(req): return lingate.respond(200, {"b": req.headers["constructor"], "c": "__proto__" not in req.headers})',
     js='exports.request = function (req) { return lingate.respond(200, {b: req.headers["constructor"], c: req.headers["__proto__"] === undefined}); };',
     headers=[("constructor", "c")], reply={"b": "c", "c": True})
