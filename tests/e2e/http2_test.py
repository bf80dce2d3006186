#!/usr/bin/env python3
"""HTTP/2 clients of a real gateway: what a request and its answer become, streaming, resets, limits in time, the end."""
import gzip
import signal
import ssl
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import h2  # noqa: E402
from support.gateway import SHADOW, Gateway  # noqa: E402
from support.h2 import Peer  # noqa: E402
from support.tls import CA, SITE, client_context, secure  # noqa: E402
from support.wire import Origin, ask, connect, reply, request_bytes  # noqa: E402

CONFIG = """
version: 1
workers: 1
listen:
  - {{address: 127.0.0.1:0, http2: true}}
  - {{address: 127.0.0.1:0, tls: {tls}}}
admin: {{address: 127.0.0.1:0}}
limits: {limits}
log: {{level: debug}}
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off, timeout: {{connect: 10s}}}}
routes:
  - {{name: all, match: {{path: "/*"}}, chain: [access-log], upstream: origin}}
  - {{name: fixed, match: {{path: /fixed}}, chain: [access-log], respond: {{status: 200, json: {{ok: true}}}}}}
"""


def config(origin, limits="{}"):
    return CONFIG.format(tls=SITE.yaml(), limits=limits, port=origin.port)


def echo(request):
    return reply(body=request.head + b"\r\n\r\n" + request.body)


