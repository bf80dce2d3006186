#!/usr/bin/env python3
"""Both sides lie: requests (client_cases.py) and responses (upstream_cases.py) that try to be read in two ways, over raw
sockets. Each stands beside the nearest harmless one, which passes: what is refused is refused for what it is."""
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import client_cases  # noqa: E402
import upstream_cases  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.wire import Origin, Stream, ask, connect, problem_code, reply, request_bytes  # noqa: E402

CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off, timeout: {{response: 2s}}}}
routes:
  - {{name: here, match: {{path: /here}}, respond: {{text: here}}}}
  - {{name: refused, match: {{path: "/refused/*"}}, chain: [respond: {{status: 403, text: no}}], upstream: origin}}
  - {{name: limited, match: {{path: "/limited/*"}}, chain: [body-limit: 1KiB], upstream: origin}}
  - {{name: all, match: {{path: "/*"}}, upstream: origin}}
"""


class Barrier:
    """Until the gateway's worker has read what was written before: it answers a request that came later."""

    def __init__(self, port):
        self.sock = connect(port)
        self.stream = Stream(self.sock)

    def pass_(self):
        self.sock.sendall(request_bytes(target="/here"))
        self.stream.response()

    def close(self):
        self.sock.close()


def read_all(stream):
    """The rest of what the peer says; a reset ends it too."""
    try:
        while True:
            stream.more()
    except (EOFError, ConnectionResetError):
        return stream.buffer


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.origin = Origin(lambda request: reply(body=b"ok")).__enter__()
        cls.gateway = Gateway(CONFIG.format(port=cls.origin.port)).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.__exit__(None)
        cls.origin.__exit__()

    def talk(self, pieces, count, closes, barrier=None):
        """(statuses, whether it ended there as it should, whole requests upstream)"""
        self.origin.requests.clear()
        with connect(self.gateway.port) as sock:
            stream = Stream(sock)
            for piece in pieces[:-1]:
                sock.sendall(piece)
                barrier.pass_()
            sock.sendall(pieces[-1])
            statuses = []
            try:
                statuses += [stream.response().status for _ in range(count)]
            except (EOFError, ConnectionResetError):
                return statuses, False, None
            if closes:
                ended = read_all(stream) == b""
            else:
                sock.sendall(request_bytes(target="/here"))
                response = stream.response()
                ended = response.body == b"here" and not stream.buffer
        return statuses, ended, [(each.target, each.body) for each in self.origin.requests]

    def hold(self, case, pieces=None, barrier=None):
        statuses, ended, upstream = self.talk(pieces or [case.sent], len(case.statuses), case.closes, barrier)
        self.assertEqual(statuses, case.statuses)
        self.assertTrue(ended, "the connection has to end there" if case.closes else "the connection has to go on")
        self.assertEqual(upstream, case.upstream)

    def test_hostile_requests(self):
        for case in client_cases.all_cases():
            with self.subTest(case.name):
                self.hold(case)

    def test_their_harmless_neighbours(self):
        for case in client_cases.all_cases():
            with self.subTest(case.name):
                closes = b"HTTP/1.0" in case.control and b"keep-alive" not in case.control
                statuses, ended, upstream = self.talk([case.control], len(case.control_statuses), closes)
                self.assertEqual((statuses, ended), ([204] if case.control.startswith(b"OPTIONS *") else case.control_statuses, True))
                if case.control_upstream is not None:
                    self.assertEqual(upstream, case.control_upstream)

    def test_split_at_every_byte_they_are_the_same(self):
        barrier = Barrier(self.gateway.port)
        for case in client_cases.all_cases():
            # A head that came in parts is looked at when CRLF CRLF is there, or at its deadline.
            if len(case.sent) > 300 or case.at_once or b"\r\n\r\n" not in case.sent:
                continue
            for at in range(1, len(case.sent)):
                pieces = [case.sent[:at], case.sent[at:]]
                with self.subTest(case.name, at=at):
                    try:
                        self.hold(case, pieces, barrier)
                    except ConnectionError:  # it was refused before its end was sent
                        pass
        barrier.close()


class Liar:
    """An upstream: /lie/N and /true/N say what case N holds, a third part of the path says where it is cut in two; all
    else is answered honestly. Notes which connection served what."""

    def __init__(self, cases):
        self.cases, self.gateway_port = cases, None
        self.connections, self.last, self.said = 0, None, threading.Event()

    def serve(self, sock, stream):
        self.connections += 1
        number = self.connections
        barrier = None
        while True:
            head = stream.head()
            _, what, *rest = head.split(b" ")[1].decode().split("/")
            self.last = number
            if what not in ("lie", "true"):
                sock.sendall(reply(body=b"good"))
                continue
            case = self.cases[int(rest[0])]
            said = case.sent if what == "lie" else case.control
            if len(rest) > 1:
                barrier = barrier or Barrier(self.gateway_port)
                sock.sendall(said[:int(rest[1])])
                barrier.pass_()
                said = said[int(rest[1]):]
            try:
                sock.sendall(said)
            finally:
                self.said.set()
            if case.ends and what == "lie":
                return


