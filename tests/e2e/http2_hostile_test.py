#!/usr/bin/env python3
"""HTTP/2 clients that break the rules or abuse them, each beside one that does nearly the same and is served."""
import random
import re
import signal
import struct
import sys
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from http2_test import config  # noqa: E402
from support import h2  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.h2 import Peer  # noqa: E402
from support.wire import Origin, connect, reply, reset  # noqa: E402


class Refused(unittest.TestCase):
    """Malformed requests: each reset or answered with 400, and a near-identical one that is served."""

    BAD = {
        "no path": [(":method", "GET"), (":scheme", "http"), (":authority", "a")],
        "no method": [(":scheme", "http"), (":authority", "a"), (":path", "/")],
        "no scheme": [(":method", "GET"), (":authority", "a"), (":path", "/")],
        "path twice": [*h2.pseudo(), (":path", "/b")],
        "unknown pseudo": [*h2.pseudo(), (":proto", "x")],
        "status in a request": [*h2.pseudo(), (":status", "200")],
        "pseudo after a field": [*h2.pseudo()[:3], ("x-a", "1"), (":path", "/")],
        "connection": [*h2.pseudo(), ("connection", "close")],
        "keep-alive": [*h2.pseudo(), ("keep-alive", "1")],
        "proxy-connection": [*h2.pseudo(), ("proxy-connection", "close")],
        "transfer-encoding": [*h2.pseudo(), ("transfer-encoding", "chunked")],
        "upgrade": [*h2.pseudo(), ("upgrade", "websocket")],
        "te other than trailers": [*h2.pseudo(), ("te", "gzip")],
        "upper case": [*h2.pseudo(), ("X-A", "1")],
        "CR LF in a value": [*h2.pseudo(), ("x-a", "1\r\nx-b: 2")],
        "LF in a value": [*h2.pseudo(), ("x-a", "1\nx-b: 2")],
        "NUL in a value": [*h2.pseudo(), ("x-a", "1\0")],
        "CR LF in a name": [*h2.pseudo(), ("x-a\r\nx-b", "1")],
        "colon in a name": [*h2.pseudo(), ("x-a: 1", "1")],
        "space in a name": [*h2.pseudo(), ("x a", "1")],
        "empty name": [*h2.pseudo(), ("", "1")],
        "space before a value": [*h2.pseudo(), ("x-a", " 1")],
        "space in the path": h2.pseudo(path="/a b"),
        "a second request in the path": h2.pseudo(path="/ HTTP/1.1\r\nx-b: 2\r\n\r\nGET /admin"),
        "empty path": h2.pseudo(path=""),
        "absolute path": h2.pseudo(path="http://other/"),
        "other scheme": h2.pseudo(scheme="ftp", path="x"),
        "space in the method": h2.pseudo(method="GET /admin"),
        "CR LF in the authority": h2.pseudo(authority="a\r\nx-b: 2"),
        "two lengths": [*h2.pseudo(method="POST"), ("content-length", "0"), ("content-length", "1")],
        "length without content": [*h2.pseudo(method="POST"), ("content-length", "5")],
        "length that is none": [*h2.pseudo(method="POST"), ("content-length", "+0")],
    }
    ANSWERED = {
        "Host is another": ([*h2.pseudo(), ("host", "other.test")], 400),
        "user in the authority": (h2.pseudo(authority="a@b"), 400),
        "fragment": (h2.pseudo(path="/a#b"), 400),
        "CONNECT": ([(":method", "CONNECT"), (":authority", "a:1")], 501),
        "star": (h2.pseudo(method="OPTIONS", path="*"), 204),
        "encoded NUL": (h2.pseudo(path="/%00"), 400),
        "long target": (h2.pseudo(path="/" + "a" * 9000), 414),
        "many fields": ([*h2.pseudo(), *[("x-a", "1")] * 101], 431),
        "large head": ([*h2.pseudo(), *[("x-a", "1" * 8000)] * 5], 431),
        "large cookie": ([*h2.pseudo(), *[("cookie", "1" * 5000)] * 4], 431),
    }
    GOOD = {
        "plain": h2.pseudo(),
        "no authority but Host": [*h2.pseudo()[:2], (":path", "/"), ("host", "a")],
        "Host is the same": [*h2.pseudo(), ("host", "gw.test")],
        "te: trailers": [*h2.pseudo(), ("te", "trailers")],
        "bytes above 127": [*h2.pseudo(), ("x-a", "\xff")],
        "empty value": [*h2.pseudo(), ("x-a", "")],
        "length of nothing": [*h2.pseudo(method="POST"), ("content-length", "0")],
        "many small cookies": [*h2.pseudo(), *[("cookie", "a=1")] * 95],
    }

    def test_malformed_requests_are_reset_and_the_connection_goes_on(self):
        with Origin() as origin, Gateway(config(origin)) as gateway, Peer(connect(gateway.port)) as peer:
            for name, fields in self.BAD.items():
                with self.subTest(name):
                    answer = peer.answer(peer.head(fields))
                    self.assertEqual((answer.status, answer.reset), (None, h2.PROTOCOL_ERROR))
            for name, (fields, status) in self.ANSWERED.items():
                with self.subTest(name):
                    self.assertEqual(peer.answer(peer.head(fields)).status, status)
            self.assertEqual(origin.requests, [])
            for name, fields in self.GOOD.items():
                with self.subTest(name):
                    self.assertEqual(peer.answer(peer.head(fields)).status, 200)

    def test_content_that_is_not_as_long_as_it_said_never_is_a_whole_request(self):
        with Origin() as origin, Gateway(config(origin)) as gateway, Peer(connect(gateway.port)) as peer:
            for length, body in (("5", b"four"), ("3", b"four")):
                answer = peer.answer(peer.request([("content-length", length)], body, method="POST"))
                self.assertEqual((answer.status, answer.reset), (None, h2.PROTOCOL_ERROR))
            self.assertEqual(peer.answer(peer.request([("content-length", "4")], b"four", method="POST")).status, 200)
            self.assertEqual([request.body for request in origin.requests], [b"four"])