class Requests(unittest.TestCase):
    def test_curl_speaks_it_through_tls_and_in_clear(self):
        with Origin(echo) as origin, Gateway(config(origin)) as gateway:
            for url, extra in ((f"https://site.test:{gateway.ports[1]}/x", ["--http2", "--cacert", CA.cert]),
                               (f"http://site.test:{gateway.ports[0]}/x", ["--http2-prior-knowledge"])):
                done = subprocess.run(["curl", "-sS", "-w", "%{http_version}", "--resolve",
                                       f"site.test:{url.split(':')[2].split('/')[0]}:127.0.0.1", *extra, url],
                                      capture_output=True, check=True, text=True)
                self.assertTrue(done.stdout.endswith("2"), done.stdout)
                self.assertIn("GET /x HTTP/1.1", done.stdout)
            self.assertEqual(gateway.wait_access(lambda line: line["url.path"] == "/x")["network.protocol.version"], "2")

    def test_http1_goes_on_beside_it(self):
        with Origin(echo) as origin, Gateway(config(origin)) as gateway:
            self.assertEqual(ask(gateway.ports[0], request_bytes()).status, 200)
            self.assertEqual(ask(gateway.ports[0], request_bytes("PRIX", "/")).status, 200)
            for offered, chosen in ((["http/1.1"], "http/1.1"), (["h2", "http/1.1"], "h2"), ([], None)):
                context = client_context()
                if offered:
                    context.set_alpn_protocols(offered)
                with secure(gateway.ports[1], context=context) as sock:
                    self.assertEqual(sock.selected_alpn_protocol(), chosen)

    def test_a_listener_may_do_without(self):
        with Origin(echo) as origin:
            text = config(origin).replace(", http2: true", "").replace("tls:", "http2: false, tls:")
            with Gateway(text) as gateway:
                self.assertEqual(ask(gateway.ports[0], h2.PREFACE).status, 505)
                context = client_context()
                context.set_alpn_protocols(["h2"])
                with self.assertRaises(ssl.SSLError):
                    secure(gateway.ports[1], context=context)

    def test_what_the_upstream_sees(self):
        with Origin(echo) as origin, Gateway(config(origin)) as gateway, Peer(connect(gateway.port)) as peer:
            fields = [("cookie", "a=1"), ("x-a", "1"), ("cookie", "b=2"), ("te", "trailers"), ("x_b", "no"), ("x-a", "2")]
            answer = peer.answer(peer.request(fields, path="/a/../b?q=1", authority="Gw.test:80"))
            lines = answer.body.decode().split("\r\n")
            self.assertEqual(lines[0], "GET /b?q=1 HTTP/1.1")
            self.assertIn("host: Gw.test:80", lines)
            self.assertEqual([line for line in lines if line.startswith("cookie")], ["cookie: a=1; b=2"])
            self.assertEqual([line for line in lines if line.startswith("x-a")], ["x-a: 1", "x-a: 2"])
            self.assertIn("Via: 2 lingate", lines)
            for name in ("te:", "x_b:", "transfer-encoding:", "connection:", ":authority"):
                self.assertFalse([line for line in lines if line.lower().startswith(name)], lines)

    def test_what_the_client_sees(self):
        def answer(request):
            return (b"HTTP/1.1 200 Fine\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX-Kept: Yes\r\nSet-Cookie: a\r\n"
                    b"Set-Cookie: b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n")
        with Origin(answer) as origin, Gateway(config(origin)) as gateway, Peer(connect(gateway.port)) as peer:
            got = peer.answer(peer.request())
            self.assertEqual((got.status, got.body), (200, b"hello"))
            names = [name for name, _ in got.fields]
            self.assertEqual(names, [name.lower() for name in names])
            self.assertEqual([v for n, v in got.fields if n == "set-cookie"], ["a", "b"])
            self.assertEqual(got.value("x-kept"), "Yes")
            for name in ("connection", "x-hop", "keep-alive", "transfer-encoding"):
                self.assertIsNone(got.value(name))

    def test_answers_without_content(self):
        def answer(request):
            status = {"/204": 204, "/304": 304}.get(request.target, 200)
            return f"HTTP/1.1 {status} X\r\n{'' if status == 204 else 'Content-Length: 5'}\r\n\r\n".replace(
                "X\r\n\r\n\r\n", "X\r\n\r\n").encode()
        with Origin(answer) as origin, Gateway(config(origin)) as gateway, Peer(connect(gateway.port)) as peer:
            for method, path, status in (("GET", "/204", 204), ("GET", "/304", 304), ("HEAD", "/", 200), ("HEAD", "/fixed", 200)):
                with self.subTest(method=method, path=path):
                    got = peer.answer(peer.request(method=method, path=path))
                    self.assertEqual((got.status, got.body), (status, b""))

    def test_content_is_coded_on_its_way(self):
        with Origin(lambda request: reply(headers=[("Content-Type", "text/plain")], body=b"abc" * 50_000)) as origin:
            text = config(origin).replace("chain: [access-log], upstream", "chain: [access-log, compress], upstream")
            with Gateway(text) as gateway, Peer(connect(gateway.port)) as peer:
                got = peer.answer(peer.request([("accept-encoding", "gzip")]))
                self.assertEqual((got.value("content-encoding"), got.value("content-length")), ("gzip", None))
                self.assertEqual(gzip.decompress(got.body), b"abc" * 50_000)

    def test_interim_responses_pass(self):
        def serve(sock, stream):
            while stream.request():
                sock.sendall(b"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n" + reply(body=b"ok"))
        with Origin(serve=serve) as origin, Gateway(config(origin)) as gateway, Peer(connect(gateway.port)) as peer:
            got = peer.answer(peer.request())
            self.assertEqual((got.interim, got.status, got.body), ([103], 200, b"ok"))

    def test_expect_continue_is_answered(self):
        with Origin(echo) as origin, Gateway(config(origin)) as gateway, Peer(connect(gateway.port)) as peer:
            stream = peer.request([("expect", "100-continue"), ("content-length", "4")], method="POST", ends=False)
            peer.until(lambda: peer.streams[stream].interim == [100])
            peer.content(stream, b"body")
            self.assertTrue(peer.answer(stream).body.endswith(b"\r\n\r\nbody"))

    def test_bodies_with_and_without_a_length(self):
        body = bytes(range(256)) * 2000  # above every window
        with Origin(echo) as origin, Gateway(config(origin)) as gateway, Peer(connect(gateway.port)) as peer:
            for fields in ([("content-length", str(len(body)))], []):
                got = peer.answer(peer.request(fields, body, method="POST"))
                head, _, content = got.body.partition(b"\r\n\r\n")
                self.assertEqual(content, body)
                self.assertEqual(b"content-length" in head.lower(), bool(fields))
            got = peer.answer(peer.request([], b"", method="POST"))  # an empty DATA frame ends it
            self.assertEqual(got.status, 200)
            got = peer.answer(peer.request([], b"tail", method="POST", trailers=[("x-sum", "1")]))
            self.assertTrue(got.body.endswith(b"\r\n\r\ntail"))

    def test_many_streams_are_served_at_once(self):
        import threading
        together = threading.Barrier(50)

        def answer(request):
            together.wait(20)
            return reply(body=request.target.encode())
        with Origin(answer) as origin, Gateway(config(origin)) as gateway, Peer(connect(gateway.port)) as peer:
            streams = {peer.request(path=f"/{k}"): f"/{k}" for k in range(50)}
            for stream, path in streams.items():
                self.assertEqual(peer.answer(stream).body, path.encode())

    def test_an_upstream_that_breaks_off_is_seen_as_cut(self):
        for head in (b"Content-Length: 10\r\n", b"Transfer-Encoding: chunked\r\n", ):
            def serve(sock, stream, head=head):
                stream.request()
                sock.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + b"5\r\nhello\r\n"[:5])
            with Origin(serve=serve) as origin, Gateway(config(origin)) as gateway, Peer(connect(gateway.port)) as peer:
                got = peer.answer(peer.request())
                self.assertIn(got.reset, (h2.INTERNAL_ERROR, None) if not got.fields else (h2.INTERNAL_ERROR,))

    def test_an_early_answer_stops_the_upload(self):
        with Origin() as origin, Gateway(config(origin)) as gateway, Peer(connect(gateway.port)) as peer:
            stream = peer.request(method="POST", path="/fixed", ends=False)
            peer.content(stream, b"x" * 1000, ends=False)
            answer = peer.streams[stream]
            peer.until(lambda: answer.reset is not None)
            self.assertEqual((answer.status, answer.body, answer.reset), (200, b'{"ok":true}', h2.NO_ERROR))
            self.assertEqual(peer.answer(peer.request(path="/fixed")).status, 200)


