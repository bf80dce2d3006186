#!/usr/bin/env python3
"""Upstreams that answer while the request's body still comes. Steps on the response side and the body's arrival go on at
the same time then: neither is taken for the other, and what is called off never comes back into another request."""
import socket
import sys
import threading
import unittest
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway  # noqa: E402
from support.h2 import Peer  # noqa: E402
from support.wire import Origin, Stream, ask, connect, problem_code, reply, request_bytes  # noqa: E402

CONFIG = """
version: 1
workers: 1
listen:
  - {{address: 127.0.0.1:0, http2: true}}
limits: {{timeout: {{body: {body}}}}}
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off, timeout: {{response: 2s}}}}
routes:
  - {{name: fixed, match: {{path: /fixed}}, respond: {{text: fixed}}}}
  - {{name: new, match: {{path: /new}}, chain: [script: {{file: new.lua}}], upstream: origin}}
  - {{name: whole, match: {{path: "/whole/*"}}, chain: [body-limit: {{size: 100B}}, script: {{file: whole.lua, body: response}}], upstream: origin}}
"""
WAITING = '  - {{{{name: {0}, match: {{{{path: "/{0}/*"}}}}, chain: [body-limit: {{{{size: 100B}}}}, script: {{{{file: wait.{0}, budget: 2s}}}}], upstream: origin}}}}\n'
SCRIPTS = {
    "wait.lua": """
return {response = function(res, req)
  local mine = req.path
  lingate.log.info("begins " .. mine)
  lingate.sleep(2)
  res.headers["X-Hook"] = mine
  res.body = "made for " .. mine
end}
""",
    "wait.py": """
import lingate
async def response(res, req):
    mine = req.path
    lingate.log.info("begins " + mine)
    await lingate.sleep(2)
    res.headers["X-Hook"] = mine
    res.body = "made for " + mine
""",
    "wait.js": """
var lingate = require("lingate");
exports.response = function (res, req) {
  var mine = req.path;
  lingate.log.info("begins " + mine);
  lingate.sleep(2);
  res.headers["X-Hook"] = mine;
  res.body = "made for " + mine;
};
""",
    "whole.lua": 'return {response = function(res) res.headers["X-Length"] = tostring(#res:text()); res.body = res:text():upper() end}',
    "new.lua": 'return {request = function(req) req.body = "new" end}',
}
CHUNKED = b"POST %s HTTP/1.1\r\nHost: gw.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
PATIENT, HURRIED = "30s", "1s"  # time-outs of a body; the hooks wait for a second more
# What may become of a request's body, and what its client is told.
GONE_WRONG = {"malformed": (PATIENT, b"no chunk\r\n", (400, "LG1002")), "late": (HURRIED, b"", (408, "LG1009")),
              "too-long": (PATIENT, b"c8\r\n" + b"x" * 200 + b"\r\n", (413, "LG5001"))}


class AStepThatWaits(unittest.TestCase):
    def test_it_is_called_off_when_the_requests_body_goes_wrong(self):
        for name, (body, more, told) in GONE_WRONG.items():
            with self.subTest(name):
                self.in_all_languages(body, more, told)

    def in_all_languages(self, body, more, told):
        """At the same time: in each, what is called off would come back while another request waits."""
        def serve(sock, stream):
            while head := stream.head():
                sock.sendall(reply(body=b"early"))
                if b"POST" in head:
                    stream.to_end()
        languages = ("lua", "py", "js")
        config = CONFIG + "".join(WAITING.format(language) for language in languages)
        with Origin(serve=serve) as origin, Gateway(config.format(port=origin.port, body=body), SCRIPTS) as gateway, ExitStack() as stack:
            socks = {language: stack.enter_context(connect(gateway.port)) for language in languages}
            for language, sock in socks.items():
                sock.sendall(CHUNKED % f"/{language}/first".encode())
            for language, sock in socks.items():
                gateway.wait_log(f"begins /{language}/first")
                sock.sendall(more)
            for language, sock in socks.items():
                answer = Stream(sock).response()
                self.assertEqual((answer.status, problem_code(answer), answer.value("X-Hook")), (*told, None), language)
                socks[language] = stack.enter_context(connect(gateway.port))
                socks[language].sendall(request_bytes(target=f"/{language}/second"))
            for language, sock in socks.items():
                after = Stream(sock).response()
                self.assertEqual((after.value("X-Hook"), after.body), (f"/{language}/second", f"made for /{language}/second".encode()))
                self.assertEqual(sum(f"begins /{language}/first" in line for line in gateway.log_lines()), 1)


