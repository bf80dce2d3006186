#!/usr/bin/env python3
"""What a script has answered for a key is taken for the next request with that key: it runs once."""
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway, run_cli  # noqa: E402
from support.wire import Origin, ask, fields_of, problem_code, request_bytes  # noqa: E402

# Each says how often it has run: the answer to the n-th run has X-Run: n.
CHECKS = {
    "check.lua": """
local runs = 0
return {request = function(req, ctx)
  runs = runs + 1
  local token = req.headers["X-Token"]
  if token == "wrong" then return lingate.respond(401, "run " .. runs) end
  req.session = {id = "of-" .. (token or "nobody"), metadata = {run = runs}}
  req.headers["X-Run"] = tostring(runs)
  req.headers["X-Token"] = nil
  ctx.checked = token or "nobody"
end}
""",
    "check.py": """
import lingate
runs = 0
def request(req, ctx):
    global runs
    runs += 1
    token = req.headers.get("X-Token")
    if token == "wrong":
        return lingate.respond(401, f"run {runs}")
    req.session = {"id": f"of-{token or 'nobody'}", "metadata": {"run": runs}}
    req.headers["X-Run"] = str(runs)
    if "X-Token" in req.headers:
        del req.headers["X-Token"]
    ctx["checked"] = token or "nobody"
""",
    "check.js": """
var lingate = require("lingate");
var runs = 0;
exports.request = function (req, ctx) {
  runs++;
  var token = req.headers["X-Token"];
  if (token === "wrong") return lingate.respond(401, "run " + runs);
  req.session = {id: "of-" + (token || "nobody"), metadata: {run: runs}};
  req.headers["X-Run"] = String(runs);
  delete req.headers["X-Token"];
  ctx.checked = token || "nobody";
};
"""}
SHOW = """
return {request = function(req, ctx)
  req.headers["X-Shown"] = req.session.id .. " " .. req.session.metadata.run .. " " .. ctx.checked
end}
"""


def gateway(origin, chain, files, extra=""):
    return Gateway(f"""
version: 1
workers: 1
listen: [{{address: "127.0.0.1:0"}}]
upstreams: {{o: {{targets: [{{url: "http://127.0.0.1:{origin.port}"}}], eject: off}}}}
routes:
  - {{name: all, match: {{path: "/*"}}, chain: [{chain}], upstream: o}}
{extra}""", files)


