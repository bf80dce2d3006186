#!/usr/bin/env python3
"""Upstreams that speak HTTP/2 and answer early, malformed, without end or without measure: nobody else's request suffers."""
import struct
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import h2  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.h2 import Peer  # noqa: E402
from support.wire import Origin, Stream, ask, connect, problem_code, request_bytes  # noqa: E402

CONFIG = """
version: 1
workers: 1
listen: [{{address: 127.0.0.1:0}}]
upstreams:
  origin: {{targets: [{{url: "h2c://127.0.0.1:{port}"}}], eject: off}}
routes: [{{name: all, match: {{path: "/*"}}, upstream: origin}}]
"""
WINDOW = 65535
OK = h2.block([(":status", "200"), ("content-length", "2")])


def answering(answer):
    """An upstream that calls answer(peer, stream) for each request, once its head is here."""
    def serve(sock, _):
        peer = Peer(sock, server=True)
        while True:
            peer.step()
            while peer.requests:
                answer(peer, peer.requests.pop(0))
    return serve


class Upstreams(unittest.TestCase):
    def test_what_an_early_answer_left_of_a_request_goes_out_with_no_other(self):
        for resets in (False, True):
            for framing in ("Content-Length: 6\r\n\r\nB-body", "Transfer-Encoding: chunked\r\n\r\n6\r\nB-body\r\n0\r\n\r\n"):
                with self.subTest(resets=resets, framing=framing):
                    self.answer_early(resets, framing.encode())

    def answer_early(self, resets, victim):
        bodies = []

        def serve(sock, _):
            peer, answered = Peer(sock, server=True, opens_windows=False), set()
            while True:
                peer.step()
                for stream in set(peer.requests) - answered:
                    asked = peer.streams[stream]
                    if dict(asked.fields)[":path"] != "/early" and asked.over:
                        bodies.append(bytes(asked.body))
                        peer.send(h2.frame(h2.HEADERS, h2.END_HEADERS, stream, OK) + h2.frame(h2.DATA, h2.END_STREAM, stream, b"ok"))
                    elif len(asked.body) == WINDOW:  # no more comes: the stream's window is spent
                        peer.send(h2.frame(h2.HEADERS, 5, stream, h2.block([(":status", "413"), ("content-length", "0")]))
                                  + h2.frame(h2.WINDOW_UPDATE, 0, 0, struct.pack(">I", WINDOW))
                                  + (h2.frame(h2.RST_STREAM, 0, stream, b"\0\0\0\0") if resets else b""))
                    else:
                        continue
                    answered.add(stream)

        with Origin(serve=serve) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway:
            self.assertEqual(ask(gateway.port, request_bytes("POST", "/early", body=b"A" * WINDOW + b"&left=over")).status, 413)
            self.assertEqual(ask(gateway.port, b"POST /victim HTTP/1.1\r\nHost: b\r\n" + victim).status, 200)
            self.assertEqual(bodies, [b"B-body"])

    def test_interim_heads_are_not_kept_faster_than_they_are_read(self):
        def bomb(peer, stream):  # 70 bytes each on the wire, 240 KiB each as text
            entries = h2.literal(":status", "103", 0x40) + h2.literal("a", "x" * 3900, 0x40)
            peer.send(h2.frame(h2.HEADERS, h2.END_HEADERS, stream, entries)
                      + h2.frame(h2.HEADERS, h2.END_HEADERS, stream, b"\xbf" + b"\xbe" * 60) * 1700)

        with Origin(serve=answering(bomb)) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway:
            before = gateway.peak_memory()
            self.assertEqual(problem_code(ask(gateway.port, request_bytes())), "LG4003")
            self.assertLess(gateway.peak_memory() - before, 16 << 20)

    def test_an_answer_that_breaks_http2_is_told_as_such_and_the_request_sent_once(self):
        for name, field in ("upper case", ("X-A", "1")), ("connection", ("connection", "x")):
            asked = []

            def answer(peer, stream):
                asked.append(stream)
                peer.send(h2.frame(h2.HEADERS, 5, stream, h2.block([(":status", "200"), field])))

            with self.subTest(name), Origin(serve=answering(answer)) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway:
                self.assertEqual(problem_code(ask(gateway.port, request_bytes("PUT", body=b""))), "LG4003")
                self.assertEqual(len(asked), 1)

    def test_heads_and_trailers_beyond_64_kib_reach_a_client(self):
        many = [(f"x-{k}", "v" * 8000) for k in range(10)]

        def split(kind, stream, fields):
            text = h2.block(fields)
            pieces = [text[at:at + 16384] for at in range(0, len(text), 16384)]
            last = len(pieces) - 1
            return b"".join(h2.frame(h2.CONTINUATION if k else h2.HEADERS, (0 if k else kind) | (h2.END_HEADERS if k == last else 0),
                                     stream, piece) for k, piece in enumerate(pieces))

        def answer(peer, stream):
            peer.send(split(0, stream, [(":status", "200"), *many]) + h2.frame(h2.DATA, 0, stream, b"ok")
                      + split(h2.END_STREAM, stream, [("grpc-status", "0"), *many]))

        config = CONFIG.replace("127.0.0.1:0}}", "127.0.0.1:0, http2: true}}") + "limits: {{head: 256KiB}}\n"
        with Origin(serve=answering(answer)) as origin, Gateway(config.format(port=origin.port)) as gateway:
            with Peer(connect(gateway.port)) as peer:
                got = peer.answer(peer.request(many))
                self.assertEqual((got.status, got.body, len(got.trailers)), (200, b"ok", 11))

    def test_streams_whose_end_never_comes_use_no_connection_up(self):
        def answer(peer, stream):
            peer.send(h2.frame(h2.HEADERS, h2.END_HEADERS, stream, OK) + h2.frame(h2.DATA, 0, stream, b"ok"))

        def serve(sock, stream):
            sock.sendall(h2.settings((3, 10)))  # SETTINGS_MAX_CONCURRENT_STREAMS
            answering(answer)(sock, stream)

        with Origin(serve=serve) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway, connect(gateway.port) as sock:
            stream = Stream(sock)
            for _ in range(50):
                sock.sendall(request_bytes())
                self.assertEqual(stream.response().body, b"ok")


if __name__ == "__main__":
    unittest.main()
