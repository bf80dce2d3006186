#!/usr/bin/env python3
"""Connections through the proxy: keep-alive, pipelining, tunnels, half-closed and vanished clients, draining."""
import os
import signal
import socket
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway  # noqa: E402
from support.h2 import Peer  # noqa: E402
from support.websocket import UPGRADE, frame, read_frame, websocket_echo  # noqa: E402
from support.wire import Origin, Stream, ask, connect, problem_code, reply, request_bytes, reset  # noqa: E402

CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off}}
routes:
  - {{name: all, match: {{path: "/*"}}, chain: [access-log], upstream: origin}}
"""


class Connections(unittest.TestCase):
    def test_a_websocket_echoes_ten_thousand_messages(self):
        with Origin(serve=websocket_echo) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway:
            with connect(gateway.port) as sock:
                sock.sendall(request_bytes(headers=UPGRADE))
                stream = Stream(sock)
                head = stream.response()
                self.assertEqual(head.status, 101)
                self.assertEqual(head.value("Upgrade"), "websocket")
                for number in range(10_000):
                    message = b"%d-" % number * (number % 40)
                    sock.sendall(frame(1, message))
                    self.assertEqual(read_frame(stream), (1, message))

    def test_another_upgrade_is_an_ordinary_request(self):
        with Origin() as origin, Gateway(CONFIG.format(port=origin.port)) as gateway:
            response = ask(gateway.port, request_bytes(headers=[("Connection", "Upgrade"), ("Upgrade", "h2c")]))
            self.assertEqual(response.status, 200)
            self.assertIsNone(origin.requests[0].value("Upgrade"))

    def test_pipelined_requests_are_answered_in_order(self):
        with Origin(lambda r: reply(body=r.target.encode())) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway:
            with connect(gateway.port) as sock:
                sock.sendall(b"".join(request_bytes(target=f"/{n}") for n in range(200)))
                stream = Stream(sock)
                self.assertEqual([stream.response().body for _ in range(200)], [b"/%d" % n for n in range(200)])

    def test_a_half_closed_client_gets_its_whole_answer(self):
        release = threading.Event()

        def answer(request):
            release.wait(10)
            return reply(body=b"x" * 1_000_000)

        with Origin(answer) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway, connect(gateway.port) as sock:
            sock.sendall(request_bytes())
            sock.shutdown(socket.SHUT_WR)
            release.set()
            self.assertEqual(len(Stream(sock).response().body), 1_000_000)

    def test_a_client_that_pauses_again_is_given_the_whole_time_again(self):
        more, part = threading.Event(), 20_000_000

        def serve(sock, stream):
            stream.request()
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * part) + b"x" * part)
            more.wait(30)
            sock.sendall(b"y" * part)

        config = CONFIG + "limits: {{timeout: {{write: 3s}}}}\n"
        with Origin(serve=serve) as origin, Gateway(config.format(port=origin.port)) as gateway, connect(gateway.port) as sock:
            begin, stream = time.monotonic(), Stream(sock)
            sock.sendall(request_bytes())
            time.sleep(0.4)  # of the first three seconds
            stream.head()
            self.assertEqual(stream.take(part), b"x" * part)
            time.sleep(max(0, begin + 2.6 - time.monotonic()))
            more.set()
            time.sleep(1.6)  # of the next three
            self.assertEqual(stream.take(part), b"y" * part)

    def test_an_end_that_comes_along_with_a_later_request_is_heard(self):
        with Origin() as origin, Gateway(CONFIG.format(port=origin.port)) as gateway, connect(gateway.port) as sock:
            stream = Stream(sock)
            for _ in range(2):  # the connection is one that stays
                sock.sendall(request_bytes())
                self.assertEqual(stream.response().status, 200)
            gateway.signal(signal.SIGSTOP)
            sock.sendall(request_bytes())
            sock.shutdown(socket.SHUT_WR)
            gateway.signal(signal.SIGCONT)
            self.assertEqual(stream.response().status, 200)
            self.assertEqual(stream.to_end(), b"")  # long before it has been idle for long enough

    def test_an_aborting_client_cancels_the_upstream(self):
        arrived, gone = threading.Event(), threading.Event()

        def serve(sock, stream):
            stream.head()
            arrived.set()
            try:
                stream.more()
            except (EOFError, OSError):
                gone.set()

        with Origin(serve=serve) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway:
            sock = connect(gateway.port)
            sock.sendall(request_bytes(target="/gone"))
            self.assertTrue(arrived.wait(10))
            reset(sock)
            self.assertTrue(gone.wait(10), "the upstream's connection is still open")
            line = gateway.wait_access(lambda a: a["url.path"] == "/gone")
            self.assertEqual(line["http.response.status_code"], 499)

    def test_http_1_0_is_answered_and_closed(self):
        with Origin() as origin, Gateway(CONFIG.format(port=origin.port)) as gateway, connect(gateway.port) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            stream = Stream(sock)
            self.assertEqual(stream.response().body, b"ok")
            self.assertEqual(stream.to_end(), b"")

    def test_interim_responses_are_passed_on(self):
        def answer(request):
            return b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + reply(body=b"ok")

        with Origin(answer) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway, connect(gateway.port) as sock:
            sock.sendall(request_bytes())
            stream = Stream(sock)
            self.assertEqual(stream.response().body, b"ok")
            self.assertIn(b"Link: </a>", stream.interim[0])

    def test_expect_100_continue_is_answered(self):
        with Origin(lambda r: reply(body=r.body)) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway:
            with connect(gateway.port) as sock:
                sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
                stream = Stream(sock)
                self.assertIn(b" 100 ", stream.head())
                sock.sendall(b"body")
                self.assertEqual(stream.response().body, b"body")

    def test_forwarding_fields_are_the_gateways(self):
        with Origin() as origin, Gateway(CONFIG.format(port=origin.port)) as gateway:
            ask(gateway.port, request_bytes(headers=[("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https")]))
            seen = origin.requests[0]
            self.assertEqual(seen.values("X-Forwarded-For"), ["127.0.0.1"])
            self.assertEqual(seen.values("X-Forwarded-Proto"), ["http"])
            self.assertEqual(seen.values("X-Forwarded-Host"), ["gw.test"])
            self.assertEqual(len(seen.values("Via")), 1)

    def test_sigterm_drains(self):
        arrived, release = threading.Event(), threading.Event()

        def answer(request):
            arrived.set()
            release.wait(10)
            return reply(body=b"whole")

        with Origin(answer) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway:
            idle = connect(gateway.port)
            busy = connect(gateway.port)
            busy.sendall(request_bytes())
            self.assertTrue(arrived.wait(10))
            gateway.signal(signal.SIGTERM)
            self.assertEqual(Stream(idle).to_end(), b"", "an idle connection is closed at once")
            release.set()
            response = Stream(busy).response()
            self.assertEqual((response.body, response.value("Connection")), (b"whole", "close"))
            self.assertEqual(gateway.wait(), 0)

    def test_a_second_sigterm_ends_it_at_once(self):
        arrived = threading.Event()

        def serve(sock, stream):
            stream.head()
            arrived.set()
            stream.to_end()

        with Origin(serve=serve) as origin, Gateway(CONFIG.format(port=origin.port)) as gateway, connect(gateway.port) as sock:
            sock.sendall(request_bytes())
            self.assertTrue(arrived.wait(10))
            gateway.signal(signal.SIGTERM)
            gateway.wait_log("drain")
            gateway.signal(signal.SIGTERM)
            gateway.wait(5)


class ManyOfOneAddress(unittest.TestCase):
    CONFIG = """
