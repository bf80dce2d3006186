#!/usr/bin/env python3
"""HTTP/2 to upstreams, in clear and by ALPN, and what gRPC needs of it: streams both ways, trailers, resets."""
import signal
import ssl
import struct
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import h2  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.h2 import Peer  # noqa: E402
from support.tls import CA, SITE  # noqa: E402
from support.wire import Origin, ask, connect, problem_code, reply, request_bytes  # noqa: E402

CONFIG = """
version: 1
workers: 1
listen: [{{address: 127.0.0.1:0, http2: true}}]
log: {{level: debug}}
upstreams:
  origin: {{targets: ["{url}"], eject: off, {more}}}
routes:
  - {{name: all, match: {{path: "/*"}}, chain: [access-log], upstream: origin}}
"""
CALL = [("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", "5S")]
OK = [("grpc-status", "0"), ("grpc-message", "")]


def message(data):
    return b"\0" + struct.pack(">I", len(data)) + data


class Server:
    """An upstream: `serve(peer, stream)` for each request, on the connection's own thread."""

    def __init__(self, serve, context=None):
        self.serve, self.context = serve, context
        self.connections = 0
        self.failures = []

    def __enter__(self):
        self.origin = Origin(serve=self._connection).__enter__()
        self.port = self.origin.port
        return self

    def __exit__(self, *_):
        self.origin.__exit__()

    def _connection(self, sock, _stream):
        self.connections += 1
        if self.context:
            sock = self.context.wrap_socket(sock, server_side=True)
        peer = Peer(sock, server=True)
        try:
            while True:
                peer.until(lambda: peer.requests)
                self.serve(peer, peer.requests.pop(0))
        except (EOFError, OSError):
            pass
        except Exception as error:  # noqa: BLE001
            self.failures.append(error)
            raise


def head(peer, stream, fields=(), status=200, ends=False):
    peer.send(h2.frame(h2.HEADERS, h2.END_HEADERS | (h2.END_STREAM if ends else 0), stream,
                       h2.block([(":status", str(status)), *fields])))


def finish(peer, stream, trailers=OK):
    peer.send(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, h2.block(trailers)))


def config(server, more="", scheme="h2c"):
    return CONFIG.format(url=f"{scheme}://127.0.0.1:{server.port}", more=more)


def whole(peer, stream):
    peer.until(lambda: peer.streams[stream].over)
    return peer.streams[stream]