def metric(gateway, name):
    token = (gateway.dir / "data/admin.token").read_text().strip()
    request = urllib.request.Request(f"http://127.0.0.1:{gateway.admin_port}/metrics",
                                     headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as page:
        return int(re.search(rf"^{re.escape(name)} (\d+)", page.read().decode(), re.M)[1])


def closed(gateway, reason):
    return metric(gateway, f'lingate_http2_closed_total{{reason="{reason}"}}')


class Abuse(unittest.TestCase):
    """Each abuse ends its own connection, is counted and logged once; a neighbour is served throughout."""

    @classmethod
    def setUpClass(cls):
        cls.origin = Origin(lambda request: reply(body=b"x" * (300_000 if request.target == "/big" else 2))).__enter__()
        cls.gateway = Gateway(config(cls.origin)).__enter__()
        cls.neighbour = Peer(connect(cls.gateway.port))

    @classmethod
    def tearDownClass(cls):
        cls.neighbour.sock.close()
        cls.gateway.__exit__(None)
        cls.origin.__exit__()

    def peer(self, **settings):
        peer = Peer(connect(self.gateway.port), **settings)
        self.addCleanup(peer.sock.close)
        return peer

    def assert_served(self, peer):
        self.assertEqual(peer.answer(peer.request(path="/fixed")).status, 200)

    def assert_closed(self, send, code=h2.ENHANCE_YOUR_CALM, reason="abuse"):
        peer = self.peer()
        self.assert_served(peer)
        before = closed(self.gateway, reason)
        try:
            send(peer)
        except (OSError, EOFError):  # it was closed meanwhile
            pass
        self.assertEqual(peer.to_the_end(), code)
        self.assertEqual(closed(self.gateway, reason), before + 1)
        self.gateway.wait_for(lambda: self.lines() >= self.closings(), "line in the log")
        self.assertEqual(self.lines(), self.closings())
        self.assert_served(self.neighbour)

    def assert_harmless(self, send):
        peer = self.peer()
        before = self.closings()
        send(peer)
        self.assert_served(peer)
        self.assertEqual(self.closings(), before)

    def closings(self):
        return closed(self.gateway, "abuse") + closed(self.gateway, "protocol")

    def lines(self):
        return sum("LG1019" in line for line in self.gateway.log_lines())

    def test_rapid_reset(self):
        def resets(count):
            def send(peer):
                raw = b""
                for _ in range(count):
                    stream = peer.open()
                    raw += h2.frame(h2.HEADERS, 5, stream, h2.block(h2.pseudo())) + h2.frame(
                        h2.RST_STREAM, 0, stream, struct.pack(">I", h2.CANCEL))
                peer.send(raw)
            return send
        asked = len(self.origin.requests)
        self.assert_closed(resets(5000))
        self.assertLess(len(self.origin.requests) - asked, 1000)
        self.assert_harmless(resets(300))

    def test_resets_that_the_client_provokes(self):
        def provoked(count):
            def send(peer):
                for k in range(1, count + 1):
                    peer.give(peer.request(path="/big"), 0x7FFFFFFF)  # a window above 2^31-1 is an error of the stream
                    if k % 50 == 0:
                        peer.send(h2.frame(h2.PING, payload=b"12345678"))
                        peer.until(lambda: peer.pings == k // 50)
            return send
        self.assert_closed(provoked(2000))
        self.assert_harmless(provoked(100))

    def test_streams_on_top_of_each_other(self):
        def opened(count):
            def send(peer):
                peer.until(lambda: peer.settings)
                peer.send(b"".join(h2.frame(h2.HEADERS, 4, peer.open(), h2.block(h2.pseudo(method="POST"))) for _ in range(count)))
            return send

        def ended(peer):
            opened(127)(peer)
            for stream in list(peer.streams):
                peer.content(stream, b"")
        self.assert_closed(opened(200), code=h2.PROTOCOL_ERROR, reason="protocol")
        self.assert_harmless(ended)

    def test_continuation_without_end(self):
        def continued(count, piece):
            def send(peer):
                stream = peer.open()
                peer.send(h2.frame(h2.HEADERS, 1, stream, h2.block(h2.pseudo())) +
                          h2.frame(h2.CONTINUATION, 0, stream, piece) * (count - 1) +
                          h2.frame(h2.CONTINUATION, 4, stream, piece))
            return send
        self.assert_closed(continued(10_000, b""))
        self.assert_closed(continued(1000, h2.literal("x-a", "1" * 100)))
        self.assert_harmless(continued(8, h2.literal("x-a", "1" * 100)))

    def test_hpack_bombs(self):
        def bomb(count):
            def send(peer):
                entry = h2.literal("x-a", "1" * 4000, 0x40)  # into the table, then named by one byte each
                stream = peer.open()
                peer.send(h2.frame(h2.HEADERS, 5, stream, h2.block(h2.pseudo()) + entry + b"\xbe" * count))
                return stream
            return send
        self.assert_closed(bomb(10_000))
        self.assert_harmless(bomb(5))
        peer = self.peer()
        self.assertEqual(peer.answer(bomb(20)(peer)).status, 431)
        self.assert_served(peer)

    def test_hpack_that_is_none(self):
        self.assert_closed(lambda peer: peer.send(h2.frame(h2.HEADERS, 5, peer.open(), b"\xff\xff\xff\xff\xff\xff")),
                           code=h2.COMPRESSION_ERROR, reason="protocol")
        self.assert_closed(lambda peer: peer.send(h2.frame(h2.HEADERS, 5, peer.open(), h2.block(h2.pseudo()) + b"\xfe")),
                           code=h2.COMPRESSION_ERROR, reason="protocol")

    def test_floods_of_control_frames(self):
        kinds = {
            "ping": lambda peer: h2.frame(h2.PING, payload=b"12345678"),
            "settings": lambda peer: h2.settings((h2.INITIAL_WINDOW_SIZE, 65535)),
            "empty settings": lambda peer: h2.settings(),
            "window update": lambda peer: h2.frame(h2.WINDOW_UPDATE, 0, 0, b"\0\0\0\1"),
        }
        for name, make in kinds.items():
            with self.subTest(name):
                self.assert_closed(lambda peer: peer.send(make(peer) * 20_000))
                self.assert_harmless(lambda peer: peer.send(make(peer) * 200))
        # What is passed over unread costs no more than its bytes.
        self.assert_harmless(lambda peer: peer.send(h2.frame(h2.PRIORITY, 0, 1001, b"\0\0\0\0\x10") * 20_000))

    def test_pings_of_a_client_that_measures_a_large_answer(self):
        peer = self.peer()
        for _ in range(100):  # a ping and two windows for each piece
            answer = peer.streams[peer.request(path="/big")]
            while not answer.over:
                if peer.step() == h2.DATA:
                    peer.send(h2.frame(h2.PING, payload=b"12345678"))
        self.assertIsNone(peer.goaway)

    def test_data_without_content(self):
        def empty(count, ends):
            def send(peer):
                stream = peer.request(method="POST", ends=False)
                peer.send(h2.frame(h2.DATA, 0, stream) * count + (h2.frame(h2.DATA, h2.END_STREAM, stream) if ends else b""))
            return send
        self.assert_closed(empty(5000, False))
        self.assert_harmless(empty(50, True))

    def test_padding_without_content(self):
        def padded(peer):
            stream = peer.request(method="POST", ends=False)
            peer.send(h2.frame(h2.DATA, h2.PADDED, stream, bytes([200]) + bytes(200)) * 200)
        self.assert_closed(padded)

    def test_more_content_than_the_window_allows(self):
        def over(count):
            def send(peer):
                stream = peer.request(method="POST", path="/slow-body", ends=False)
                peer.send(h2.frame(h2.DATA, 0, stream, b"x" * 16384) * count)
            return send
        peer = self.peer()
        try:
            over(200)(peer)  # 3 MiB at once: above the connection's window unless all was used meanwhile
        except OSError:
            pass
        self.assert_served(self.neighbour)
        self.assert_harmless(lambda each: peer and over(3)(each))

    def test_frames_where_none_may_be(self):
        cases = {
            "DATA on no stream": h2.frame(h2.DATA, 0, 0, b"x"),
            "DATA on an idle stream": h2.frame(h2.DATA, 0, 101, b"x"),
            "HEADERS on an even stream": h2.frame(h2.HEADERS, 5, 2, h2.block(h2.pseudo())),
            "CONTINUATION alone": h2.frame(h2.CONTINUATION, 4, 3, b""),
            "PUSH_PROMISE": h2.frame(h2.PUSH_PROMISE, 4, 3, b"\0\0\0\4" + h2.block(h2.pseudo())),
            "SETTINGS on a stream": h2.frame(h2.SETTINGS, 0, 3),
            "a window opened by nothing": h2.frame(h2.WINDOW_UPDATE, 0, 0, b"\0\0\0\0"),
            "a window that overflows": h2.frame(h2.WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff"),
            "RST_STREAM of an idle stream": h2.frame(h2.RST_STREAM, 0, 101, b"\0\0\0\x08"),
            "a PING of seven bytes": h2.frame(h2.PING, payload=b"1234567"),
            "an over-long frame": b"\xff\xff\xff" + h2.frame(h2.DATA, 0, 1)[3:],
            "DATA amid a head": h2.frame(h2.HEADERS, 1, 3, h2.block(h2.pseudo())) + h2.frame(h2.DATA, 1, 3),
            "nonsense": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 50,
        }
        for name, raw in cases.items():
            with self.subTest(name):
                peer = self.peer()
                self.assert_served(peer)
                peer.send(raw)
                self.assertNotIn(peer.to_the_end(), (None, h2.NO_ERROR))
                self.assert_served(self.neighbour)
        self.assert_harmless(lambda peer: peer.send(h2.frame(0xEE, 0xFF, 0, b"unknown") * 100))

    def assert_only_the_neighbour_is_left(self):
        for name, left in (("http_server_active_requests", 0), ("lingate_connections", 1)):
            self.gateway.wait_for(lambda: metric(self.gateway, name) == left, f"end of {name}")
        self.assert_served(self.neighbour)

    def test_an_end_that_comes_along_with_frames_is_heard(self):
        for leave in (lambda sock: sock.close(), reset):
            peer = self.peer()
            self.assert_served(peer)
            self.gateway.signal(signal.SIGSTOP)
            peer.request(method="POST", ends=False)  # there is nothing to write to it, which would fail
            leave(peer.sock)
            self.gateway.signal(signal.SIGCONT)
            self.assert_only_the_neighbour_is_left()

    def test_clients_that_leave_anywhere_leave_nothing_behind(self):
        dice = random.Random(7)
        for _ in range(60):
            peer = self.peer(opens_windows=dice.randrange(2) == 0)
            peer.sock.settimeout(0.2)  # some wait for what will not come
            try:
                for _ in range(dice.randrange(1, 30)):
                    match dice.randrange(5):
                        case 0: peer.request(path=dice.choice(["/big", "/fixed", "/x"]))
                        case 1: peer.content(peer.request(method="POST", ends=False), b"x" * dice.randrange(3000), dice.randrange(2) == 0)
                        case 2 if peer.streams: peer.reset(dice.choice(list(peer.streams)))
                        case 3 if any(not each.over for each in peer.streams.values()): peer.step()
                        case 4 if peer.streams: peer.give(dice.choice(list(peer.streams)), 1000)
            except (OSError, EOFError):
                pass
            dice.randrange(2) and reset(peer.sock)
            peer.sock.close()
        self.assert_only_the_neighbour_is_left()

    def test_random_frames_never_harm_the_neighbour(self):
        dice = random.Random(9)
        for _ in range(150):
            peer = self.peer()
            raw = b""
            for _ in range(dice.randrange(1, 40)):
                payload = dice.choice([h2.block(h2.pseudo()), dice.randbytes(dice.randrange(40)), b"\0\0\0\1"])
                raw += h2.frame(dice.randrange(11), dice.choice([0, 1, 4, 5, 8, 0x20, 0xFF]), dice.randrange(8), payload)
            place = dice.randrange(len(raw))
            raw = raw if dice.randrange(2) else raw[:place] + dice.randbytes(3) + raw[place:]
            try:
                peer.send(raw)
                dice.randrange(2) or peer.sock.shutdown(1)
            except OSError:
                pass
            peer.sock.close()
        self.assert_only_the_neighbour_is_left()  # all of them are counted by then


if __name__ == "__main__":
    unittest.main()
