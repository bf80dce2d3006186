#!/usr/bin/env python3
"""Bodies through the proxy: they stream, both ways, in bounded memory."""
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway  # noqa: E402
from support.h2 import Peer  # noqa: E402
from support.wire import Origin, Stream, connect, reply, request_bytes  # noqa: E402

GIB = 1 << 30
MIB = 1 << 20
BLOCK = bytes(range(256)) * 1024  # 256 KiB

CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off, timeout: {{response: 100s}}}}
routes:
  - {{name: all, match: {{path: "/*"}}, upstream: origin}}
"""


NO_CONTENT = """
version: 1
workers: 1
listen:
  - {{address: 127.0.0.1:0, http2: true}}
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off}}
routes:
  - {{name: fixed, match: {{path: /fixed}}, chain: [script: {{file: status.lua}}], respond: {{text: none}}}}
  - {{name: stream, match: {{path: /stream}}, chain: [script: {{file: status.lua}}], upstream: origin}}
  - {{name: coded, match: {{path: /coded}}, chain: [script: {{file: status.lua}}, compress: {{min: 0B}}], upstream: origin}}
  - name: made
    match: {{path: "/made/*"}}
    chain: [script: {{file: status.lua}}, compress: {{min: 0B}}, script: {{file: made.lua, budget: 2s}}]
    upstream: origin
"""
SCRIPTS = {
    "status.lua": "return {response = function(res, req) res.status = tonumber(req.query) end}",
    "made.lua": """