class Streaming(unittest.TestCase):
    def test_a_slow_reader_pauses_the_upstream_and_costs_bounded_memory(self):
        size, sent = 64 << 20, []

        def serve(sock, stream):
            stream.request()
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            sock.settimeout(1)
            try:
                for _ in range(size >> 16):
                    sock.sendall(b"x" * (1 << 16))
                    sent.append(1 << 16)
            except OSError:
                pass
        with Origin(serve=serve) as origin, Gateway(config(origin)) as gateway:
            before = gateway.memory()
            with Peer(connect(gateway.port), opens_windows=False) as peer:
                streams = [peer.request() for _ in range(8)]
                for stream in streams[:1]:
                    peer.until(lambda: sum(len(peer.streams[each].body) for each in streams) >= 65535)
                peer.send(h2.frame(h2.PING, payload=b"12345678"))
                peer.until(lambda: peer.pings == 1)
                self.assertLess(gateway.memory() - before, SHADOW * (8 * (160 << 10) + (2 << 20)))
                self.assertLess(sum(sent), 8 * size)
            # Those that gave up are told to the upstream.
            gateway.wait_for(lambda: len(gateway.access_lines()) == 8, "lines of the clients that are gone")
            self.assertEqual({line["http.response.status_code"] for line in gateway.access_lines()}, {499})

    def test_an_upload_waits_for_its_upstream(self):
        import threading
        goes_on = threading.Event()

        def serve(sock, stream):
            stream.head()
            goes_on.wait(20)
            stream.chunked()
            sock.sendall(reply(body=b"all"))
        with Origin(serve=serve) as origin, Gateway(config(origin)) as gateway:
            before = gateway.memory()
            with Peer(connect(gateway.port)) as peer:
                stream = peer.request(method="POST", ends=False)
                peer.sock.settimeout(0.5)
                sent = 0
                try:
                    while sent < 64 << 20:
                        peer.content(stream, b"x" * 65536, ends=False)
                        sent += 65536
                except TimeoutError:
                    pass
                self.assertLess(sent, 32 << 20)  # what the kernel holds for the upstream, and a window
                self.assertLess(gateway.memory() - before, SHADOW * (2 << 20))
                # Others on the connection are served meanwhile.
                peer.sock.settimeout(20)
                self.assertEqual(peer.answer(peer.request(path="/fixed")).status, 200)
                goes_on.set()
                peer.content(stream, b"y")
                self.assertEqual(peer.answer(stream).body, b"all")

    def test_content_passes_as_it_comes(self):
        import queue
        parts = queue.Queue()

        def serve(sock, stream):
            stream.head()
            sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while size := int(stream.line(), 16):
                sock.sendall(b"%x\r\n" % size + stream.take(size) + b"\r\n")
                stream.take(2)
            sock.sendall(b"0\r\n\r\n")
            parts.put("over")
        with Origin(serve=serve) as origin, Gateway(config(origin)) as gateway, Peer(connect(gateway.port)) as peer:
            stream = peer.request(method="POST", ends=False)
            answer = peer.streams[stream]
            for k in range(5):  # each answered before the next is sent
                peer.content(stream, b"part%d" % k, ends=False)
                peer.until(lambda: answer.body.endswith(b"part%d" % k))
            peer.content(stream, b"")
            self.assertEqual(peer.answer(stream).body, b"part0part1part2part3part4")