class Upstreams(unittest.TestCase):
    cases = list(upstream_cases.all_cases())

    @classmethod
    def setUpClass(cls):
        cls.liar = Liar(cls.cases)
        cls.origin = Origin(serve=cls.liar.serve).__enter__()
        cls.gateway = Gateway(CONFIG.format(port=cls.origin.port)).__enter__()
        cls.liar.gateway_port = cls.gateway.port
        cls.barrier = Barrier(cls.gateway.port)

    @classmethod
    def tearDownClass(cls):
        cls.barrier.close()
        cls.gateway.__exit__(None)
        cls.origin.__exit__()

    def ask(self, case, target):
        """(status or CUT, body, whether its connection served the next request, which gets the right answer)"""
        self.liar.said.clear()
        fields = "".join(f"{line}\r\n" for line in case.fields)
        with connect(self.gateway.port) as sock:
            stream = Stream(sock)
            sock.sendall(f"{case.method} {target} HTTP/1.1\r\nHost: gw.test\r\n{fields}\r\n".encode())
            try:
                response = stream.response(case.method)
                outcome, body = response.status, response.body
            except (EOFError, ConnectionResetError):
                outcome, body = upstream_cases.CUT, None
        self.liar.said.wait(5)
        self.barrier.pass_()
        used = self.liar.last
        following = ask(self.gateway.port, request_bytes(target="/next"))
        self.assertEqual((following.status, following.body), (200, b"good"), "what the next one got")
        return outcome, body, self.liar.last == used

    def test_lies(self):
        for number, case in enumerate(self.cases):
            with self.subTest(case.name):
                outcome, body, reused = self.ask(case, f"/lie/{number}")
                self.assertEqual((outcome, reused), (case.outcome, case.reused))
                if case.body is not None:
                    self.assertEqual(body, case.body)
                if outcome == upstream_cases.BAD:
                    self.assertIn(b"LG4003", body)

    def test_their_honest_neighbours(self):
        for number, case in enumerate(self.cases):
            with self.subTest(case.name):
                outcome, _, reused = self.ask(case, f"/true/{number}")
                self.assertEqual((outcome, reused), (case.control_status, True))

    def test_cut_in_two_at_every_byte_they_are_the_same(self):
        for number, case in enumerate(self.cases):
            if len(case.sent) > 150:
                continue
            for at in range(1, len(case.sent)):
                with self.subTest(case.name, at=at):
                    outcome, body, reused = self.ask(case, f"/lie/{number}/{at}")
                    # What has left before the lie is there cannot be taken back: then it is cut.
                    self.assertIn(outcome, (case.outcome, upstream_cases.CUT) if case.outcome == upstream_cases.BAD else (case.outcome,))
                    self.assertEqual(reused, case.reused)
                    if case.body is not None:
                        self.assertEqual(body, case.body)


def reset_free(function):
    """An upstream whose peer may leave at any time."""
    def serve(sock, stream):
        try:
            function(sock, stream)
        except (OSError, EOFError):
            pass

    return serve


class Endless(unittest.TestCase):
    """Upstreams that never come to an end are ended, and nobody else waits meanwhile."""

    def endless(self, first, block):
        over = threading.Event()

        @reset_free
        def serve(sock, stream):
            stream.head()
            sock.sendall(first)
            while not over.is_set():
                sock.sendall(block)

        with Origin(serve=serve) as origin, Gateway(CONFIG.replace("2s", "500ms").format(port=origin.port)) as gateway, connect(gateway.port) as sock:
            sock.sendall(request_bytes())
            barrier = Barrier(gateway.port)
            for _ in range(200):
                barrier.pass_()  # served meanwhile
            barrier.close()
            response = Stream(sock).response()
            over.set()
            return response.status, problem_code(response)

    def test_interim_responses_without_end(self):
        interim = b"HTTP/1.1 100 Continue\r\n\r\n"
        self.assertEqual(self.endless(interim, interim * 2000), (502, "LG4003"))

    def test_early_hints_without_end(self):
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
        self.assertEqual(self.endless(hints, hints * 1000), (502, "LG4003"))

    def test_a_head_without_end(self):
        self.assertEqual(self.endless(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 1000 + b"\r\n"), (502, "LG4003"))


class Early(unittest.TestCase):
    def test_an_answer_to_an_upload_that_is_not_over(self):
        """The client may go on or stop: neither the rest of its body nor the connection is anybody else's."""
        seen = []

        @reset_free
        def serve(sock, stream):
            while True:
                head = stream.head()
                seen.append(head.split(b" ")[1])
                sock.sendall(reply(body=b"early" if head.startswith(b"POST") else b"good"))

        with Origin(serve=serve) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway:
            for goes_on in (True, False):
                seen.clear()
                with connect(gateway.port) as sock:
                    sock.sendall(b"POST /early HTTP/1.1\r\nHost: gw.test\r\nContent-Length: %d\r\n\r\n" % len(client_cases.SMUGGLED))
                    stream = Stream(sock)
                    self.assertEqual(stream.response().body, b"early")
                    if goes_on:
                        try:
                            sock.sendall(client_cases.SMUGGLED + request_bytes(target="/here"))
                            read_all(stream)
                        except ConnectionError:
                            pass
                self.assertEqual(ask(gateway.port, request_bytes(target="/next")).body, b"good")
                self.assertEqual(seen, [b"/early", b"/next"])

    def test_an_answer_before_its_request(self):
        """Bytes on an idle connection end it."""
        idle = threading.Event()

        @reset_free
        def serve(sock, stream):
            stream.head()
            sock.sendall(reply(body=b"first"))
            idle.wait(5)
            sock.sendall(reply(body=b"EVIL"))
            stream.head()
            sock.sendall(reply(body=b"second"))

        @reset_free
        def serve_well(sock, stream):
            while stream.request():
                sock.sendall(reply(body=b"good"))

        turns = iter((serve, serve_well, serve_well))
        with Origin(serve=lambda sock, stream: next(turns)(sock, stream)) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway:
            self.assertEqual(ask(gateway.port, request_bytes()).body, b"first")
            before = len(origin.connections)
            idle.set()
            barrier = Barrier(gateway.port)
            for _ in range(50):
                barrier.pass_()
            barrier.close()
            self.assertEqual(ask(gateway.port, request_bytes()).body, b"good")
            self.assertEqual(len(origin.connections), before + 1)


if __name__ == "__main__":
    unittest.main()
