#!/usr/bin/env python3
"""The load generator tells right answers from wrong ones, however they are framed, and notices those that never come."""
import contextlib
import json
import socket
import threading
import unittest

from bench import CORE, LOAD, InFolder
from measure import Load

REQUEST = b"GET /5 HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Answering:
    """A server that answers each request with the given pieces, or closes where there are none."""

    def __init__(self, *pieces):
        self.pieces = pieces
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=self.socket.accept()[:1], daemon=True).start()

    def serve(self, client):
        with client, contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while client.recv(len(REQUEST)) and self.pieces:
                for piece in self.pieces:
                    client.sendall(piece)


class Counts(InFolder):
    def counted(self, *pieces, verb="open"):
        load = Load(LOAD, CORE, self.folder)
        self.addCleanup(load.stop)
        server = Answering(*pieces)
        self.addCleanup(server.socket.close)
        request = self.folder / "request"
        request.write_bytes(REQUEST)
        if verb == "hold":
            return load.counts("hold", server.port, 20, 200, 5, request)
        job = load.open(server.port, 2, 20, 200, 5, request)
        load.go(job, 50)
        return load.counts("tell", job)

    def test_right_answers_are_counted_however_they_are_framed(self):
        for pieces in ([HEAD + b"12345"], [HEAD[:20], HEAD[20:], b"12", b"345"], [CHUNKED + b"5\r\n12345\r\n0\r\n\r\n"],
                       [CHUNKED + b"2;x=y\r\n12\r", b"\n3\r\n345\r\n0\r\n", b"Trailer: 1\r\n", b"\r\n"]):
            with self.subTest(pieces):
                counts = self.counted(*pieces)
                self.assertGreater(counts["requests"], 0)
                self.assertEqual((counts["wrong"], counts["lost"]), (0, 0), counts)
                self.assertGreater(counts["p99"], 0)

    def test_wrong_answers_are_told(self):
        for pieces, said in (([HEAD.replace(b"200 OK", b"502 Bad") + b"12345"], "HTTP/1.1 502 Bad with 5 bytes"),
                             ([HEAD.replace(b"5", b"4") + b"1234"], "HTTP/1.1 200 OK with 4 bytes"),
                             ([CHUNKED + b"6\r\n123456\r\n0\r\n\r\n"], "HTTP/1.1 200 OK with 6 bytes")):
            with self.subTest(said):
                counts = self.counted(*pieces)
                self.assertGreaterEqual(counts["wrong"], counts["requests"])
                self.assertEqual(counts["said"], said)

    def test_what_follows_an_answer_is_wrong(self):
        self.assertGreater(self.counted(HEAD + b"12345678")["wrong"], 0)

    def test_connections_that_are_closed_are_lost(self):
        counts = self.counted()
        self.assertEqual((counts["requests"], counts["lost"]), (0, 2))

    def test_held_connections_sent_one_request_each(self):
        counts = self.counted(HEAD + b"12345", verb="hold")
        self.assertEqual((counts["requests"], counts["wrong"], counts["lost"]), (20, 0, 0))


if __name__ == "__main__":
    unittest.main()