class Ends(unittest.TestCase):
    def test_a_reset_calls_off_the_request(self):
        import threading
        closed = threading.Event()

        def serve(sock, stream):
            if stream.request().target != "/slow":
                return sock.sendall(reply())
            try:
                stream.more()
            except (EOFError, OSError):
                closed.set()
        with Origin(serve=serve) as origin, Gateway(config(origin)) as gateway, Peer(connect(gateway.port)) as peer:
            stream = peer.request(path="/slow")
            gateway.wait_for(lambda: origin.connections, "request at the origin")
            peer.reset(stream)
            self.assertTrue(closed.wait(20))
            line = gateway.wait_access(lambda line: line["url.path"] == "/slow")
            self.assertEqual(line["http.response.status_code"], 499)
            self.assertEqual(peer.answer(peer.request()).status, 200)

    def test_time_outs(self):
        limits = "{timeout: {head: 300ms, idle: 400ms, body: 300ms, write: 300ms}}"

        def answer(request):
            return reply(body=b"x" * 200_000)
        with Origin(answer) as origin, Gateway(config(origin, limits)) as gateway:
            with self.subTest("nothing is sent"), Peer(connect(gateway.port), greet=False) as peer:
                self.assertIsNone(peer.to_the_end())
            with self.subTest("half a preface"), Peer(connect(gateway.port), greet=False) as peer:
                peer.send(h2.PREFACE[:10])
                self.assertIsNone(peer.to_the_end())
            with self.subTest("no request"), Peer(connect(gateway.port)) as peer:
                self.assertEqual(peer.to_the_end(), h2.NO_ERROR)
            with self.subTest("half a head"), Peer(connect(gateway.port)) as peer:
                peer.acks_settings = False
                peer.send(h2.frame(h2.HEADERS, 0, 1, h2.block(h2.pseudo())))
                self.assertEqual(peer.to_the_end(), h2.ENHANCE_YOUR_CALM)
            with self.subTest("half a frame of a head"), Peer(connect(gateway.port)) as peer:
                peer.acks_settings = False
                peer.send(h2.frame(h2.HEADERS, 5, 1, h2.block(h2.pseudo()))[:20])
                self.assertEqual(peer.to_the_end(), h2.ENHANCE_YOUR_CALM)
            with self.subTest("idle after a request"), Peer(connect(gateway.port)) as peer:
                self.assertEqual(peer.answer(peer.request(path="/fixed")).status, 200)
                self.assertEqual(peer.to_the_end(), h2.NO_ERROR)
            with self.subTest("a body that stops"), Peer(connect(gateway.port)) as peer:
                stream = peer.request(method="POST", ends=False)
                self.assertEqual(peer.answer(stream).status, 408)
            with self.subTest("a window that stays shut"), Peer(connect(gateway.port), opens_windows=False) as peer:
                answer = peer.answer(peer.request())
                self.assertEqual(len(answer.body), 65535)
                self.assertIn(answer.reset, (h2.INTERNAL_ERROR, h2.CANCEL))
            with self.subTest("a window that stays shut for the last bytes"):
                with Peer(connect(gateway.port), window=0) as peer:
                    answer = peer.answer(peer.request(path="/fixed"))
                    self.assertEqual((answer.status, answer.body, answer.reset), (200, b"", h2.CANCEL))

    def test_a_window_that_stays_shut_is_given_the_time_of_the_limit_and_no_more(self):
        with Origin(lambda _: reply(body=b"x" * 100)) as origin:
            with Gateway(config(origin, "{timeout: {write: 3s}}")) as gateway, Peer(connect(gateway.port), window=0) as peer:
                self.assertEqual(peer.answer(peer.request(method="HEAD")).status, 200)
                time.sleep(0.5)  # into the time of whatever that one has begun
                begin = time.monotonic()
                self.assertEqual(peer.answer(peer.request()).reset, h2.CANCEL)
        self.assertLess(time.monotonic() - begin, 5)

    def test_sigterm_serves_what_has_come_and_says_goaway(self):
        import threading
        go = threading.Event()

        def answer(request):
            go.wait(20)
            return reply(body=b"late")
        with Origin(answer) as origin, Gateway(config(origin)) as gateway:
            with Peer(connect(gateway.port)) as busy, Peer(connect(gateway.port)) as idle:
                self.assertEqual(idle.answer(idle.request(path="/fixed")).status, 200)
                stream = busy.request()
                gateway.wait_for(lambda: origin.requests, "request at the origin")
                gateway.signal(signal.SIGTERM)
                self.assertEqual(idle.to_the_end(), h2.NO_ERROR)
                busy.until(lambda: busy.goaway)
                more = busy.request(path="/fixed") if busy.goaway[0] > stream else None
                busy.until(lambda: busy.goaway[0] < 2**31 - 1)
                go.set()
                self.assertEqual(busy.answer(stream).body, b"late")
                if more and more <= busy.goaway[0]:
                    self.assertEqual(busy.answer(more).status, 200)
                self.assertEqual(busy.to_the_end(), h2.NO_ERROR)
            self.assertEqual(gateway.wait(), 0)

    def test_a_removed_listener_says_goaway_and_others_go_on(self):
        with Origin() as origin, Gateway(config(origin)) as gateway:
            context = client_context()
            context.set_alpn_protocols(["h2"])
            with Peer(connect(gateway.ports[0])) as clear, Peer(secure(gateway.ports[1], context=context)) as other:
                self.assertEqual(clear.answer(clear.request()).status, 200)
                self.assertEqual(other.answer(other.request(scheme="https")).status, 200)
                text = config(origin).replace("  - {address: 127.0.0.1:0, http2: true}\n", "")
                (gateway.dir / "gateway.yaml").write_text(text)
                gateway.signal(signal.SIGHUP)
                self.assertEqual(clear.to_the_end(), h2.NO_ERROR)
                self.assertEqual(other.answer(other.request(scheme="https")).status, 200)