return {request = function(req)
  return lingate.respond(200, string.rep("evil", tonumber(req.path:match("%d+")) / 4), {["Content-Type"] = "text/plain"})
end}
""",
}


class NoContent(unittest.TestCase):
    """A status that has no content has none, whoever gave it and whatever there was before; the connection goes on."""

    PATHS = ("/fixed", "/stream", "/coded", "/made/1024", "/made/131072")

    def setUp(self):
        evil = reply(headers=[("Content-Type", "text/plain")], body=reply(body=b"EVIL") * 3000)
        self.origin = self.enterContext(Origin(lambda request: evil))
        self.gateway = self.enterContext(Gateway(NO_CONTENT.format(port=self.origin.port), SCRIPTS))

    def test_http1(self):
        with connect(self.gateway.port) as sock:
            stream = Stream(sock)
            for path in self.PATHS:
                for status in (204, 205, 304):
                    for method in ("GET", "HEAD"):
                        with self.subTest(path=path, status=status, method=method):
                            sock.sendall(request_bytes(method, f"{path}?{status}", [("Accept-Encoding", "gzip")]))
                            response = stream.response(method)
                            self.assertEqual((response.status, response.body, stream.buffer), (status, b"", b""))
                            if status == 205 or (method == "GET" and status == 204):  # others may say how long a 200 would be
                                self.assertEqual(response.value("content-length"), "0" if status == 205 else None)
                            self.assertIsNone(response.value("transfer-encoding"))

    def test_http2(self):
        with Peer(connect(self.gateway.port)) as peer:
            for path in self.PATHS:
                for status in (204, 205, 304):
                    with self.subTest(path=path, status=status):
                        answer = peer.answer(peer.request([("accept-encoding", "gzip")], path=f"{path}?{status}"))
                        self.assertEqual((answer.status, answer.body, answer.reset), (status, b"", None))


def drain(stream, size):
    """Reads `size` bytes and checks that they repeat BLOCK; returns how many there were."""
    seen = len(stream.buffer)
    assert stream.buffer == (BLOCK + BLOCK)[:seen], "wrong bytes"
    view = memoryview(bytearray(MIB))
    while seen < size:
        count = stream.sock.recv_into(view, min(MIB, size - seen))
        if not count:
            break
        offset = seen % 256
        if view[0] != offset or view[count - 1] != (offset + count - 1) % 256:
            raise AssertionError(f"wrong bytes near {seen}")
        seen += count
    return seen


class Bodies(unittest.TestCase):
    def big(self, serve, talk):
        """Runs `talk` once to warm up and once measured; the gateway's own memory must not grow by 1 MiB."""
        with Origin(serve=serve) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway:
            talk(gateway.port, 64 * MIB)
            before = gateway.memory()
            peak = [before]
            done = threading.Event()

            def watch():
                while not done.wait(0.02):
                    peak[0] = max(peak[0], gateway.memory())

            watcher = threading.Thread(target=watch)
            watcher.start()
            talk(gateway.port, GIB)
            done.set()
            watcher.join()
            self.assertLess(peak[0] - before, MIB)

    def test_a_gibibyte_down_takes_no_memory(self):
        def serve(sock, stream):
            while True:
                size = int(Stream.head(stream).split(b" ")[1][1:])
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
                for _ in range(size // len(BLOCK)):
                    sock.sendall(BLOCK)

        def talk(port, size):
            with connect(port) as sock:
                sock.sendall(request_bytes(target=f"/{size}"))
                stream = Stream(sock)
                stream.head()
                self.assertEqual(drain(stream, size), size)

        self.big(serve, talk)

    def test_a_gibibyte_up_takes_no_memory(self):
        def serve(sock, stream):
            while True:
                size = int(Stream.head(stream).lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                got = drain(stream, size)
                stream.buffer = b""
                sock.sendall(reply(body=str(got).encode()))

        def talk(port, size):
            with connect(port) as sock:
                sock.sendall(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode())
                for _ in range(size // len(BLOCK)):
                    sock.sendall(BLOCK)
                self.assertEqual(Stream(sock).response().body, str(size).encode())

        self.big(serve, talk)

    def test_a_chunked_request_and_response_pass_whole(self):
        def answer(request):
            return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(
                b"%x\r\n%s\r\n" % (len(part), part) for part in (request.body[:10], request.body[10:])) + b"0\r\nX-T: 1\r\n\r\n"

        with Origin(answer) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway, connect(gateway.port) as sock:
            stream = Stream(sock)
            for size in (11, 5000, 300_000):
                body = (BLOCK * 2)[:size]
                chunks = b"".join(b"%X;x=y\r\n%s\r\n" % (len(c), c) for c in (body[:7], body[7:]) if c)
                sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
                self.assertEqual(stream.response().body, body)
                self.assertEqual(origin.requests[-1].body, body)

    def test_events_reach_the_client_as_they_are_sent(self):
        go_on = threading.Semaphore(0)

        def serve(sock, stream):
            stream.head()
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            for number in range(50):
                go_on.acquire()
                event = b"data: %d\n\n" % number
                sock.sendall(b"%x\r\n%s\r\n" % (len(event), event))
            sock.sendall(b"0\r\n\r\n")

        with Origin(serve=serve) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway, connect(gateway.port) as sock:
            sock.sendall(request_bytes())
            stream = Stream(sock)
            stream.head()
            for number in range(50):  # each event is sent only after the one before has arrived
                go_on.release()
                size = int(stream.line(), 16)
                self.assertEqual(stream.take(size + 2), b"data: %d\n\n\r\n" % number)
            self.assertEqual(stream.line(), b"0")

    def test_a_cut_response_is_seen_as_cut(self):
        heads = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
                 b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n"]
        for head in heads:
            def serve(sock, stream, head=head):
                stream.head()
                sock.sendall(head)

            with Origin(serve=serve) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway, connect(gateway.port) as sock:
                sock.sendall(request_bytes())
                with self.assertRaises((EOFError, ConnectionError)):
                    Stream(sock).response()

    def test_a_slow_reader_pauses_the_upstream(self):
        sent = [0]
        stalled = threading.Event()

        def serve(sock, stream):
            stream.head()
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (256 * MIB))
            sock.settimeout(0.5)
            try:
                while sent[0] < 256 * MIB:
                    sent[0] += sock.send(BLOCK)
            except TimeoutError:
                stalled.set()

        with Origin(serve=serve) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway, connect(gateway.port) as sock:
            before = gateway.memory()
            sock.sendall(request_bytes())
            self.assertTrue(stalled.wait(20), "the upstream was never paused")
            self.assertLess(sent[0], 64 * MIB)
            self.assertLess(gateway.memory() - before, MIB)


if __name__ == "__main__":
    unittest.main()
