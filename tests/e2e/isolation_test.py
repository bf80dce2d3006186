#!/usr/bin/env python3
"""Nothing of one request, script or gateway reaches another: heads, hosts, objects, addresses, ports."""
import signal
import socket
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway  # noqa: E402
from support.wire import Origin, Stream, ask, connect, problem_code, reply, request_bytes, reset  # noqa: E402


class Requests(unittest.TestCase):
    def test_a_request_without_host_has_no_host(self):
        config = """
version: 1
workers: 1
listen: [{address: 127.0.0.1:0}]
routes:
  - {name: inner, match: {host: inner.test, path: "/*"}, respond: {text: secret}}
  - {name: all, match: {path: "/*"}, respond: {text: open}}
"""
        with Gateway(config) as gw:
            self.assertEqual(ask(gw.port, b"GET /a HTTP/1.1\r\nHost: inner.test\r\n\r\n").body, b"secret")
            for _ in range(3):
                self.assertEqual(ask(gw.port, b"GET /a HTTP/1.0\r\n\r\n").body, b"open")

    def test_a_request_id_of_an_untrusted_client_is_replaced(self):
        config = """
version: 1
listen: [{address: 127.0.0.1:0}]
upstreams: {origin: {targets: [{url: "http://127.0.0.1:%d"}]}}
routes: [{match: {path: "/*"}, upstream: origin}]
"""
        with Origin() as origin, Gateway(config % origin.port) as gw:
            ask(gw.port, request_bytes(headers=[("X-Request-Id", "mine"), ("X-Request-Id", "two")]))
            [sent] = origin.requests[-1].values("X-Request-Id")
            self.assertRegex(sent, r"^[0-9a-f]{8}-[0-9a-f]{4}-7")

    def test_an_options_request_is_a_preflight_only_with_an_origin(self):
        config = """
version: 1
listen: [{address: 127.0.0.1:0}]
upstreams: {origin: {targets: [{url: "http://127.0.0.1:%d"}]}}
routes:
  - {match: {path: /a, methods: [GET]}, chain: [cors: {origins: ["https://a.test"]}], upstream: origin}
"""
        with Origin() as origin, Gateway(config % origin.port) as gw:
            asks = [("Access-Control-Request-Method", "GET")]
            self.assertEqual(ask(gw.port, request_bytes("OPTIONS", "/a", headers=asks)).status, 405)
            both = [*asks, ("Origin", "https://a.test")]
            self.assertEqual(ask(gw.port, request_bytes("OPTIONS", "/a", headers=both)).status, 204)
            self.assertEqual(origin.requests, [])

    def test_options_of_everything_ends_at_the_gateway(self):
        config = "version: 1\nlisten: [{address: 127.0.0.1:0}]\nroutes: [{match: {path: \"/*\"}, respond: {text: all}}]\n"
        with Gateway(config) as gw:
            self.assertEqual(ask(gw.port, request_bytes("OPTIONS", "*")).status, 204)


class Redirects(unittest.TestCase):
    CONFIG = """
version: 1
listen: [{address: 127.0.0.1:0}]
routes:
  - {match: {path: "/r/*"}, redirect: "/{*}"}
  - {match: {path: "/q/{id}"}, redirect: "/n?x={id}"}
  - {match: {path: /plain}, redirect: /new}
"""

    def test_parameters_stay_as_coded_as_they_were(self):
        cases = {
            "/r/%2Fevil.test/x": "/%2Fevil.test/x",
            "/r/\\evil.test": "/%5Cevil.test",
            "/r/a;b=1,2": "/a;b=1,2",
            "/r/a%2F..%2F..%2Fb": "/a%2F..%2F..%2Fb",
            "/q/a&b=c": "/n?x=a%26b%3Dc",
            "/plain?a=1&b": "/new?a=1&b",
            "/q/1?a=1": "/n?x=1",
        }
        with Gateway(self.CONFIG) as gw:
            for target, location in cases.items():
                self.assertEqual(ask(gw.port, request_bytes(target=target)).value("Location"), location, target)


class Addresses(unittest.TestCase):
    def test_a_second_gateway_does_not_share_a_port(self):
        routes = "routes: [{match: {path: /a}, respond: {text: hi}}]\n"
        with Gateway("version: 1\nlisten: [{address: 127.0.0.1:0}]\n" + routes) as gw:
            second = Gateway(f"version: 1\nlisten: [{{address: '127.0.0.1:{gw.port}'}}]\n" + routes)
            with self.assertRaisesRegex(AssertionError, r"did not start \(6\)(.|\n)*cannot listen on"):
                second.start()
            second.stop()
            second._dir.cleanup()

    def test_workers_share_a_path_and_remove_it_at_the_end(self):
        config = "version: 1\nworkers: 2\nlisten: [{address: 127.0.0.1:0}, {address: 'unix:gw.sock'}]\n" \
                 "routes: [{match: {path: /a}, respond: {text: hi}}]\n"
        gateway = Gateway(config)
        with gateway as gw:
            path = gw.dir / "gw.sock"
            gw.wait_log("listening unix:")
            for _ in range(20):
                with socket.socket(socket.AF_UNIX) as sock:
                    sock.settimeout(20)
                    sock.connect(str(path))
                    sock.sendall(request_bytes(target="/a"))
                    self.assertEqual(Stream(sock).response().body, b"hi")
            gw.signal(signal.SIGTERM)
            gw.wait()
            self.assertFalse(path.exists())

    def test_an_interrupt_is_told_by_the_exit_code(self):
        gw = Gateway("version: 1\nlisten: [{address: 127.0.0.1:0}]\nroutes: [{match: {path: /}, respond: {text: hi}}]\n")
        gw.start()
        gw.signal(signal.SIGINT)
        self.assertEqual(gw.wait(), 130)
        gw.stop()
        gw._dir.cleanup()