class Grpc(unittest.TestCase):
    def test_a_unary_call(self):
        seen = []

        def serve(peer, stream):
            seen.append(whole(peer, stream))
            head(peer, stream, [("content-type", "application/grpc")])
            peer.content(stream, message(b"answer"), ends=False)
            finish(peer, stream)
        with Server(serve) as server, Gateway(config(server)) as gateway, Peer(connect(gateway.port)) as peer:
            for k in range(3):
                answer = peer.answer(peer.request(CALL, message(b"ask%d" % k), method="POST", path="/pkg.Service/Call"))
                self.assertEqual((answer.status, answer.body), (200, message(b"answer")))
                self.assertEqual(dict(answer.trailers)["grpc-status"], "0")
                self.assertEqual(answer.value("content-type"), "application/grpc")
            fields = dict(seen[0].fields)
            self.assertEqual((fields[":method"], fields[":path"], fields[":scheme"], fields[":authority"]),
                             ("POST", "/pkg.Service/Call", "http", "gw.test"))
            self.assertEqual((fields["te"], fields["content-type"], fields["grpc-timeout"]), ("trailers", "application/grpc", "5S"))
            for name in ("transfer-encoding", "connection", "host"):
                self.assertNotIn(name, fields)
            self.assertEqual([each.body for each in seen], [message(b"ask%d" % k) for k in range(3)])
            self.assertEqual(server.connections, 1)  # kept

    def test_a_script_that_reads_or_edits_the_answer_leaves_the_trailers(self):
        scripts = {"read.lua": "return {response = function(res) res:text() end}",
                   "edit.lua": "return {response = function(res) res.body = res:text():upper() end}",
                   "empty.lua": "return {response = function(res) res.body = '' end}",
                   "fail.lua": "return {response = function(res) error('broken') end}"}
        route = '  - {{{{name: {0}, match: {{{{path: /{0}}}}}, chain: [script: {{{{file: {0}.lua, body: response}}}}], upstream: origin}}}}\n'

        def serve(peer, stream):
            whole(peer, stream)
            head(peer, stream, [("content-type", "application/grpc")])
            peer.content(stream, message(b"answer"), ends=False)
            finish(peer, stream)
        names = {"read": message(b"answer"), "edit": message(b"ANSWER"), "empty": b""}
        with Server(serve) as server:
            routes = "".join(route.format(name) for name in (*names, "fail")).format()
            with Gateway(config(server) + routes, scripts) as gateway, Peer(connect(gateway.port)) as peer:
                for name, body in names.items():
                    answer = peer.answer(peer.request(CALL, message(b"ask"), method="POST", path=f"/{name}"))
                    self.assertEqual((answer.status, answer.body, answer.trailers), (200, body, OK), name)
                answer = peer.answer(peer.request(CALL, message(b"ask"), method="POST", path="/fail"))
                self.assertEqual((answer.status, answer.trailers), (500, None))
                self.assertEqual(server.connections, 1)

    def test_only_trailers(self):
        def serve(peer, stream):
            whole(peer, stream)
            head(peer, stream, [("content-type", "application/grpc"), ("grpc-status", "12")], ends=True)
        with Server(serve) as server, Gateway(config(server)) as gateway, Peer(connect(gateway.port)) as peer:
            answer = peer.answer(peer.request(CALL, message(b""), method="POST"))
            self.assertEqual((answer.status, answer.value("grpc-status"), answer.body), (200, "12", b""))

    def test_a_server_streams(self):
        def serve(peer, stream):
            whole(peer, stream)
            head(peer, stream)
            for k in range(50):
                peer.content(stream, message(b"%d" % k * 3000), ends=False)
            finish(peer, stream)
        with Server(serve) as server, Gateway(config(server)) as gateway, Peer(connect(gateway.port)) as peer:
            answer = peer.answer(peer.request(CALL, message(b""), method="POST"))
            self.assertEqual(answer.body, b"".join(message(b"%d" % k * 3000) for k in range(50)))
            self.assertEqual(dict(answer.trailers)["grpc-status"], "0")
            self.assertEqual(server.failures, [])

    def test_a_client_streams(self):
        def serve(peer, stream):
            got = whole(peer, stream)
            head(peer, stream)
            peer.content(stream, message(b"%d" % len(got.body)), ends=False)
            finish(peer, stream)
        body = message(b"x" * 100_000) * 10
        with Server(serve) as server, Gateway(config(server)) as gateway, Peer(connect(gateway.port)) as peer:
            answer = peer.answer(peer.request(CALL, body, method="POST"))
            self.assertEqual(answer.body, message(b"%d" % len(body)))

    def test_both_stream(self):
        def serve(peer, stream):
            head(peer, stream)
            answer, echoed = peer.streams[stream], 0
            while not answer.over:
                peer.step()
                if len(answer.body) > echoed:
                    part, echoed = answer.body[echoed:], len(answer.body)
                    peer.content(stream, part, ends=False)
            finish(peer, stream)
        with Server(serve) as server, Gateway(config(server)) as gateway, Peer(connect(gateway.port)) as peer:
            stream = peer.request(CALL, method="POST", ends=False)
            answer, sent = peer.streams[stream], b""
            for k in range(20):  # each answered before the next
                part = message(b"%d" % k * 100)
                peer.content(stream, part, ends=False)
                sent += part
                peer.until(lambda: answer.body == sent)
            peer.content(stream, b"")
            self.assertEqual(dict(peer.answer(stream).trailers)["grpc-status"], "0")

    def test_many_calls_at_once(self):
        def serve(peer, stream):
            whole(peer, stream)
            head(peer, stream)
            peer.content(stream, peer.streams[stream].body, ends=False)
            finish(peer, stream)
        with Server(serve) as server, Gateway(config(server)) as gateway, Peer(connect(gateway.port)) as peer:
            streams = {peer.request(CALL, message(b"%d" % k), method="POST"): message(b"%d" % k) for k in range(40)}
            for stream, body in streams.items():
                answer = peer.answer(stream)
                self.assertEqual((answer.body, dict(answer.trailers)["grpc-status"]), (body, "0"))

    def test_a_call_that_is_called_off_is_called_off_upstream(self):
        gone = threading.Event()

        def serve(peer, stream):
            head(peer, stream)
            peer.content(stream, message(b"first"), ends=False)
            try:
                peer.until(lambda: peer.streams[stream].reset is not None)
            except EOFError:
                pass
            gone.set()
            raise EOFError
        with Server(serve) as server, Gateway(config(server)) as gateway, Peer(connect(gateway.port)) as peer:
            stream = peer.request(CALL, method="POST", ends=False)
            peer.until(lambda: peer.streams[stream].body)
            peer.reset(stream)
            self.assertTrue(gone.wait(20))
            self.assertEqual(gateway.wait_access(lambda line: True)["http.response.status_code"], 499)

    def test_a_call_that_the_upstream_resets_is_never_whole(self):
        def serve(peer, stream):
            whole(peer, stream)
            if ("x-early", "1") in peer.streams[stream].fields:
                return peer.reset(stream, h2.INTERNAL_ERROR)
            head(peer, stream)
            peer.content(stream, message(b"first"), ends=False)
            peer.reset(stream, h2.INTERNAL_ERROR)
        with Server(serve) as server, Gateway(config(server)) as gateway, Peer(connect(gateway.port)) as peer:
            answer = peer.answer(peer.request(CALL, message(b""), method="POST"))
            self.assertEqual((answer.trailers, answer.reset), (None, h2.INTERNAL_ERROR))
            self.assertEqual(peer.answer(peer.request([("x-early", "1")], b"x", method="POST")).status, 502)


