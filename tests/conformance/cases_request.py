"""What `req` and `res` hold, and what writing to them does."""
from case import case

case("request.fields_are_what_the_client_sent",
     "req: id, method, scheme, host, path, query, version, params, headers, body, client (ip, port), route, session",
     lua='''function M.request(req)
  return lingate.respond(200, {method = req.method, scheme = req.scheme, host = req.host, path = req.path, query = req.query,
    version = req.version, ip = req.client.ip, port = req.client.port > 0, route = req.route, id = #req.id, anonymous = req.session == nil})
end''',
     python='''def request(req):
    return lingate.respond(200, {"method": req.method, "scheme": req.scheme, "host": req.host, "path": req.path,
        "query": req.query, "version": req.version, "ip": req.client.ip, "port": req.client.port > 0, "route": req.route,
        "id": len(req.id), "anonymous": req.session is None})''',
     js='''exports.request = function (req) {
  return lingate.respond(200, {method: req.method, scheme: req.scheme, host: req.host, path: req.path, query: req.query,
    version: req.version, ip: req.client.ip, port: req.client.port > 0, route: req.route, id: req.id.length,
    anonymous: !req.session});
};''',
     method="DELETE", target="/a/b?x=1&y=%20",
     reply={"method": "DELETE", "scheme": "http", "host": "request-fields-are-what-the-client-sent.test", "path": "/a/b",
            "query": "x=1&y=%20", "version": "1.1", "ip": "127.0.0.1", "port": True,
            "route": "request.fields_are_what_the_client_sent", "id": 36, "anonymous": True})

case("request.path_is_the_normalised_one",
     "path is the normalised one, query raw without ?",
     lua='function M.request(req) return lingate.respond(200, {p = req.path, q = req.query}) end',
     python='def request(req): return lingate.respond(200, {"p": req.path, "q": req.query})',
     js='exports.request = function (req) { return lingate.respond(200, {p: req.path, q: req.query}); };',
     target="/a//b/./c/../%64%2Fe?q=%41&r=a%2Fb", reply={"p": "/a/b/d%2Fe", "q": "q=%41&r=a%2Fb"})

case("request.params_are_decoded_once",
     "params decoded once with the wildcard's rest under *",
     lua='function M.request(req) return lingate.respond(200, {id = req.params.id, rest = req.params["*"], no = req.params.no == nil}) end',
     python='def request(req): return lingate.respond(200, {"id": req.params["id"], "rest": req.params["*"], "no": req.params.get("no") is None})',
     js='exports.request = function (req) { return lingate.respond(200, {id: req.params.id, rest: req.params["*"], no: req.params.no === undefined}); };',
     path="/u/{id}/*", target="/u/a%2520b%2F/x/y%20z", reply={"id": "a%20b/", "rest": "x/y z", "no": True})

case("request.method_path_and_query_are_writable",
     "Writing validates and never re-routes",
     lua='function M.request(req) req.method = "PUT"; req.path = "/other"; req.query = "n=1" end',
     python='def request(req):\n    req.method = "PUT"\n    req.path = "/other"\n    req.query = "n=1"',
     js='exports.request = function (req) { req.method = "PUT"; req.path = "/other"; req.query = "n=1"; };',
     target="/p?x=1", method="POST", body=b"b", upstream_line="PUT /other?n=1 HTTP/1.1", upstream_body=b"b")

case("request.an_empty_query_has_no_question_mark",
     "query is raw without ?; an empty one removes it",
     lua='function M.request(req) req.query = "" end',
     python='def request(req): req.query = ""',
     js='exports.request = function (req) { req.query = ""; };',
     target="/p?x=1", upstream_line="GET /p HTTP/1.1")

case("request.untouched_targets_go_out_byte_for_byte",
     "A path already in that form, and every query, goes upstream byte for byte",
     lua='function M.request(req) req.headers["X"] = req.path end',
     python='def request(req): req.headers["X"] = req.path',
     js='exports.request = function (req) { req.headers["X"] = req.path; };',
     target="/a%2Fb;v=1?x=%41&&=", upstream_line="GET /a%2Fb;v=1?x=%41&&= HTTP/1.1")