SCRIPTS = {
    "away.lua": """
return {
  request = function(req) lingate.log.info("asleep") lingate.sleep(5) end,
  log = function(res) lingate.log.info("status " .. res.status) end,
}""",
    "replace.lua": "return {response = function(res) res.body = 'new' res.headers['ETag'] = '\"mine\"' end}",
    "bodies.lua": """
return {log = function(res, req) lingate.log.info("bodies " .. req.body .. " " .. res.body) end}""",
    "tail.lua": "local M = {}\nfunction M.request(req)\n  return lingate.respond(999)\nend\nreturn M\n",
    "global.lua": """
lingate = nil
local count = 0
return {init = function(config) count = config.start end,
        request = function(req) req.headers["X-Count"] = tostring(count) end}""",
    "running.lua": """
return {request = function(req)
  local kept = coroutine.running()
  req.headers["X-Running"] = tostring(kept)
  local inner
  coroutine.wrap(function() inner = coroutine.running() end)()
  req.headers["X-Inner"] = type(inner)
end}""",
}


class Scripts(unittest.TestCase):
    CONFIG = """
version: 1
workers: 1
listen: [{{address: 127.0.0.1:0}}]
upstreams: {{origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}]}}}}
routes:
  - {{match: {{path: /away}}, chain: [access-log, script: {{file: away.lua}}], upstream: origin}}
  - {{match: {{path: /replace}}, chain: [script: {{file: replace.lua}}], upstream: origin}}
  - {{match: {{path: /bodies}}, chain: [script: {{file: bodies.lua, body: both}}], upstream: origin}}
  - {{match: {{path: /tail}}, chain: [script: {{file: tail.lua}}], upstream: origin}}
  - {{match: {{path: /global}}, chain: [script: {{file: global.lua, config: {{start: 7}}}}], upstream: origin}}
  - {{match: {{path: /running}}, chain: [script: {{file: running.lua}}], upstream: origin}}
"""

    def test_log_sees_that_the_client_has_left(self):
        with Origin() as origin, Gateway(self.CONFIG.format(port=origin.port), SCRIPTS) as gw:
            sock = connect(gw.port)
            sock.sendall(request_bytes(target="/away"))
            gw.wait_log("asleep")
            reset(sock)
            gw.wait_log("status 499")

    def test_a_replaced_body_loses_the_old_ones_coding_and_keeps_what_the_script_says(self):
        headers = [("Content-Encoding", "gzip"), ("ETag", '"old"'), ("Content-Range", "bytes 0-3/9")]
        with Origin(lambda _: reply(headers=headers, body=b"zzzz")) as origin, \
                Gateway(self.CONFIG.format(port=origin.port), SCRIPTS) as gw:
            response = ask(gw.port, request_bytes(target="/replace"))
            self.assertEqual(response.body, b"new")
            self.assertEqual(response.values("Content-Encoding") + response.values("Content-Range"), [])
            self.assertEqual(response.values("ETag"), ['"mine"'])

    def test_a_script_with_only_a_log_hook_sees_the_bodies_it_asked_for(self):
        with Origin(lambda _: reply(body=b"pong")) as origin, \
                Gateway(self.CONFIG.format(port=origin.port), SCRIPTS) as gw:
            self.assertEqual(ask(gw.port, request_bytes("POST", "/bodies", body=b"ping")).body, b"pong")
            gw.wait_log("bodies ping pong")

    def test_an_error_in_a_tail_call_names_the_hook(self):
        with Origin() as origin, Gateway(self.CONFIG.format(port=origin.port), SCRIPTS) as gw:
            self.assertEqual(problem_code(ask(gw.port, request_bytes(target="/tail"))), "LG3001")
            line = gw.wait_log("status must be a whole number")
            self.assertIn('tail.lua', line)
            self.assertRegex(line, r'"code.line.number":2|tail.lua:2')

    def test_a_script_may_ruin_its_globals_and_still_gets_its_configuration(self):
        with Origin() as origin, Gateway(self.CONFIG.format(port=origin.port), SCRIPTS) as gw:
            ask(gw.port, request_bytes(target="/global"))
            self.assertEqual(origin.requests[-1].value("X-Count"), "7")

    def test_a_hooks_own_coroutine_is_nobodys(self):
        with Origin() as origin, Gateway(self.CONFIG.format(port=origin.port), SCRIPTS) as gw:
            ask(gw.port, request_bytes(target="/running"))
            self.assertEqual(origin.requests[-1].value("X-Running"), "nil")
            self.assertEqual(origin.requests[-1].value("X-Inner"), "thread")


class Attempts(unittest.TestCase):
    def test_a_retry_that_finds_no_target_tells_what_went_wrong_before(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        config = f"""
version: 1
workers: 1
listen: [{{address: 127.0.0.1:0}}]
upstreams:
  dead: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: {{failures: 1, for: 60s}}, retry: {{attempts: 3}}}}
routes: [{{match: {{path: "/*"}}, upstream: dead}}]
"""
        with Gateway(config) as gw:
            response = ask(gw.port, request_bytes())
            self.assertEqual((response.status, problem_code(response)), (502, "LG4001"))
            self.assertEqual(problem_code(ask(gw.port, request_bytes())), "LG4006")


if __name__ == "__main__":
    unittest.main()