class Scripts(unittest.TestCase):
    FILES = {
        "a.lua": "local M = {}\nfunction M.request(req) req.headers['x-lua'] = req.version .. req.host .. req.method end\n"
                 "function M.response(res) res.headers['X-Lua'] = 'r' end\nreturn M",
        "b.py": "def request(req, ctx):\n    req.headers['x-py'] = req.version + req.scheme\n    req.body = req.body.upper()\n",
        "c.js": "exports.request = function (req) { req.headers['x-js'] = req.version + (req.headers['cookie'] || '-'); };\n"
                "exports.response = function (res) { res.body = res.text() + '!'; };",
    }

    def test_three_languages_see_the_request(self):
        with Origin(echo) as origin:
            text = config(origin).replace(
                "chain: [access-log], upstream", "chain: [access-log, script: {file: a.lua}, script: {file: b.py, body: "
                "request}, script: {file: c.js, body: response}], upstream")
            with Gateway(text, files=self.FILES) as gateway, Peer(connect(gateway.port)) as peer:
                got = peer.answer(peer.request([("cookie", "a=1"), ("cookie", "b=2")], b"body", method="POST"))
                self.assertEqual(got.status, 200)
                self.assertEqual(got.value("x-lua"), "r")
                head, _, body = got.body.decode().partition("\r\n\r\n")
                self.assertEqual(body, "BODY!")
                for line in ("x-lua: 2gw.testPOST", "x-py: 2http", "x-js: 2a=1; b=2"):
                    self.assertIn(line, head)


class Tools(unittest.TestCase):
    def test_h2load(self):
        with Origin() as origin, Gateway(config(origin)) as gateway:
            for scheme, port in (("http", gateway.ports[0]), ("https", gateway.ports[1])):
                done = subprocess.run(["h2load", "-n", "5000", "-c", "8", "-m", "50", f"{scheme}://127.0.0.1:{port}/fixed"],
                                      capture_output=True, check=True, text=True)
                self.assertIn("5000 succeeded, 0 failed, 0 errored", done.stdout)

    def test_nghttp(self):
        with Origin(lambda request: reply(body=b"x" * 300_000)) as origin, Gateway(config(origin)) as gateway:
            done = subprocess.run(["nghttp", "-ns", f"https://127.0.0.1:{gateway.ports[1]}/a", f"https://127.0.0.1:{gateway.ports[1]}/b"],
                                  capture_output=True, check=True, text=True)
            self.assertEqual(done.stdout.count(" 200 "), 2, done.stdout)


if __name__ == "__main__":
    unittest.main()