class Upstreams(unittest.TestCase):
    def test_http1_clients_are_served_from_it(self):
        def serve(peer, stream):
            asked = whole(peer, stream)
            fields = dict(asked.fields)
            if fields[":path"] == "/204":
                return head(peer, stream, status=204, ends=True)
            if fields[":path"] == "/length":
                head(peer, stream, [("content-length", "5")])
                return peer.content(stream, b"" if fields[":method"] == "HEAD" else b"hello")
            head(peer, stream, [("x-path", fields[":path"])], ends=fields[":method"] == "HEAD")
            if fields[":method"] != "HEAD":
                peer.content(stream, asked.body, ends=False)
                finish(peer, stream, [("x-sum", "1")])
        with Server(serve) as server, Gateway(config(server)) as gateway:
            self.assertEqual(ask(gateway.port, request_bytes(target="/204")).status, 204)
            self.assertEqual(ask(gateway.port, request_bytes(target="/length")).body, b"hello")
            self.assertEqual(ask(gateway.port, request_bytes("HEAD", "/length")).value("content-length"), "5")
            self.assertEqual(ask(gateway.port, request_bytes("HEAD", "/x")).value("x-path"), "/x")
            big = bytes(range(256)) * 4000
            got = ask(gateway.port, request_bytes("POST", "/big", body=big))
            self.assertEqual((got.status, got.body), (200, big))
            self.assertEqual(got.value("transfer-encoding"), "chunked")
            raw = request_bytes("POST", "/x", [("Transfer-Encoding", "chunked")]) + b"3\r\nabc\r\n0\r\n\r\n"
            self.assertEqual(ask(gateway.port, raw).body, b"abc")
            self.assertEqual(server.failures, [])

    def test_alpn_decides_behind_tls(self):
        def serve(peer, stream):
            whole(peer, stream)
            head(peer, stream, [("x-h2", "1")], ends=True)
        more = f"http2: true, tls: {{ca: {CA.cert}}}"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(SITE.cert, SITE.key)
        context.set_alpn_protocols(["h2"])
        with Server(serve, context) as server, Gateway(config(server, more, "https")) as gateway:
            for _ in range(3):
                self.assertEqual(ask(gateway.port, request_bytes()).value("x-h2"), "1")

        def plain(sock, _):
            from support.wire import Stream
            with context.wrap_socket(sock, server_side=True) as tls:
                stream = Stream(tls)
                while stream.request():
                    tls.sendall(reply(body=b"one"))
        context.set_alpn_protocols(["http/1.1"])
        with Origin(serve=plain) as origin, Gateway(config(origin, more, "https")) as gateway:
            self.assertEqual(ask(gateway.port, request_bytes()).body, b"one")

    def test_health_checks_speak_it(self):
        well = threading.Event()
        well.set()

        def serve(peer, stream):
            checks = dict(whole(peer, stream).fields)[":path"] == "/health"
            head(peer, stream, status=503 if checks and not well.is_set() else 200, ends=True)
        more = "health: {path: /health, every: 50ms, healthy: 1, unhealthy: 1}"
        with Server(serve) as server, Gateway(config(server, more)) as gateway:
            self.assertEqual(ask(gateway.port, request_bytes()).status, 200)
            well.clear()
            gateway.wait_log("is unhealthy")
            self.assertEqual(ask(gateway.port, request_bytes()).status, 503)
            well.set()
            gateway.wait_log("is healthy again")
            self.assertEqual(ask(gateway.port, request_bytes()).status, 200)

    def test_an_end_that_comes_along_with_content_cuts_the_answer(self):
        gateways = []

        def serve(peer, stream):
            gateways[0].signal(signal.SIGSTOP)
            head(peer, stream)
            peer.content(stream, b"half", ends=False)
            peer.sock.close()
            gateways[0].signal(signal.SIGCONT)
        with Server(serve) as server, Gateway(config(server)) as gateway, Peer(connect(gateway.port)) as peer:
            gateways.append(gateway)
            answer = peer.answer(peer.request())
            self.assertEqual(answer.reset, h2.INTERNAL_ERROR)

    def test_a_slow_reader_stops_the_upstream(self):
        size, sent = 4 << 20, []

        def serve(peer, stream):
            whole(peer, stream)
            head(peer, stream)
            for _ in range(size >> 16):
                peer.content(stream, b"x" * (1 << 16), ends=False)
                sent.append(1 << 16)
            finish(peer, stream)
        with Server(serve) as server, Gateway(config(server)) as gateway:
            before = gateway.memory()
            with Peer(connect(gateway.port), opens_windows=False) as peer:
                stream = peer.request(CALL, message(b""), method="POST")
                answer = peer.streams[stream]
                peer.until(lambda: len(answer.body) == 65535)
                peer.send(h2.frame(h2.PING, payload=b"12345678"))
                peer.until(lambda: peer.pings == 1)
                self.assertLess(gateway.memory() - before, 2 << 20)
                self.assertLess(sum(sent), 1 << 20)
                peer.opens_windows = True
                peer.give(0, 65535)
                peer.give(stream, 65535)
                self.assertEqual(len(peer.answer(stream).body), size)
                self.assertEqual(dict(answer.trailers)["grpc-status"], "0")

    def test_goaway_and_pings_between_requests(self):
        def serve(peer, stream):
            whole(peer, stream)
            head(peer, stream, ends=True)
            peer.send(h2.frame(h2.PING, payload=b"12345678"))
            if ("x-last", "1") in peer.streams[stream].fields:
                peer.send(h2.frame(h2.GOAWAY, payload=struct.pack(">II", stream, 0)))
        with Server(serve) as server, Gateway(config(server)) as gateway:
            for k in range(12):
                got = ask(gateway.port, request_bytes(headers=[("x-last", "1")] if k % 3 == 2 else ()))
                self.assertEqual(got.status, 200)
            self.assertLessEqual(server.connections, 12)

    def test_what_is_no_http2_is_a_bad_gateway(self):
        with Origin() as origin, Gateway(config(origin)) as gateway:
            got = ask(gateway.port, request_bytes())
            self.assertEqual((got.status, problem_code(got)[:3]), (502, "LG4"))

    def test_malformed_answers_are_refused(self):
        bad = {"no status": [("x-a", "1")], "connection": [(":status", "200"), ("connection", "close")],
               "LF": [(":status", "200"), ("x-a", "1\nx-b: 2")], "status": [(":status", "2000")],
               "upper case": [(":status", "200"), ("X-A", "1")]}

        def serve(peer, stream):
            name = next(v for n, v in whole(peer, stream).fields if n == "x-case")
            peer.send(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, h2.block(bad[name])))
        with Server(serve) as server, Gateway(config(server)) as gateway:
            for name in bad:
                with self.subTest(name):
                    self.assertEqual(ask(gateway.port, request_bytes(headers=[("x-case", name)])).status, 502)


if __name__ == "__main__":
    unittest.main()
