#!/usr/bin/env python3
"""Coded responses on the wire: every coding decodes to what the upstream sent, streams pass as they are made, and what
must not be touched is not."""
import ctypes
import gzip
import os
import random
import signal
import sys
import threading
import unittest
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway, run_cli  # noqa: E402
from support.wire import Origin, Stream, ask, connect, reply, request_bytes, reset  # noqa: E402

CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off}}
routes:
  - name: all
    match: {{path: "/*"}}
    chain: [compress]
    upstream: origin
  - name: inner
    match: {{path: "/inner/*"}}
    chain: [compress: {{min: 0B}}, script: {{file: shout.lua, body: response}}]
    upstream: origin
  - name: outer
    match: {{path: "/outer/*"}}
    chain: [script: {{file: replace.lua, budget: 2s}}, compress, headers: {{request: {{remove: Accept-Encoding}}}}]
    upstream: origin
  - {{name: empty, match: {{path: /empty}}, chain: [compress: {{min: 0B}}], upstream: origin}}
  - {{name: head, match: {{path: /head}}, chain: [compress: {{min: 0B}}, script: {{file: head.lua}}], upstream: origin}}
  - name: fixed
    match: {{path: "/fixed"}}
    chain: [access-log, compress: {{min: 10B, algorithms: gzip}}]
    respond: {{json: {{text: "{long}"}}}}
  - {{name: large, match: {{path: "/large"}}, chain: [access-log, compress, script: {{file: large.lua, budget: 2s}}], respond: {{text: x}}}}
  - name: events
    match: {{path: "/events"}}
    chain: [compress: {{types: [text/event-stream], algorithms: gzip}}]
    upstream: origin
"""
FILES = {
    "large.lua": """
return {request = function(req)
  return lingate.respond(200, string.rep("0123456789abcdef", tonumber(req.query) / 16), {["Content-Type"] = "text/plain"})
end}
""",
    "head.lua": 'return {request = function(req) req.method = "HEAD" end}',
    "shout.lua": "return {response = function(res) res.body = res:text():upper() end}",
    "replace.lua": """