class ScriptCache(unittest.TestCase):
    def setUp(self):
        self.origin = self.enterContext(Origin())

    def ask(self, gw, token, target="/"):
        answer = ask(gw.port, request_bytes(target=target, headers=[("X-Token", token)] if token else []))
        if answer.status != 200:
            return answer.status, answer.body.decode()
        return dict(fields_of(self.origin.requests[-1].head))

    def test_an_answer_is_taken_for_its_key_in_every_language_and_place(self):
        for file, source in CHECKS.items():
            for isolation in ("inline", "thread", "process"):
                with self.subTest(file=file, isolation=isolation), gateway(
                        self.origin, f"script: {{file: {file}, isolation: {isolation}, instances: 1, "
                        "cache: {by: header.X-Token, ttl: 10m}}, script: {file: show.lua}",
                        {file: source, "show.lua": SHOW}) as gw:
                    for token, run in [("a", 1), ("a", 1), ("b", 2), ("a", 1), ("b", 2), (None, 3), (None, 4), ("a", 1)]:
                        fields = self.ask(gw, token)
                        who = token or "nobody"
                        self.assertEqual((fields["X-Run"], fields["X-Shown"]), (str(run), f"of-{who} {run} {who}"))
                        self.assertNotIn("X-Token", fields)
                    self.assertEqual([self.ask(gw, "wrong") for _ in range(2)], [(401, "run 5"), (401, "run 5")])

    def test_an_answer_is_kept_for_its_time_and_no_longer_than_its_session(self):
        brief = """
return {request = function(req)
  local life = tonumber(req.headers["X-Life"])
  req.headers["X-Run"] = tostring(lingate.now())
  req.session = {id = "x", expires = life and lingate.now() + life or nil}
end}
"""
        chain = "script: {file: brief.lua, cache: {by: header.X-Token, ttl: 1s}}"
        with gateway(self.origin, chain, {"brief.lua": brief}) as gw:
            first = self.ask(gw, "a")["X-Run"]
            began = time.monotonic()
            self.assertEqual(self.ask(gw, "a")["X-Run"], first)
            gw.wait_for(lambda: self.ask(gw, "a")["X-Run"] != first, "another run")
            self.assertGreater(time.monotonic() - began, 0.9)
            gone = request_bytes(headers=[("X-Token", "gone"), ("X-Life", "-1")])
            runs = set()
            for _ in range(3):
                self.assertEqual(ask(gw.port, gone).status, 200)
                runs.add(dict(fields_of(self.origin.requests[-1].head))["X-Run"])
            self.assertEqual(len(runs), 3)

    def test_what_belongs_to_one_request_is_not_kept(self):
        scripts = {
            "path.lua": "local n = 0\nreturn {request = function(req) n = n + 1; req.path = '/p' .. n end}\n",
            "fail.lua": "local n = 0\nreturn {request = function(req) n = n + 1; if n < 3 then error('no') end\n"
                        "req.headers['X-Run'] = tostring(n) end}\n",
            "ctx.lua": "local n = 0\nreturn {request = function(req, ctx) n = n + 1; ctx.n = n\n"
                       "req.headers['X-Run'] = ctx.who .. n end}\n",
            "who.lua": "return {request = function(req, ctx) ctx.who = req.headers['X-Who'] end}\n"}
        cache = "cache: {by: header.X-Token, ttl: 10m}"
        with gateway(self.origin, f"script: {{file: path.lua, {cache}}}", scripts) as gw:
            for k in (1, 2, 3):
                self.ask(gw, "a")
                self.assertTrue(self.origin.requests[-1].head.startswith(f"GET /p{k} ".encode()))
        with gateway(self.origin, f"script: {{file: fail.lua, {cache}}}", scripts) as gw:
            self.assertEqual([ask(gw.port, request_bytes(headers=[("X-Token", "a")])).status for _ in range(3)],
                             [500, 500, 200])
            self.assertEqual([self.ask(gw, "a")["X-Run"] for _ in range(2)], ["3", "3"])
        with gateway(self.origin, f"script: {{file: who.lua}}, script: {{file: ctx.lua, {cache}}}", scripts) as gw:
            for k, who in enumerate(("ann", "bo"), 1):
                ask(gw.port, request_bytes(headers=[("X-Token", "a"), ("X-Who", who)]))
                self.assertEqual(dict(fields_of(self.origin.requests[-1].head))["X-Run"], f"{who}{k}")

    def test_many_keys_are_bounded_and_none_is_taken_for_another(self):
        with gateway(self.origin, "script: {file: check.lua, cache: {by: header.X-Token, ttl: 10m}}", CHECKS) as gw:
            for k in range(300):
                self.assertEqual(self.ask(gw, f"key-{k}")["X-Run"], str(k + 1))
            for k in range(300):
                self.assertEqual(self.ask(gw, f"key-{k}")["X-Run"], str(k + 1))

    def test_each_route_has_its_own_answers(self):
        config = f"""
version: 1
workers: 1
listen: [{{address: "127.0.0.1:0"}}]
upstreams: {{o: {{targets: [{{url: "http://127.0.0.1:{self.origin.port}"}}], eject: off}}}}
chains: {{c: [script: {{file: check.lua, cache: {{by: header.X-Token, ttl: 10m}}}}]}}
routes:
  - {{name: a, match: {{path: /a}}, chain: [use: c], upstream: o}}
  - {{name: b, match: {{path: /b}}, chain: [use: c], upstream: o}}
"""
        with Gateway(config, CHECKS) as gw:
            runs = [self.ask(gw, "t", path)["X-Run"] for path in ("/a", "/b", "/a", "/b")]
            self.assertEqual(runs, ["1", "2", "1", "2"])

    def test_check_names_what_cannot_be_kept(self):
        for cache, says in [("{by: client.ip, ttl: 1m}", "cannot be kept by 'client.ip'"), ("{ttl: 1m}", "'by'"),
                            ("{by: header.X}", "'ttl'"), ("{by: header.X, ttl: 1m}, body: request", "request's body"),
                            ("{by: header.X, ttl: 1ms}", "1s")]:
            config = ("version: 1\nlisten: [{address: \"127.0.0.1:0\"}]\nroutes:\n"
                      f"  - {{match: {{path: /}}, chain: [script: {{file: a.lua, cache: {cache}}}], respond: {{}}}}\n")
            code, out, error = run_cli("check", "gw.yaml", files={"gw.yaml": config, "a.lua": CHECKS["check.lua"]})
            self.assertEqual(code, 3, cache)
            self.assertIn(says, out + error)


if __name__ == "__main__":
    unittest.main()