class ABodyThatAStepWaitsFor(unittest.TestCase):
    """The response's, while the request's comes."""

    def setUp(self):
        self.go_on, self.half = threading.Event(), threading.Event()
        self.got = []
        self.origin = self.enterContext(Origin(serve=self.serve))
        self.start(PATIENT)

    def start(self, body):
        self.gateway = self.enterContext(Gateway(CONFIG.format(port=self.origin.port, body=body), SCRIPTS))

    def serve(self, sock, stream):
        while head := stream.head():
            if b"POST" not in head:
                self.got.append(head.split(b" ")[1])
                sock.sendall(reply(body=b"answer"))
                continue
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789")
            self.half.set()
            self.got.append(stream.take(int(stream.line())) if b"Content-Length" in head else stream.chunked())
            sock.sendall(b"abcdefghij")

    def wait_until_half_is_there(self):
        """What the origin has sent is read before a request that is sent after it is answered."""
        self.assertTrue(self.half.wait(20))
        self.assertEqual(ask(self.gateway.port, request_bytes(target="/fixed")).body, b"fixed")

    def test_gets_nothing_of_the_requests(self):
        with connect(self.gateway.port) as sock:
            stream = Stream(sock)
            sock.sendall(CHUNKED % b"/whole/first")
            self.wait_until_half_is_there()
            sock.sendall(b"5\r\nWORLD\r\n0\r\n\r\n" + request_bytes(target="/whole/marker"))
            answer = stream.response()
            self.assertEqual((answer.status, answer.value("X-Length"), answer.body), (200, "20", b"0123456789ABCDEFGHIJ"))
            self.assertEqual(stream.response().body, b"ANSWER")
            self.assertEqual(self.got, [b"helloWORLD", b"/whole/marker"])
            self.assertEqual(len(self.origin.connections), 1)

    def test_gets_nothing_of_that_of_an_http2_client(self):
        with Peer(connect(self.gateway.port)) as peer:
            stream = peer.request(method="POST", path="/whole/first", body=b"hello", ends=False)
            self.wait_until_half_is_there()
            peer.content(stream, b"WORLD")
            self.assertEqual(peer.answer(stream).body, b"0123456789ABCDEFGHIJ")
            self.assertEqual(peer.answer(peer.request(path="/whole/marker")).body, b"ANSWER")
            self.assertEqual(self.got, [b"helloWORLD", b"/whole/marker"])

    def test_counts_no_more_when_the_requests_goes_wrong(self):
        for name, (body, more, told) in GONE_WRONG.items():
            self.start(body)
            with self.subTest(name), connect(self.gateway.port) as sock:
                self.half.clear()
                sock.sendall(CHUNKED % b"/whole/first")
                self.wait_until_half_is_there()
                sock.sendall(more)
                answer = Stream(sock).response()
                self.assertEqual((answer.status, problem_code(answer), answer.value("X-Length")), (*told, None))
                self.assertEqual(ask(self.gateway.port, request_bytes(target="/whole/marker")).body, b"ANSWER")


class ABodyThatNobodyWants(unittest.TestCase):
    def test_ends_the_connection_without_a_reset_where_its_rest_does_not_come(self):
        with Gateway(CONFIG.format(port=1, body=HURRIED), SCRIPTS) as gateway, connect(gateway.port) as sock:
            stream = Stream(sock)
            sock.sendall(request_bytes("POST", "/fixed", [("Content-Length", "1000")]) + b"x" * 10)
            answer = stream.response()
            self.assertEqual((answer.status, answer.body, answer.value("Connection")), (200, b"fixed", None))
            self.assertEqual(stream.to_end(), b"")
            for _ in range(2):  # what is late meets nobody, and no reset
                sock.sendall(b"x" * 10)
                self.assertEqual(ask(gateway.port, request_bytes(target="/fixed")).status, 200)
                self.assertEqual(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0)


class ABodyThatAScriptReplaces(unittest.TestCase):
    def test_leaves_both_connections_as_they_were(self):
        with Origin(lambda request: reply(body=request.body)) as origin, Gateway(CONFIG.format(port=origin.port, body=PATIENT), SCRIPTS) as gateway:
            with connect(gateway.port) as sock:
                stream = Stream(sock)
                for size in (10, 100_000, 250_000, 0):
                    sock.sendall(request_bytes("POST", "/new", body=b"x" * size))
                    answer = stream.response()
                    self.assertEqual((answer.body, answer.value("Connection")), (b"new", None))
            self.assertEqual(len(origin.connections), 1)


if __name__ == "__main__":
    unittest.main()
