#!/usr/bin/env python3
"""Upstreams of `https://`: who is believed, what is shown, and what is said where it comes to nothing."""
import random
import socket
import ssl
import subprocess
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from e2e.connections_test import UPGRADE, frame, read_frame, websocket_echo  # noqa: E402
from support.gateway import Gateway, run_cli  # noqa: E402
from support.tls import ADA, CA, CLIENTS, RSA, SITE, STRANGER  # noqa: E402
from support.wire import Origin, Stream, ask, connect, problem_code, reply, request_bytes  # noqa: E402

EXPIRED = CA.issue("expired.test", names=["IP:127.0.0.1", "site.test"], days=-1)
CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
log: {{level: debug}}
upstreams:
  origin:
    targets: [{{url: "https://127.0.0.1:{port}"}}]
    tls: {tls}
    eject: off
    timeout: {{connect: {connect}, response: 20s}}
    {more}
routes:
  - {{name: all, match: {{path: "/*"}}, chain: [access-log], upstream: origin}}
"""


def config(origin, tls=f"{{ca: {CA.cert}}}", more="", connect="10s"):
    return CONFIG.format(port=origin.port, tls=tls, more=more, connect=connect)


class SecureOrigin(Origin):
    """An Origin that speaks TLS; `shakes` is what it knows of each handshake."""

    def __init__(self, answer=lambda request: reply(body=b"ok"), pair=SITE, prepare=lambda context: None, **more):
        super().__init__(answer, **more)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pair.cert, pair.key)
        self.context.sni_callback = lambda sock, name, context: self.names.append(name)
        self.names, self.shakes = [], []
        prepare(self.context)

    def _serve(self, sock):
        try:
            secure = self.context.wrap_socket(sock, server_side=True)
        except OSError:
            sock.close()
            return
        self.shakes.append({"resumed": secure.session_reused, "certificate": secure.getpeercert(),
                            "alpn": secure.selected_alpn_protocol()})
        super()._serve(secure)


def code_and_log(origin, text):
    """The code of the answer to a request, and the log line that says why."""
    with origin, Gateway(text(origin)) as gateway:
        response = ask(gateway.port, request_bytes())
        assert response.status == 502, response
        gateway.wait_access(lambda a: True)
        return problem_code(response), gateway.log_text()


class Proof(unittest.TestCase):
    def test_a_target_that_proves_who_it_is_is_asked(self):
        with SecureOrigin() as origin, Gateway(config(origin)) as gateway:
            self.assertEqual(ask(gateway.port, request_bytes()).body, b"ok")
            self.assertEqual(origin.requests[0].value("X-Forwarded-Proto"), "http")

    def test_the_name_of_tls_is_asked_for_and_looked_for(self):
        with SecureOrigin() as origin:
            with Gateway(config(origin, f"{{ca: {CA.cert}, server_name: site.test}}")) as gateway:
                self.assertEqual(ask(gateway.port, request_bytes()).status, 200)
                self.assertEqual(origin.names, ["site.test"])

    def test_an_address_is_no_name_to_ask_for(self):
        with SecureOrigin() as origin, Gateway(config(origin)) as gateway:
            ask(gateway.port, request_bytes())
            self.assertEqual(origin.names, [None])

    def test_one_of_another_name_is_502_and_the_log_says_so(self):
        code, log = code_and_log(SecureOrigin(pair=RSA), config)
        self.assertEqual(code, "LG4012")
        self.assertIn("IP address mismatch", log)
        code, log = code_and_log(SecureOrigin(), lambda o: config(o, f"{{ca: {CA.cert}, server_name: other.test}}"))
        self.assertEqual(code, "LG4012")
        self.assertIn("hostname mismatch", log.lower())

    def test_one_of_another_authority_is_502_and_the_log_says_so(self):
        for tls in (f"{{ca: {CLIENTS.cert}}}", "{}"):
            code, log = code_and_log(SecureOrigin(), lambda o: config(o, tls))
            self.assertEqual(code, "LG4012")
            self.assertIn("unable to get local issuer certificate", log)

    def test_an_expired_one_is_502_and_the_log_says_so(self):
        code, log = code_and_log(SecureOrigin(pair=EXPIRED), config)
        self.assertEqual(code, "LG4012")
        self.assertIn("certificate has expired", log)

    def test_without_verify_anybody_is_believed(self):
        with SecureOrigin(pair=EXPIRED) as origin, Gateway(config(origin, "{verify: false}")) as gateway:
            self.assertEqual(ask(gateway.port, request_bytes()).body, b"ok")

    def test_a_target_may_ask_for_the_gateways_certificate(self):
        def mutual(context):
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(CLIENTS.cert)
            context.maximum_version = ssl.TLSVersion.TLSv1_2  # so that the refusal is part of the handshake

        own = lambda pair: f"{{ca: {CA.cert}, cert: {pair.cert}, key: {pair.key}}}"  # noqa: E731
        with SecureOrigin(prepare=mutual) as origin, Gateway(config(origin, own(ADA))) as gateway:
            self.assertEqual(ask(gateway.port, request_bytes()).body, b"ok")
            subject = dict(pair for part in origin.shakes[0]["certificate"]["subject"] for pair in part)
            self.assertEqual(subject["commonName"], "ada")
        for tls in (own(STRANGER), f"{{ca: {CA.cert}}}"):
            code, log = code_and_log(SecureOrigin(prepare=mutual), lambda o: config(o, tls))
            self.assertEqual(code, "LG4012")
            self.assertIn("alert", log)

    def test_a_target_of_plain_http_is_502(self):
        def serve(sock, stream):
            stream.more()
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            stream.to_end()

        code, log = code_and_log(Origin(serve=serve), config)
        self.assertEqual(code, "LG4012")
        self.assertIn("wrong version number", log)


class Connections(unittest.TestCase):
    def test_connections_are_pooled_and_later_ones_resume(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            def only(context):
                context.minimum_version = context.maximum_version = version

            def answer(request):
                return reply(body=b"ok", headers=[("Connection", "close")] if request.target == "/last" else [])

            with SecureOrigin(answer, prepare=only) as origin, Gateway(config(origin)) as gateway:
                for target in ("/1", "/2", "/3", "/last", "/4"):
                    self.assertEqual(ask(gateway.port, request_bytes(target=target)).body, b"ok")
                self.assertEqual([shake["resumed"] for shake in origin.shakes], [False, True], version)

    def test_http_1_1_is_asked_for(self):
        with SecureOrigin(prepare=lambda c: c.set_alpn_protocols(["h2", "http/1.1"])) as origin:
            with Gateway(config(origin)) as gateway:
                ask(gateway.port, request_bytes())
                self.assertEqual(origin.shakes[0]["alpn"], "http/1.1")

    def test_a_handshake_that_does_not_end_is_a_connect_time_out(self):
        with Origin(serve=lambda sock, stream: stream.to_end()) as origin, Gateway(config(origin, connect="200ms")) as gateway:
            response = ask(gateway.port, request_bytes())
            self.assertEqual((response.status, problem_code(response)), (504, "LG4004"))

    def test_a_pooled_connection_that_ended_is_replaced(self):
        def serve(sock, stream):
            stream.request()
            sock.sendall(reply(body=b"ok"))
            sock.unwrap() if sock.version() else None

        with SecureOrigin(serve=serve) as origin, Gateway(config(origin)) as gateway:
            for _ in range(20):
                self.assertEqual(ask(gateway.port, request_bytes()).body, b"ok")

    def test_another_target_is_tried_where_tls_fails(self):
        with SecureOrigin() as good, SecureOrigin(pair=EXPIRED) as bad:
            text = config(good, more="retry: {attempts: 2, on: [connect-failure]}")
            text = text.replace("targets: [", f"targets: [{{url: \"https://127.0.0.1:{bad.port}\"}}, ")
            with Gateway(text) as gateway:
                for _ in range(6):
                    self.assertEqual(ask(gateway.port, request_bytes()).body, b"ok")

    def test_health_checks_go_through_tls(self):
        more = "health: {path: /healthz, every: 50ms, timeout: 10s, unhealthy: 1}"
        with SecureOrigin() as origin, Gateway(config(origin, more=more)) as gateway:
            gateway.wait_for(lambda: len(origin.requests) >= 2, "health check")
            self.assertEqual(origin.requests[0].target, "/healthz")
            self.assertEqual(ask(gateway.port, request_bytes()).status, 200)
        with SecureOrigin(pair=EXPIRED) as origin, Gateway(config(origin, more=more)) as gateway:
            self.assertIn("certificate has expired", gateway.wait_log("is unhealthy"))
            self.assertEqual(problem_code(ask(gateway.port, request_bytes())), "LG4006")


class Bodies(unittest.TestCase):
    def test_large_bodies_pass_both_ways_byte_for_byte(self):
        body = random.Random(1).randbytes(20_000_000)
        with SecureOrigin(lambda r: reply(body=r.body)) as origin, Gateway(config(origin)) as gateway:
            with connect(gateway.port) as sock:
                sender = threading.Thread(target=sock.sendall, args=(request_bytes("POST", body=body),))
                sender.start()
                self.assertEqual(Stream(sock).response().body, body)
                sender.join()

    def test_a_response_up_to_close_notify_is_whole_and_one_without_it_is_cut(self):
        def serve(sock, stream):
            whole = stream.request().target == "/whole"
            sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 100_000)
            if whole:
                sock.unwrap()
            else:
                socket.socket.shutdown(sock, socket.SHUT_WR)
                stream.to_end()

        with SecureOrigin(serve=serve) as origin, Gateway(config(origin)) as gateway:
            self.assertEqual(len(ask(gateway.port, request_bytes(target="/whole")).body), 100_000)
            with self.assertRaises((EOFError, OSError)):
                ask(gateway.port, request_bytes(target="/cut"))
            gateway.wait_log("LG4011")

    def test_a_websocket_echoes_messages(self):
        with SecureOrigin(serve=websocket_echo) as origin, Gateway(config(origin)) as gateway:
            with connect(gateway.port) as sock:
                sock.sendall(request_bytes(headers=UPGRADE))
                stream = Stream(sock)
                self.assertEqual(stream.response().status, 101)
                for number in range(1000):
                    message = b"%d-" % number * (number % 400)
                    sock.sendall(frame(1, message))
                    self.assertEqual(read_frame(stream), (1, message))


class Words(unittest.TestCase):
    def test_route_shows_the_target_as_it_is(self):
        code, out, err = run_cli("route", "GET", "https://x/a", "-c", "gw.yaml",
                                 files={"gw.yaml": CONFIG.format(port=9443, tls="{}", more="", connect="1s")})
        self.assertEqual(code, 0, err)
        self.assertIn("https://127.0.0.1:9443", out)

    def test_s_server_is_spoken_to(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = subprocess.Popen(["openssl", "s_server", "-www", "-quiet", "-accept", f"127.0.0.1:{port}", "-cert",
                                   SITE.cert, "-key", SITE.key], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            class Place:
                pass
            Place.port = port
            with Gateway(config(Place)) as gateway:
                answers = []
                gateway.wait_for(lambda: answers.append(ask(gateway.port, request_bytes())) or
                                 answers[-1].status == 200, "answer of s_server")
                self.assertIn(b"Ciphers supported in s_server", answers[-1].body)
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    unittest.main()