version: 1
workers: 2
listen:
  - address: 127.0.0.1:0
limits: {connections_per_address: 3}
%s
routes: [{match: {path: "/*"}, respond: {text: here}}]
"""

    def served(self, sock):
        try:
            sock.sendall(request_bytes())
            return Stream(sock).response().status == 200
        except (EOFError, OSError):
            return False

    def test_those_beyond_the_limit_are_closed_and_room_comes_back(self):
        with Gateway(self.CONFIG % "") as gateway:
            held = [connect(gateway.port) for _ in range(6)]
            served = [sock for sock in held if self.served(sock)]
            self.assertEqual(len(served), 3)
            with socket.socket() as other:
                other.bind(("127.0.0.2", 0))
                other.connect(("127.0.0.1", gateway.port))
                self.assertTrue(self.served(other), "another address has room of its own")
            served[0].close()

            def room():
                with connect(gateway.port) as sock:
                    return self.served(sock)

            gateway.wait_for(room, "room after one has left")
            for sock in held:
                sock.close()

    def test_a_listener_for_proxies_counts_those_who_are_none(self):
        config = self.CONFIG.replace("- address: 127.0.0.1:0", "- {address: 127.0.0.1:0, proxy_protocol: true}")
        with Gateway(config % "trusted: [192.0.2.0/24]") as gateway:
            held = [connect(gateway.port) for _ in range(6)]
            self.assertEqual(sum(self.served(sock) for sock in held), 3)
            for sock in held:
                sock.close()

    def test_a_trusted_proxy_may_name_a_port_beside_the_address(self):
        config = ("version: 1\nlisten:\n  - address: 127.0.0.1:0\ntrusted: [127.0.0.0/8]\nroutes:\n  - {name: r, match: {path: /}, "
                  "chain: [ip: {allow: [10.0.0.0/8, '2001:db8::/32']}], respond: {status: 200}}\n")
        with Gateway(config) as gateway:
            status = lambda hops: ask(gateway.port, request_bytes(headers=[("X-Forwarded-For", hops)])).status  # noqa: E731
            for hops in ("10.1.2.3", "10.1.2.3:99", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:443", "x, 10.1.2.3:99",
                         "10.1.2.3:99, 127.0.0.1:80, 127.0.0.2"):
                self.assertEqual(status(hops), 200, hops)
            for hops in ("10.1.2.3:", "10.1.2.3:x", "10.1.2.3:999999", "[2001:db8::1", "[2001:db8::1]x", "[10.1.2.3]:80",
                         "192.0.2.1:99", "10.1.2.3:99, 192.0.2.1:99", "10.1.2.3:99, x"):
                self.assertEqual(status(hops), 403, hops)

    def test_a_trusted_proxy_may_hold_any_number(self):
        with Gateway(self.CONFIG % "trusted: [127.0.0.0/8]") as gateway:
            held = [connect(gateway.port) for _ in range(6)]
            self.assertTrue(all(self.served(sock) for sock in held))
            for sock in held:
                sock.close()


class BehindAProxy(unittest.TestCase):
    CONFIG = """
