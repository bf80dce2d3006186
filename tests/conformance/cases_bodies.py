"""Bodies: buffered where a step asks for it, streamed where none does."""
from case import case

case("body.is_text_and_bytes",
     "Body: body as above, and text(), json() on req and res",
     lua='function M.request(req) return lingate.respond(200, {n = #req.body, t = req:text(), j = req:json().a}) end',
     python='def request(req): return lingate.respond(200, {"n": len(req.body), "t": req.text(), "j": req.json()["a"]})',
     js='exports.request = function (req) { return lingate.respond(200, {n: req.body.length, t: req.text(), j: req.json().a}); };',
     options="body: request", method="POST", body='{"a": "é"}'.encode(), reply={"n": 11, "t": '{"a": "é"}', "j": "é"})

case("body.assigned_text_goes_as_utf8",
     "Assigned text goes as UTF-8; a changed body has its length recomputed",
     lua='function M.request(req) req.body = "héllo" end', python='def request(req): req.body = "héllo"',
     js='exports.request = function (req) { req.body = "héllo"; };',
     method="POST", body=b"old", upstream_body="héllo".encode())

case("body.assigned_bytes_go_as_they_are",
     "assigned bytes as they are",
     lua='function M.request(req) req.body = "\\255\\0\\128" end', python='def request(req): req.body = b"\\xff\\x00\\x80"',
     js="exports.request = function (req) { req.body = new Uint8Array([255, 0, 128]); };",
     method="POST", body=b"old", upstream_body=b"\xff\x00\x80")

case("body.what_is_not_utf8_survives_a_round_trip",
     "Bytes: bodies are strings in Lua, bytes in Python, Uint8Array in JavaScript",
     lua="function M.request(req) req.body = req.body .. req.body end",
     python="def request(req): req.body = req.body + req.body",
     js='''exports.request = function (req) {
  var twice = new Uint8Array(req.body.length * 2);
  twice.set(req.body, 0);
  twice.set(req.body, req.body.length);
  req.body = twice;
};''',
     options="body: request", method="POST", body=bytes(range(256)), upstream_body=bytes(range(256)) * 2)

case("body.reading_without_asking_is_an_error",
     "Reading a body without body: is a script error",
     lua="function M.request(req) local _ = req.body end", python="def request(req): req.body",
     js="exports.request = function (req) { var b = req.body; };",
     method="POST", body=b"x", status=500, code="LG3001", forwarded=False)

case("body.assigning_without_asking_discards_the_original",
     "assigning one discards the original",
     lua='function M.request(req) req.body = "new" end', python='def request(req): req.body = "new"',
     js='exports.request = function (req) { req.body = "new"; };',
     method="POST", body=b"o" * 100000, upstream_body=b"new")

case("body.a_request_over_max_body_is_refused",
     "Over max_body: a request is refused with 413 before the script starts",
     lua='function M.request() lingate.log.error("must not run") end',
     python='def request(): lingate.log.error("must not run")',
     js='exports.request = function () { lingate.log.error("must not run"); };',
     options="body: request, max_body: 8B", method="POST", body=b"123456789", status=413, code="LG1010", forwarded=False)

case("body.a_request_at_max_body_passes",
     "Over max_body ... (the control)",
     lua="function M.request() end", python="def request(): pass", js="exports.request = function () {};",
     options="body: request, max_body: 8B", method="POST", body=b"12345678", upstream_body=b"12345678")

case("body.a_response_over_max_body_is_refused",
     "a response with 502",
     lua="function M.response() end", python="def response(): pass", js="exports.response = function () {};",
     options="body: response, max_body: 1B", status=502, code="LG4008")

case("body.a_response_over_max_body_streams_under_continue",
     "or under continue streamed untouched",
     lua='function M.response(res) res.body = "no" end', python='def response(res): res.body = "no"',
     js='exports.response = function (res) { res.body = "no"; };',
     options="body: response, max_body: 1B, on_error: continue", reply=b"ok")

case("body.a_changed_response_drops_etag_and_digests",
     "A changed body has its length recomputed, ETag and digests dropped",
     lua='function M.response(res) res.body = res:text() .. "!" end',
     python='def response(res): res.body = res.text() + "!"',
     js='exports.response = function (res) { res.body = res.text() + "!"; };',
     options="body: response",
     origin=b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-MD5: x\r\nDigest: y\r\nContent-Digest: z\r\nX: k\r\nContent-Length: 2\r\n\r\nhi',
     reply=b"hi!", reply_headers={"ETag": None, "Content-MD5": None, "Digest": None, "Content-Digest": None, "X": "k",
                                  "Content-Length": "3"})

case("body.an_unchanged_response_keeps_them",
     "ETag and digests dropped (the control)",
     lua="function M.response(res) local _ = res.body end", python="def response(res): res.body",
     js="exports.response = function (res) { var b = res.body; };", options="body: response",
     origin=b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 2\r\n\r\nhi', reply=b"hi", reply_headers={"ETag": '"1"'})

case("body.response_asks_the_upstream_for_identity",
     "body: response asks the upstream for identity",
     lua="function M.response(res) end", python="def response(res): pass", js="exports.response = function (res) {};",
     options="body: response", headers=[("Accept-Encoding", "gzip, br")], upstream=[("Accept-Encoding", "identity")])

case("body.a_body_still_coded_is_invalid",
     "a body still coded is invalid",
     lua="function M.response(res) local _ = res.body end", python="def response(res): res.body",
     js="exports.response = function (res) { var b = res.body; };", options="body: response",
     origin=b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b", status=500, code="LG3004")

case("body.json_that_does_not_parse_is_an_error",
     "json() raises on what is no JSON",
     lua='''function M.request(req)
  local ok = pcall(function() return req:json() end)
  return lingate.respond(200, {ok = ok})
end''',
     python='''def request(req):
    try:
        req.json()
        ok = True
    except Exception:
        ok = False
    return lingate.respond(200, {"ok": ok})''',
     js='''exports.request = function (req) {
  var ok = true;
  try { req.json(); } catch (error) { ok = false; }
  return lingate.respond(200, {ok: ok});
};''',
     options="body: request", method="POST", body=b'{"a":', reply={"ok": False})

case("body.text_that_is_not_utf8_is_an_error",
     "text() raises on what is not UTF-8",
     lua='function M.request(req) return lingate.respond(200, {ok = pcall(function() return req:text() end)}) end',
     python='''def request(req):
    try:
        req.text()
        ok = True
    except Exception:
        ok = False
    return lingate.respond(200, {"ok": ok})''',
     js='''exports.request = function (req) {
  var ok = true;
  try { req.text(); } catch (error) { ok = false; }
  return lingate.respond(200, {ok: ok});
};''',
     options="body: request", method="POST", body=b"\xff", reply={"ok": False})

case("body.a_request_without_one_is_empty",
     "a request without a body reads as empty",
     lua="function M.request(req) return lingate.respond(200, {n = #req.body}) end",
     python='def request(req): return lingate.respond(200, {"n": len(req.body)})',
     js="exports.request = function (req) { return lingate.respond(200, {n: req.body.length}); };",
     options="body: request", reply={"n": 0})