for name, lua, python, js in (
        ("writing_a_read_only_field", 'req.host = "x"', 'req.host = "x"', 'req.host = "x";'),
        ("writing_an_unknown_field", 'req.colour = "x"', 'req.colour = "x"', 'req.colour = "x";'),
        ("reading_an_unknown_field", "local _ = req.colour", "req.colour", "var c = req.colour;")):
    case(f"request.{name}_is_an_error", "names that req does not have are errors, not silence",
         lua=f"function M.request(req) {lua} end", python=f"def request(req):\n    {python}",
         js=f"exports.request = function (req) {{ {js} }};", status=500, code="LG3001", forwarded=False)

case("response.status_headers_and_body_are_read",
     "res: status, headers, body",
     lua='function M.response(res) res.headers["X-Seen"] = res.status .. res.headers["X-A"] .. res:text() end',
     python='def response(res): res.headers["X-Seen"] = str(res.status) + res.headers["X-A"] + res.text()',
     js='exports.response = function (res) { res.headers["X-Seen"] = res.status + res.headers["X-A"] + res.text(); };',
     options="body: response", origin=b"HTTP/1.1 404 No\r\nX-A: -\r\nContent-Length: 2\r\n\r\nno", status=404,
     reply_headers={"X-Seen": "404-no"}, reply=b"no")

case("response.status_is_writable",
     "res: write all three",
     lua="function M.response(res) res.status = 418 end", python="def response(res): res.status = 418",
     js="exports.response = function (res) { res.status = 418; };", status=418, reply=b"ok")

case("response.req_shows_what_was_sent_upstream",
     "In response, req shows what was sent upstream",
     lua='''function M.request(req) req.path = "/sent"; req.headers["X-A"] = "1" end
function M.response(res, req) res.headers["X-Sent"] = req.path .. req.headers["X-A"] end''',
     python='''def request(req):
    req.path = "/sent"
    req.headers["X-A"] = "1"
def response(res, req): res.headers["X-Sent"] = req.path + req.headers["X-A"]''',
     js='''exports.request = function (req) { req.path = "/sent"; req.headers["X-A"] = "1"; };
exports.response = function (res, req) { res.headers["X-Sent"] = req.path + req.headers["X-A"]; };''',
     reply_headers={"X-Sent": "/sent1"})

case("response.req_is_read_only",
     "and is read-only but for session tags and metadata",
     lua='function M.response(res, req) req.headers["X"] = "1" end',
     python='def response(res, req): req.headers["X"] = "1"',
     js='exports.response = function (res, req) { req.headers["X"] = "1"; };', status=500, code="LG3001")

case("hooks.may_take_fewer_parameters",
     "a hook may take fewer parameters",
     lua='function M.request() end\nfunction M.response(res) res.headers["X-R"] = "1" end',
     python='def request(): pass\ndef response(res): res.headers["X-R"] = "1"',
     js='exports.request = function () {};\nexports.response = function (res) { res.headers["X-R"] = "1"; };',
     reply_headers={"X-R": "1"})

case("hooks.log_runs_after_the_last_byte_and_is_read_only",
     "log runs in chain order ... everything is read-only",
     lua='''function M.log(res, req, ctx)
  local ok = pcall(function() res.status = 500 end)
  lingate.log.info("log hook " .. req.path .. " " .. res.status .. " " .. tostring(ok))
end''',
     python='''def log(res, req, ctx):
    ok = "true"
    try:
        res.status = 500
    except Exception:
        ok = "false"
    lingate.log.info("log hook " + req.path + " " + str(res.status) + " " + ok)''',
     js='''exports.log = function (res, req, ctx) {
  var ok = true;
  try { res.status = 500; } catch (error) { ok = false; }
  lingate.log.info("log hook " + req.path + " " + res.status + " " + ok);
};''',
     target="/log/me", log=["log hook /log/me 200 false"])