version: 1
workers: 1
listen:
  - {address: 127.0.0.1:0, http2: true, proxy_protocol: true}
trusted: [127.0.0.1]
limits: {timeout: {head: 500ms, idle: 60s}}
routes: [{match: {path: "/*"}, respond: {text: here}}]
"""
    HEADERS = (b"PROXY TCP4 192.0.2.1 192.0.2.2 1111 80\r\n",
               b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([192, 0, 2, 1, 192, 0, 2, 2]) + b"\0\1\0\2")

    def alone(self, gateway, header):
        """A connection whose PROXY header was read before anything else came."""
        sock = connect(gateway.port)
        sock.sendall(header)
        self.assertEqual(ask(gateway.port, header + request_bytes()).status, 200)  # one worker: in the order they came
        return sock

    def test_a_header_of_its_own_segment_is_as_good_as_one_together_with_the_request(self):
        with Gateway(self.CONFIG) as gateway:
            for header in self.HEADERS:
                with self.alone(gateway, header) as sock:
                    sock.sendall(request_bytes())
                    self.assertEqual(Stream(sock).response().status, 200)
                with self.alone(gateway, header) as sock, Peer(sock) as peer:
                    self.assertEqual(peer.answer(peer.request()).status, 200)

    def test_a_head_has_no_longer_to_come_after_it(self):
        with Gateway(self.CONFIG) as gateway:
            for header in self.HEADERS:
                with self.alone(gateway, header) as sock:
                    self.assertEqual(Stream(sock).to_end(), b"")  # long before it has been idle for long enough


class Upstreams(unittest.TestCase):
    def test_a_dead_upstream_is_502(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            with Gateway(CONFIG.format(port=free.getsockname()[1])) as gateway:
                response = ask(gateway.port, request_bytes())
        self.assertEqual((response.status, problem_code(response)), (502, "LG4001"))
        self.assertEqual(response.value("Content-Type"), "application/problem+json")

    def test_a_silent_upstream_is_504(self):
        config = CONFIG.replace("eject: off", "eject: off, timeout: {{response: 200ms}}")
        with Origin(serve=lambda sock, stream: stream.to_end()) as origin, Gateway(config.format(port=origin.port)) as gateway:
            response = ask(gateway.port, request_bytes())
        self.assertEqual((response.status, problem_code(response)), (504, "LG4005"))

    def test_a_connection_that_switched_protocols_carries_no_other_request(self):
        served = []

        def serve(sock, stream):
            served.append([])
            while request := stream.request():
                served[-1].append(request.target)
                upgrades = request.value("Upgrade")
                sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" if upgrades else reply())

        steps = {"200": "res.status = 200", "204": "res.status = 204", "503": "res.status = 503", "500": "error('broken')"}
        scripts = {f"s{status}.lua": f"return {{response = function(res) {step} end}}" for status, step in steps.items()}
        routes = "".join(f'  - {{{{name: r{s}, match: {{{{path: "/{s}"}}}}, chain: [script: {{{{file: s{s}.lua}}}}], upstream: origin}}}}\n' for s in steps)
        with Origin(serve=serve) as origin, Gateway((CONFIG + routes).format(port=origin.port), scripts) as gateway:
            for status in steps:
                self.assertEqual(ask(gateway.port, request_bytes(target=f"/{status}", headers=UPGRADE)).status, int(status))
                self.assertEqual(ask(gateway.port, request_bytes()).status, 200)
            for targets in served:
                self.assertEqual(set(targets[:-1]) - {"/"}, set(), served)  # one that switched was the last

    def test_what_a_script_makes_no_websocket_of_asks_for_none(self):
        asked = []

        def serve(sock, stream):
            while request := stream.request():
                asked.append((request.method, request.value("Upgrade"), request.value("Connection"), request.body))
                sock.sendall(reply(body=request.body))

        steps = {"post": 'req.method = "POST"', "body": 'req.body = "some"', "none": ""}
        scripts = {f"s{name}.lua": f"return {{request = function(req) {step} end}}" for name, step in steps.items()}
        routes = "".join(f'  - {{{{name: r{s}, match: {{{{path: "/{s}"}}}}, chain: [script: {{{{file: s{s}.lua}}}}], upstream: origin}}}}\n' for s in steps)
        with Origin(serve=serve) as origin, Gateway((CONFIG + routes).format(port=origin.port), scripts) as gateway:
            for name in steps:
                self.assertEqual(ask(gateway.port, request_bytes(target=f"/{name}", headers=UPGRADE)).status, 200)
        self.assertEqual(asked, [("POST", None, None, b""), ("GET", None, None, b"some"), ("GET", "websocket", "Upgrade", b"")])

    def test_a_post_is_never_sent_twice(self):
        count = [0]

        def serve(sock, stream):
            if stream.request():
                count[0] += 1

        config = CONFIG.replace("eject: off", "eject: off, retry: {{attempts: 3, on: [connect-failure, reset]}}")
        with Origin(serve=serve) as origin, Gateway(config.format(port=origin.port)) as gateway:
            response = ask(gateway.port, request_bytes("POST", body=b"once"))
        self.assertEqual((response.status, count[0]), (502, 1))

    def test_a_get_is_tried_again(self):
        count = [0]

        def serve(sock, stream):
            stream.head()
            count[0] += 1
            if count[0] > 1:
                sock.sendall(reply(body=b"second"))

        config = CONFIG.replace("eject: off", "eject: off, retry: {{attempts: 2, on: [reset]}}")
        with Origin(serve=serve) as origin, Gateway(config.format(port=origin.port)) as gateway:
            self.assertEqual(ask(gateway.port, request_bytes()).body, b"second")

    def test_unix_sockets_are_upstreams(self):
        path = f"/tmp/lingate-test-{os.getpid()}.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()

            def serve():
                sock, _ = listener.accept()
                with sock:
                    Stream(sock).head()
                    sock.sendall(reply(body=b"unix"))

            threading.Thread(target=serve, daemon=True).start()
            config = CONFIG.replace("http://127.0.0.1:{port}", "unix:{port}")
            try:
                with Gateway(config.format(port=path)) as gateway:
                    self.assertEqual(ask(gateway.port, request_bytes()).body, b"unix")
            finally:
                os.unlink(path)

    def test_round_robin_honours_weights(self):
        with Origin(lambda r: reply(body=b"a")) as a, Origin(lambda r: reply(body=b"b")) as b:
            config = CONFIG.replace('[{{url: "http://127.0.0.1:{port}"}}]',
                                    f'[{{{{url: "http://127.0.0.1:{a.port}", weight: 3}}}}, {{{{url: "http://127.0.0.1:{b.port}"}}}}]')
            with Gateway(config.format(port=0)) as gateway:
                got = [ask(gateway.port, request_bytes()).body for _ in range(40)]
        self.assertEqual((got.count(b"a"), got.count(b"b")), (30, 10))


if __name__ == "__main__":
    unittest.main()