return {response = function(res, req)
  res.headers["X-Saw"] = res.headers["Content-Encoding"] or "plain"
  if req.query == "tag" then res.headers["ETag"] = '"new"' end
  if req.query == "status" then res.status = 204 end
  if req.query == "replace" or req.query == "tag" then res.body = "replaced" end
  if req.query == "respond" then return lingate.respond(200, "responded") end
  if req.query == "fail" then error("broken") end
end}
""",
}
RANDOM = random.Random(7)
WORDS = [f"word{k}" for k in range(500)]
TEXT = " ".join(RANDOM.choice(WORDS) for _ in range(100_000)).encode()
BROTLI = ctypes.CDLL("libbrotlidec.so.1")


def unbrotli(coded):
    size = ctypes.c_size_t(16 << 20)
    room = ctypes.create_string_buffer(size.value)
    assert BROTLI.BrotliDecoderDecompress(ctypes.c_size_t(len(coded)), coded, ctypes.byref(size), room) == 1
    return room.raw[:size.value]


def unzstd(coded):
    library = ctypes.CDLL("libzstd.so.1")
    library.ZSTD_decompressStream.restype = library.ZSTD_createDCtx.restype = ctypes.c_void_p

    class Buffer(ctypes.Structure):
        _fields_ = [("at", ctypes.c_void_p), ("size", ctypes.c_size_t), ("pos", ctypes.c_size_t)]
    library.ZSTD_decompressStream.restype = ctypes.c_size_t
    room, source = ctypes.create_string_buffer(16 << 20), ctypes.create_string_buffer(coded, len(coded))
    out, given = Buffer(ctypes.addressof(room), 16 << 20, 0), Buffer(ctypes.addressof(source), len(coded), 0)
    context = ctypes.c_void_p(library.ZSTD_createDCtx())
    left = 1
    while given.pos < given.size:
        left = library.ZSTD_decompressStream(context, ctypes.byref(out), ctypes.byref(given))
    assert left == 0
    return room.raw[:out.pos]


DECODE = {"gzip": gzip.decompress, "br": unbrotli, "zstd": unzstd, None: lambda body: body}


def html(body=TEXT, headers=(), **more):
    return reply(headers=[("Content-Type", "text/html"), *headers], body=body, **more)


def chunked(body, headers=()):
    lines = ["HTTP/1.1 200 OK", "Content-Type: text/html", "Transfer-Encoding: chunked", *(f"{n}: {v}" for n, v in headers)]
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(body[k:k + 5000]), body[k:k + 5000]) for k in range(0, len(body), 5000)) + b"0\r\n\r\n"


class Compress(unittest.TestCase):
    def setUp(self):
        self.answer = lambda request: html()
        self.origin = self.enterContext(Origin(lambda request: self.answer(request)))
        self.gateway = self.enterContext(Gateway(CONFIG.format(port=self.origin.port, long="x" * 3000), FILES))

    def get(self, accept=None, path="/a", method="GET", headers=()):
        fields = [*([("Accept-Encoding", accept)] if accept else []), *headers]
        return ask(self.gateway.port, request_bytes(method, path, headers=fields))

    def check(self, response, coding, body=TEXT):
        self.assertEqual(response.value("content-encoding"), coding)
        self.assertEqual(DECODE[coding](response.body), body)

    def test_every_coding_decodes_to_what_was_sent(self):
        for size in (1024, 1025, 16_384, 65_536, 100_000, len(TEXT)):
            for framed in (html, chunked):
                self.answer = lambda request: framed(TEXT[:size])  # noqa: B023
                for coding in DECODE:
                    response = self.get(coding)
                    self.check(response, coding, TEXT[:size])
                    self.assertEqual(response.value("vary"), "Accept-Encoding")
                    if coding:
                        self.assertIsNone(response.value("content-length"))
                        self.assertLess(len(response.body), size)

    def test_the_client_decides(self):
        for accept, coding in [("gzip, br, zstd", "zstd"), ("gzip;q=1, br;q=0.9", "gzip"), ("*", "zstd"), ("*;q=0", None),
                               ("identity", None), ("gzip;q=0", None), ("deflate", None), ("br;q=0.5, identity", None)]:
            self.check(self.get(accept), coding)

    def test_bytes_that_do_not_shrink_pass_whole(self):
        noise = os.urandom(1_500_000)
        self.answer = lambda request: html(noise)
        for coding in DECODE:
            self.check(self.get(coding), coding, noise)

    def test_head_says_what_get_says(self):
        self.answer = lambda request: (html(headers=[("ETag", '"1"')]) if request.method == "GET" else
                                       html(headers=[("ETag", '"1"')])[:-len(TEXT)])
        got, head = self.get("gzip"), self.get("gzip", method="HEAD")
        for name in ("content-encoding", "vary", "etag", "content-type", "content-length"):
            self.assertEqual(got.value(name), head.value(name), name)
        self.assertEqual(head.value("etag"), 'W/"1"')
        self.assertEqual(self.get(None, method="HEAD").value("content-length"), str(len(TEXT)))
        fixed, head = self.get("gzip", "/fixed"), self.get("gzip", "/fixed", "HEAD")
        self.assertEqual(fixed.value("content-length"), head.value("content-length"))
        got, head = self.get("gzip", "/outer/x?replace"), self.get("gzip", "/outer/x?replace", "HEAD")
        for name in ("x-saw", "content-encoding", "content-length"):
            self.assertEqual(got.value(name), head.value(name), name)

    def test_what_a_script_replaces_keeps_no_tag_and_no_coding_of_the_old(self):
        self.answer = lambda request: html(headers=[("ETag", '"1"')])
        for accept in ("gzip", None):
            for query, status, tag in (("replace", 200, None), ("tag", 200, '"new"')):
                got = self.get(accept, f"/outer/x?{query}")
                self.assertEqual((got.status, got.value("etag"), got.value("content-encoding"), got.body), (status, tag, None, b"replaced"))
            got = self.get(accept, "/outer/x?status")
            self.assertEqual((got.status, got.value("content-encoding"), got.body), (204, None, b""))

    def test_head_of_nothing_is_not_coded(self):
        self.answer = lambda request: html(b"")
        got, head = self.get("gzip", "/empty"), self.get("gzip", "/empty", "HEAD")
        for name in ("content-encoding", "vary", "content-length"):
            self.assertEqual(got.value(name), head.value(name), name)

    def test_what_a_script_asks_by_head_is_not_coded(self):
        self.answer = lambda request: html()[:-len(TEXT)]
        got = self.get("gzip", "/head")
        self.assertEqual((got.status, got.body, got.value("content-encoding"), got.value("content-length")), (200, b"", None, "0"))

    def test_what_must_not_be_touched_is_not(self):
        coded = gzip.compress(TEXT)
        for raw in (html(coded, [("Content-Encoding", "gzip")]),
                    html(coded, [("Content-Encoding", "identity"), ("Content-Encoding", "gzip")]), html(TEXT[:1023]), html(headers=[("Cache-Control", "no-transform")]),
                    html(TEXT[:2000], [("Content-Range", "bytes 0-1999/9999")], status=206, reason="Partial Content"),
                    reply(headers=[("Content-Type", "image/png")], body=TEXT), reply(body=TEXT)):
            self.answer = lambda request: raw  # noqa: B023
            head, body = raw.split(b"\r\n\r\n", 1)
            response = self.get("gzip")
            self.assertEqual(response.body, body)
            for line in head.split(b"\r\n")[1:]:
                self.assertIn(line, response.head)
            self.assertEqual(b"Content-Encoding" in response.head, b"Content-Encoding" in head)
            self.assertIsNone(response.value("vary"))

    def test_not_modified_passes_as_it_came(self):
        self.answer = lambda request: b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Type: text/html\r\n\r\n'
        response = self.get("gzip", headers=[("If-None-Match", 'W/"1"')])
        self.assertEqual((response.status, response.value("etag"), response.value("content-encoding")), (304, '"1"', None))

    def test_old_clients_get_it_until_the_end_of_the_connection(self):
        with connect(self.gateway.port) as sock:
            sock.sendall(b"GET /a HTTP/1.0\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
            self.check(Stream(sock).response(), "gzip")

    def test_connections_go_on(self):
        with connect(self.gateway.port) as sock:
            stream = Stream(sock)
            for coding in ["gzip", None, "br", "zstd", "gzip"] * 3:
                sock.sendall(request_bytes(target="/a", headers=[("Accept-Encoding", coding)] if coding else []))
                self.check(stream.response(), coding)

    def test_a_step_inside_sees_it_plain_and_one_outside_coded(self):
        self.answer = lambda request: html(b"hello")
        self.check(self.get("gzip", "/inner/x"), "gzip", b"HELLO")
        self.answer = lambda request: html()
        response = self.get("gzip", "/outer/x")
        self.assertEqual(response.value("x-saw"), "gzip")
        self.check(response, "gzip")
        self.assertNotIn(b"gzip", self.origin.requests[-1].head)
        for query, body in [("replace", b"replaced"), ("respond", b"responded")]:
            self.check(self.get("gzip", f"/outer/x?{query}"), None, body)
        self.assertEqual(self.get("gzip", "/outer/x?fail").status, 500)
        self.check(self.get("gzip", "/fixed"), "gzip", b'{"text":"' + b"x" * 3000 + b'"}')

    def test_check_refuses_a_script_that_would_read_coded_bodies(self):
        config = CONFIG.format(port=1, long="").replace("script: {file: replace.lua,", "script: {file: replace.lua, body: both,")
        code, out, error = run_cli("check", "gw.yaml", files={"gw.yaml": config, **FILES})
        self.assertEqual(code, 3)
        self.assertIn("put 'compress' before the script", out + error)

    def test_a_body_that_is_there_whole_is_coded_whatever_its_size(self):
        for size in (1024, 65_536, 65_552, 98_304, 1 << 20, 5 << 20):
            body = b"0123456789abcdef" * (size // 16)
            for coding in DECODE:
                response = self.get(coding, f"/large?{size}")
                self.check(response, coding, body)
                self.assertEqual(response.value("content-length") is None, coding is not None and size > 65_536)
                self.assertEqual(self.get(coding, f"/large?{size}", "HEAD").value("content-encoding"), coding)
        with connect(self.gateway.port) as sock:
            sock.sendall(b"GET /large?1048576 HTTP/1.0\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
            self.check(Stream(sock).response(), "gzip", b"0123456789abcdef" * 65_536)

    def test_while_a_large_body_is_coded_others_have_their_turn(self):
        with connect(self.gateway.port) as large, connect(self.gateway.port) as small:
            for sock in large, small:  # the gateway knows both
                sock.sendall(request_bytes(target="/fixed"))
                self.assertEqual(Stream(sock).response().status, 200)
            self.gateway.signal(signal.SIGSTOP)
            for sock, target in (large, f"/large?{8 << 20}"), (small, "/fixed"):
                sock.sendall(request_bytes(target=target, headers=[("Accept-Encoding", "gzip")]))
            self.gateway.signal(signal.SIGCONT)
            self.assertEqual(len(gzip.decompress(Stream(large).response().body)), 8 << 20)
            self.assertEqual(Stream(small).response().status, 200)
        self.gateway.wait_access(lambda line: line["url.path"] == "/large")
        self.assertEqual([line["url.path"] for line in self.gateway.access_lines()], ["/fixed"] * 3 + ["/large"])

    def test_a_slow_client_gets_all_of_it(self):
        self.answer = lambda request: html(TEXT * 3)
        with connect(self.gateway.port) as sock:
            sock.setsockopt(1, 8, 4096)  # SOL_SOCKET, SO_RCVBUF
            sock.sendall(request_bytes(target="/a", headers=[("Accept-Encoding", "gzip")]))
            stream = Stream(sock)
            head = stream.head()
            self.assertIn(b"gzip", head)
            self.assertEqual(gzip.decompress(stream.chunked()), TEXT * 3)

    def test_clients_that_leave_leave_nothing_behind(self):
        for coding in ("gzip", "br", "zstd"):
            for _ in range(150):
                with connect(self.gateway.port) as sock:
                    sock.sendall(request_bytes(target="/a", headers=[("Accept-Encoding", coding)]))
                    sock.recv(100)
                    reset(sock)
            self.gateway.wait_for(lambda: self.get(coding).value("content-encoding") == coding, "a coder")  # noqa: B023
        if not os.environ.get("LINGATE_SANITIZE"):  # which keeps what was freed
            self.assertLess(self.gateway.memory(), 150 << 20)


class Streams(unittest.TestCase):
    """The upstream goes on only when the client has seen what it sent: nothing may be held back."""

    def stream(self, path, accept, content_type, decode):
        seen = threading.Semaphore(0)
        pieces = [f"data: {k}\n\n".encode() for k in range(20)]

        def serve(sock, stream):
            stream.request()
            sock.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
            for piece in pieces:
                sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                assert seen.acquire(timeout=20)
            sock.sendall(b"0\r\n\r\n")

        with Origin(serve=serve) as origin, Gateway(CONFIG.format(port=origin.port, long=""), FILES) as gateway:
            with connect(gateway.port) as sock:
                sock.sendall(request_bytes(target=path, headers=[("Accept-Encoding", accept)]))
                stream = Stream(sock)
                head, text = stream.head(), b""
                while True:
                    size = int(stream.line(), 16)
                    if size == 0:
                        break
                    text += decode(stream.take(size))
                    stream.take(2)
                    while text.count(b"\n\n") > seen_count[0]:
                        seen_count[0] += 1
                        seen.release()
                self.assertEqual(text, b"".join(pieces))
                return head

    def setUp(self):
        seen_count[0] = 0

    def test_events_pass_as_they_are_made(self):
        self.assertNotIn(b"gzip", self.stream("/a", "gzip", "text/event-stream", lambda piece: piece))

    def test_events_that_are_coded_on_demand_do_too(self):
        self.assertIn(b"gzip", self.stream("/events", "gzip", "text/event-stream", zlib.decompressobj(31).decompress))

    def test_so_does_a_slow_page(self):
        self.assertIn(b"gzip", self.stream("/a", "gzip", "text/html", zlib.decompressobj(31).decompress))

    def test_a_cut_response_is_cut(self):
        def serve(sock, stream):
            stream.request()
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50000)

        with Origin(serve=serve) as origin, Gateway(CONFIG.format(port=origin.port, long=""), FILES) as gateway:
            for coding in ("gzip", "br", "zstd"):
                with self.assertRaises((EOFError, OSError)):
                    ask(gateway.port, request_bytes(target="/a", headers=[("Accept-Encoding", coding)]))


seen_count = [0]

if __name__ == "__main__":
    unittest.main()
