#!/usr/bin/env python3
"""A time-out counts the time of whoever's turn it is: neither what others took before nor what the other direction does.
The pauses here are what is tested; each is 0.9 s or more away from the limit that it must not meet."""
import sys
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
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
limits: {{timeout: {{{limits}}}}}
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off, timeout: {{response: 2s}}}}
routes:
  - {{name: plain, match: {{path: "/plain/*"}}, chain: [access-log], upstream: origin}}
  - {{name: whole, match: {{path: "/whole/*"}}, chain: [script: {{file: whole.lua, body: both}}], upstream: origin}}
  - {{name: waits, match: {{path: "/waits/*"}}, chain: [script: {{file: waits.lua}}], upstream: origin}}
  - {{name: late, match: {{path: /late}}, timeout: 200ms, chain: [script: {{file: late.lua}}], respond: {{text: in time}}}}
"""
SCRIPTS = {
    "whole.lua": "return {request = function(req) req:text() end, response = function(res) res:text() end}",
    "waits.lua": "return {response = function() lingate.sleep(1.5) end}",
    "late.lua": "return {request = function(req) lingate.sleep(tonumber(req.query) / 1000) end}",
}


def gateway(origin, limits="body: 30s"):
    return Gateway(CONFIG.format(port=origin.port, limits=limits), SCRIPTS)


def together(*calls):
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(*call) for call in calls]]


class OfAnUpstream(unittest.TestCase):
    def test_begins_when_it_has_the_whole_request(self):
        def serve(sock, stream):
            while stream.request():
                time.sleep(1)
                sock.sendall(reply(body=b"stored"))

        def upload(port):
            with connect(port) as sock:
                sock.sendall(request_bytes("POST", "/plain/", [("Content-Length", "10")]) + b"01234")
                time.sleep(1.5)
                sock.sendall(b"56789")
                return Stream(sock).response().body

        def upload_by_http2(port):
            with Peer(connect(port)) as peer:
                stream = peer.request(method="POST", path="/plain/", body=b"01234", ends=False)
                time.sleep(1.5)
                peer.content(stream, b"56789")
                return peer.answer(stream).body

        with Origin(serve=serve) as origin, gateway(origin) as gw:
            self.assertEqual(together((upload, gw.port), (upload_by_http2, gw.port)), [b"stored"] * 2)

    def test_begins_anew_with_the_head_and_after_a_hook(self):
        def serve(sock, stream):
            waits = b"/waits/" in stream.head()
            time.sleep(0 if waits else 1.1)
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            time.sleep(2.5 if waits else 1.1)
            sock.sendall(b"hello")

        with Origin(serve=serve) as origin, gateway(origin) as gw:
            answers = together(*((ask, gw.port, request_bytes(target=f"/{route}/")) for route in ("plain", "whole", "waits")))
            self.assertEqual([(each.status, each.body) for each in answers], [(200, b"hello")] * 3)


class OfAClient(unittest.TestCase):
    def test_of_a_body_is_not_that_of_a_head(self):
        def post(port, path):
            with connect(port) as sock:
                sock.sendall(request_bytes("POST", path, [("Content-Length", "4")]))
                time.sleep(2)
                sock.sendall(b"body")
                return Stream(sock).response().status

        def expect(port):
            with connect(port) as sock:
                stream = Stream(sock)
                sock.sendall(request_bytes("POST", "/plain/", [("Content-Length", "4"), ("Expect", "100-continue")]))
                stream.head()
                time.sleep(2)
                sock.sendall(b"body")
                return stream.response().status

        def post_by_http2(port):
            with Peer(connect(port)) as peer:
                stream = peer.request(method="POST", path="/plain/", ends=False)
                time.sleep(2)
                peer.content(stream, b"body")
                return peer.answer(stream).status

        with Origin() as origin, gateway(origin, "head: 1s, idle: 1s, body: 30s") as gw:
            calls = (post, gw.port, "/plain/"), (post, gw.port, "/whole/"), (expect, gw.port), (post_by_http2, gw.port)
            self.assertEqual(together(*calls), [200] * 4)

    def test_of_what_it_takes_is_not_renewed_by_what_it_sends(self):
        ended = threading.Event()

        def serve(sock, stream):
            stream.head()
            with self.assertRaises(OSError):
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n" + bytes(60_000_000))
            ended.set()

        def trickle(send):
            """Until the gateway gives up, which the origin hears of."""
            for _ in range(200):
                if ended.wait(0.1):
                    return
                send(b"x")
            self.fail("a client that takes nothing is served on")

        with Origin(serve=serve) as origin, gateway(origin, "write: 1s, body: 30s") as gw:
            with connect(gw.port) as sock:
                sock.sendall(request_bytes("POST", "/plain/", [("Content-Length", "100000")]))
                trickle(sock.sendall)
            ended.clear()
            with Peer(connect(gw.port)) as peer:
                stream = peer.request(method="POST", path="/plain/", ends=False)
                trickle(lambda piece: peer.content(stream, piece, ends=False))

    def test_of_its_body_rests_while_it_is_answered(self):
        more = threading.Event()

        def serve(sock, stream):
            stream.head()
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            for each in b"hello":
                time.sleep(0.4)
                sock.sendall(bytes([each]))

        def stall(sock, stream):
            stream.head()
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")
            more.wait(30)

        begun = request_bytes("POST", "/plain/", [("Content-Length", "10")]) + b"01234"
        with Origin(serve=serve) as origin, gateway(origin, "body: 1500ms") as gw:
            self.assertEqual(ask(gw.port, begun).body, b"hello")
        with Origin(serve=stall) as origin, gateway(origin, "body: 1s") as gw, connect(gw.port) as sock:
            sock.sendall(begun)
            self.assertTrue(Stream(sock).to_end().endswith(b"hel"))
            gw.wait_log("response cut: the request body stopped coming")
            more.set()
            gw.wait_for(gw.access_lines, "access line")
            self.assertEqual(gw.access_lines()[0]["error.type"], "LG4011")


class OfARoute(unittest.TestCase):
    def test_loses_no_answer_that_leaves_in_the_same_turn(self):
        def some(port, milliseconds):
            answers = [ask(port, request_bytes(target=f"/late?{milliseconds}")) for _ in range(5)]
            return {(each.status, problem_code(each) if each.status != 200 else each.body) for each in answers}

        with Origin() as origin, gateway(origin) as gw:
            seen = together(*((some, gw.port, 194 + k) for k in range(20)))
        self.assertLessEqual(set().union(*seen), {(200, b"in time"), (504, "LG4009")})


if __name__ == "__main__":
    unittest.main()