case("hooks.a_failing_log_hook_is_only_logged",
     "and its failures are only logged",
     lua='function M.log() error("in the log hook") end',
     python='def log(): raise ValueError("in the log hook")',
     js='exports.log = function () { throw new Error("in the log hook"); };', log=["in the log hook"])

case("hooks.return_values_other_than_nothing_are_errors",
     "Any other return value but nothing is a script error",
     lua="function M.request() return 5 end", python="def request(): return 5",
     js="exports.request = function () { return 5; };", status=500, code="LG3004", forwarded=False)

case("hooks.an_unreturned_answer_is_not_sent",
     "Returned from request it stops the chain",
     lua='function M.request() lingate.respond(403, "no") end', python='def request(): lingate.respond(403, "no")',
     js='exports.request = function () { lingate.respond(403, "no"); };', reply=b"ok")

case("instance.module_state_lasts_between_calls",
     "Module state is per instance and lasts between calls; init runs once per instance",
     lua='''local count = 0
function M.init(config) count = config.start end
function M.request() count = count + 1; return lingate.respond(200, {count = count}) end''',
     python='''count = 0
def init(config):
    global count
    count = config["start"]
def request():
    global count
    count += 1
    return lingate.respond(200, {"count": count})''',
     js='''var count = 0;
exports.init = function (config) { count = config.start; };
exports.request = function () { count += 1; return lingate.respond(200, {count: count}); };''',
     config="{start: 41}", reply={"count": 42})

case("instance.config_crosses_whole",
     "config holds null, booleans, numbers, strings, lists and maps",
     lua='function M.request() return lingate.respond(200, lingate.config) end',
     python="def request(): return lingate.respond(200, lingate.config)",
     js="exports.request = function () { return lingate.respond(200, lingate.config); };",
     config='{a: null, b: true, c: [1, 2.5, "x"], d: {e: "é", f: {}}}',
     reply={"a": None, "b": True, "c": [1, 2.5, "x"], "d": {"e": "é", "f": {}}})

case("instance.objects_of_a_call_that_is_over_raise",
     "kept and used later they raise an error, never crash, and never show another request",
     lua='''local kept
function M.request(req)
  kept = req
end
function M.response(res)
  local ok, message = pcall(function() return kept.path end)
  res.headers["X-Stale"] = tostring(not ok and message:find("over", 1, true) ~= nil)
end''',
     python='''kept = None
def request(req):
    global kept
    kept = req
def response(res):
    try:
        kept.path
        stale = "false"
    except Exception as error:
        stale = str("over" in str(error)).lower()
    res.headers["X-Stale"] = stale''',
     js='''var kept;
exports.request = function (req) { kept = req; };
exports.response = function (res) {
  var stale = false;
  try { kept.path; } catch (error) { stale = error.message.indexOf("over") >= 0; }
  res.headers["X-Stale"] = String(stale);
};''', reply_headers={"X-Stale": "true"})

case("instance.modules_beside_the_script_are_found",
     "require finds modules beside the script only; imports beside the script in Python",
     lua='local helper = require("helper")\nfunction M.request() return lingate.respond(200, {v = helper.value}) end',
     python="import helper\ndef request(): return lingate.respond(200, {'v': helper.value})",
     js='var helper = require("./helper");\nexports.request = function () { return lingate.respond(200, {v: helper.value}); };',
     files={"helper": {"lua": "return {value = 7}", "python": "value = 7", "js": "exports.value = 7;"}}, reply={"v": 7})

case("instance.same_names_in_different_folders_do_not_clash",
     "two scripts of the same name in different folders not clashing",
     lua='local helper = require("helper")\nfunction M.request() return lingate.respond(200, {v = helper.value}) end',
     python="import helper\ndef request(): return lingate.respond(200, {'v': helper.value})",
     js='var helper = require("./helper");\nexports.request = function () { return lingate.respond(200, {v: helper.value}); };',
     files={"helper": {"lua": "return {value = 8}", "python": "value = 8", "js": "exports.value = 8;"}}, reply={"v": 8})
