#!/usr/bin/env python3
"""HTTPS listeners, with Python's ssl, `openssl s_client` and curl as the clients."""
import hashlib
import random
import signal
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
from support.tls import (ADA, CA, CLIENTS, RSA, SITE, STRANGER, WILD, Nobody, client_context, client_hello, config,  # noqa: E402
                         exchange, secure)
from support.wire import Origin, Stream, connect, problem_code, reply, request_bytes, reset  # noqa: E402


def s_client(port, *args, sent=b""):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", CA.cert, *args],
                          input=sent, capture_output=True, timeout=30)
    return (done.stdout + done.stderr).decode(errors="replace")


class Requests(unittest.TestCase):
    def test_the_gateway_says_https_and_so_do_the_fields_that_go_upstream(self):
        with Origin() as origin, Gateway(config(origin)) as gateway, secure(gateway.port) as sock:
            self.assertEqual(exchange(sock, request_bytes()).body, b"ok")
            self.assertRegex(gateway.log_text(), r"listening https://127\.0\.0\.1:\d+")
            self.assertEqual(origin.requests[0].value("X-Forwarded-Proto"), "https")
            self.assertEqual(gateway.wait_access(lambda a: True)["url.scheme"], "https")

    def test_large_bodies_pass_both_ways_byte_for_byte(self):
        body = random.Random(1).randbytes(20_000_000)
        with Origin(lambda r: reply(body=r.body)) as origin, Gateway(config(origin)) as gateway:
            with secure(gateway.port) as sock:
                sock.sendall(request_bytes("POST", body=body))  # an SSL object is for one thread: no reading meanwhile
                echoed = Stream(sock).response().body
            self.assertEqual(hashlib.sha256(echoed).digest(), hashlib.sha256(body).digest())

    def test_chunks_of_any_size_pass_both_ways(self):
        body = random.Random(2).randbytes(300_000)
        chunks = [body[n:n + 7000] for n in range(0, len(body), 7000)]
        coded = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n\r\n"

        def answer(request):
            assert request.body == body
            return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + coded

        with Origin(answer) as origin, Gateway(config(origin)) as gateway, secure(gateway.port) as sock:
            sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + coded)
            self.assertEqual(Stream(sock).response().body, body)

    def test_curl_gets_a_file_whole(self):
        body = random.Random(3).randbytes(5_000_000)
        with Origin(lambda r: reply(body=body)) as origin, Gateway(config(origin)) as gateway:
            done = subprocess.run(["curl", "-sS", "--cacert", CA.cert, f"https://127.0.0.1:{gateway.port}/file"],
                                  capture_output=True, timeout=30)
            self.assertEqual(done.stdout, body, done.stderr)

    def test_pipelined_requests_are_answered_in_order(self):
        with Origin(lambda r: reply(body=r.target.encode())) as origin, Gateway(config(origin)) as gateway:
            with secure(gateway.port) as sock:
                sock.sendall(b"".join(request_bytes(target=f"/{n}") for n in range(400)))
                stream = Stream(sock)
                self.assertEqual([stream.response().body for _ in range(400)], [b"/%d" % n for n in range(400)])

    def test_a_request_in_single_bytes_is_one_request(self):
        with Origin(lambda r: reply(body=r.body)) as origin, Gateway(config(origin)) as gateway:
            with secure(gateway.port) as sock:
                for byte in request_bytes("POST", body=b"slowly"):
                    sock.sendall(bytes([byte]))
                self.assertEqual(Stream(sock).response().body, b"slowly")

    def test_expect_100_continue_is_answered(self):
        with Origin(lambda r: reply(body=r.body)) as origin, Gateway(config(origin)) as gateway:
            with secure(gateway.port) as sock:
                sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
                stream = Stream(sock)
                self.assertIn(b" 100 ", stream.head())
                sock.sendall(b"body")
                self.assertEqual(stream.response().body, b"body")

    def test_a_websocket_echoes_messages(self):
        with Origin(serve=websocket_echo) as origin, Gateway(config(origin)) as gateway, secure(gateway.port) as sock:
            sock.sendall(request_bytes(headers=UPGRADE))
            stream = Stream(sock)
            self.assertEqual(stream.response().status, 101)
            for number in range(2000):
                message = b"%d-" % number * (number % 400)
                sock.sendall(frame(1, message))
                self.assertEqual(read_frame(stream), (1, message))

    def test_a_slow_reader_gets_everything(self):
        body = random.Random(4).randbytes(8_000_000)
        with Origin(lambda r: reply(body=body)) as origin, Gateway(config(origin)) as gateway:
            raw = socket.socket()
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            raw.connect(("127.0.0.1", gateway.port))
            with client_context().wrap_socket(raw, server_hostname="site.test") as sock:
                sock.sendall(request_bytes())
                stream = Stream(sock)
                stream.head()
                got = bytearray(stream.buffer)
                while len(got) < len(body):
                    got += sock.recv(3000)
                self.assertEqual(bytes(got), body)

    def test_a_reader_that_stops_is_let_go_after_the_write_time_out(self):
        with Origin(lambda r: reply(body=bytes(50_000_000))) as origin, Gateway(config(origin)) as gateway:
            with secure(gateway.port) as sock:
                sock.sendall(request_bytes(target="/stopped"))
                line = gateway.wait_access(lambda a: a["url.path"] == "/stopped")
                self.assertEqual(line["http.response.status_code"], 499)


class Ends(unittest.TestCase):
    def test_a_closed_response_ends_with_close_notify(self):
        with Origin() as origin, Gateway(config(origin)) as gateway:
            with secure(gateway.port) as sock:
                sock.suppress_ragged_eofs = False  # an end without close_notify is an exception
                self.assertEqual(exchange(sock, request_bytes(headers=[("Connection", "close")])).body, b"ok")
                self.assertEqual(sock.recv(1), b"")

    def test_an_idle_connection_ends_with_close_notify(self):
        with Origin() as origin, Gateway(config(origin, idle="100ms")) as gateway, secure(gateway.port) as sock:
            sock.suppress_ragged_eofs = False
            self.assertEqual(exchange(sock, request_bytes()).body, b"ok")
            self.assertEqual(sock.recv(1), b"")

    def test_a_response_that_is_cut_ends_without_close_notify(self):
        def serve(sock, stream):
            stream.head()
            sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbegun")
            reset(sock)

        with Origin(serve=serve) as origin, Gateway(config(origin)) as gateway, secure(gateway.port) as sock:
            sock.suppress_ragged_eofs = False
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            with self.assertRaises(OSError):
                while sock.recv(100):
                    pass

    def test_a_client_that_said_its_end_gets_its_whole_answer(self):
        release = threading.Event()

        def answer(request):
            release.wait(10)
            return reply(body=b"x" * 1_000_000)

        with Origin(answer) as origin, Gateway(config(origin)) as gateway:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            raw = connect(gateway.port)
            tls = client_context().wrap_bio(incoming, outgoing, server_hostname="site.test")

            def pump(call, *args):
                while True:
                    try:
                        result = call(*args)
                        raw.sendall(outgoing.read())
                        return result
                    except ssl.SSLWantReadError:
                        raw.sendall(outgoing.read())
                        data = raw.recv(1 << 16)
                        incoming.write(data) if data else incoming.write_eof()

            pump(tls.do_handshake)
            pump(tls.write, request_bytes(headers=[("Connection", "close")]))
            try:
                tls.unwrap()  # our close_notify; theirs has not come
            except ssl.SSLWantReadError:
                pass
            raw.sendall(outgoing.read())
            release.set()
            data = b""
            while chunk := raw.recv(1 << 16):
                data += chunk
            self.assertGreater(len(data), 1_000_000)

    def test_a_fin_without_close_notify_is_a_half_closed_client(self):
        release = threading.Event()

        def answer(request):
            release.wait(10)
            return reply(body=b"x" * 1_000_000)

        with Origin(answer) as origin, Gateway(config(origin)) as gateway, secure(gateway.port) as sock:
            sock.sendall(request_bytes())
            socket.socket.shutdown(sock, socket.SHUT_WR)  # of TCP, behind the back of TLS
            release.set()
            self.assertEqual(len(Stream(sock).response().body), 1_000_000)

    def test_draining_finishes_what_is_in_flight(self):
        arrived, release = threading.Event(), threading.Event()

        def answer(request):
            arrived.set()
            release.wait(10)
            return reply(body=b"late")

        with Origin(answer) as origin, Gateway(config(origin)) as gateway:
            with secure(gateway.port) as busy, secure(gateway.port) as idle, connect(gateway.port) as half:
                busy.sendall(request_bytes())
                half.sendall(client_hello()[:3])
                self.assertTrue(arrived.wait(10))
                gateway.signal(signal.SIGTERM)
                idle.suppress_ragged_eofs = False
                self.assertEqual(idle.recv(1), b"")
                half.sendall(client_hello()[3:])  # who has begun is still served
                self.assertEqual(half.recv(1), b"\x16")
                half.close()
                release.set()
                response = Stream(busy).response()
                self.assertEqual((response.body, response.value("Connection")), (b"late", "close"))
                self.assertEqual(gateway.wait(), 0)


class Handshakes(unittest.TestCase):
    def test_the_name_chooses_the_certificate(self):
        several = f"{{certificates: [{SITE.yaml()}, {WILD.yaml()}, {RSA.yaml()}]}}"
        chosen = {"site.test": "site.test", "SITE.test": "site.test", "two.wild.test": "*.wild.test",
                  "one.wild.test": "rsa.test", "rsa.test": "rsa.test", "a.b.wild.test": "site.test",
                  "unknown.test": "site.test", None: "site.test"}
        with Origin() as origin, Gateway(config(origin, several)) as gateway:
            for asked, common_name in chosen.items():
                with secure(gateway.port, asked, check_hostname=False) as sock:
                    subject = dict(pair for part in sock.getpeercert()["subject"] for pair in part)
                    self.assertEqual(subject["commonName"], common_name, f"asked for {asked}")
                    self.assertEqual(exchange(sock, request_bytes()).status, 200)

    def test_http_1_1_is_agreed_upon_and_nothing_else_where_the_listener_says_so(self):
        with Origin() as origin, Gateway(config(origin).replace("tls:", "http2: false, tls:")) as gateway:
            context = client_context()
            context.set_alpn_protocols(["h2", "http/1.1"])
            with secure(gateway.port, context=context) as sock:
                self.assertEqual(sock.selected_alpn_protocol(), "http/1.1")
            context.set_alpn_protocols(["h2"])
            with self.assertRaises(ssl.SSLError):
                secure(gateway.port, context=context)

    def test_versions_below_1_2_are_refused(self):
        with Origin() as origin, Gateway(config(origin)) as gateway:
            for version in ("-tls1", "-tls1_1"):
                self.assertNotIn("Server certificate", s_client(gateway.port, version, "-cipher", "ALL:@SECLEVEL=0"))
            for version, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
                self.assertIn(name, s_client(gateway.port, version))

    def test_min_version_1_3_refuses_1_2(self):
        with Origin() as origin, Gateway(config(origin, SITE.yaml()[:-1] + ", min_version: 1.3}")) as gateway:
            with self.assertRaises(ssl.SSLError):
                secure(gateway.port, maximum_version=ssl.TLSVersion.TLSv1_2)
            with secure(gateway.port) as sock:
                self.assertEqual(sock.version(), "TLSv1.3")

    def test_weak_ciphers_are_refused(self):
        with Origin() as origin, Gateway(config(origin, RSA.yaml())) as gateway:
            for cipher in ("AES128-SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA256", "DHE-RSA-AES256-GCM-SHA384",
                           "NULL-SHA256", "ADH-AES128-SHA"):
                said = s_client(gateway.port, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0")
                self.assertNotIn("Server certificate", said, cipher)
            said = s_client(gateway.port, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
            self.assertIn("Server certificate", said)
            self.assertIn("Compression: NONE", said)

    def test_renegotiation_is_refused(self):
        with Origin() as origin, Gateway(config(origin)) as gateway:
            said = s_client(gateway.port, "-tls1_2", sent=b"R\n")
            self.assertRegex(said, "no renegotiation|ssl handshake failure|unexpected")

    def test_a_second_connection_resumes(self):
        with Origin() as origin, Gateway(config(origin)) as gateway:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = client_context(minimum_version=version, maximum_version=version)
                with secure(gateway.port, context=context) as sock:
                    exchange(sock, request_bytes())
                    session = sock.session
                with secure(gateway.port, context=context, session=session) as sock:
                    self.assertTrue(sock.session_reused, version)
                    self.assertEqual(exchange(sock, request_bytes()).body, b"ok")

    def test_clients_must_show_a_certificate_of_theirs(self):
        asks = SITE.yaml()[:-1] + f", client_auth: {CLIENTS.cert}}}"
        with Origin() as origin, Gateway(config(origin, asks)) as gateway:
            context = client_context()
            context.load_cert_chain(ADA.cert, ADA.key)
            with secure(gateway.port, context=context) as sock:
                self.assertEqual(exchange(sock, request_bytes()).body, b"ok")
            context = client_context()
            context.load_cert_chain(STRANGER.cert, STRANGER.key)
            for refused in (context, client_context()):
                for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                    refused.maximum_version = newest
                    with self.assertRaises(OSError):
                        with secure(gateway.port, context=refused) as sock:
                            exchange(sock, request_bytes())
            gateway.wait_log("TLS handshake failed: peer did not return a certificate")
            gateway.wait_log("TLS handshake failed: the certificate is not accepted")
            self.assertEqual(len(origin.requests), 1)

    def test_clients_that_are_only_asked_may_have_none_but_no_bad_one(self):
        asks = SITE.yaml()[:-1] + f", client_auth: {{ca: {CLIENTS.cert}, mode: request}}}}"
        with Origin() as origin, Gateway(config(origin, asks)) as gateway:
            with secure(gateway.port) as sock:
                self.assertEqual(exchange(sock, request_bytes()).body, b"ok")
            context = client_context()
            context.load_cert_chain(STRANGER.cert, STRANGER.key)
            with self.assertRaises(OSError):
                with secure(gateway.port, context=context) as sock:
                    exchange(sock, request_bytes())

    def test_plain_http_is_told_so_in_plain_http(self):
        with Origin() as origin, Gateway(config(origin)) as gateway:
            for method in ("GET", "DELETE", "QUERY"):
                with connect(gateway.port) as sock:
                    response = exchange(sock, request_bytes(method))
                    self.assertEqual((response.status, problem_code(response)), (400, "LG1017"))
                    self.assertEqual(sock.recv(1), b"")
            self.assertEqual(origin.requests, [])

    def test_a_proxy_header_comes_before_the_handshake(self):
        text = config(Nobody()).replace("tls:", "proxy_protocol: true, tls:") + "trusted: 127.0.0.1\n"
        header = b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 443\r\n"
        with Origin() as origin, Gateway(text.replace(":1\"", f":{origin.port}\"")) as gateway:
            for cut in (len(header), 20):
                raw = connect(gateway.port)
                for part in (header[:cut], header[cut:]):
                    raw.sendall(part)
                with client_context().wrap_socket(raw, server_hostname="site.test") as sock:
                    self.assertEqual(exchange(sock, request_bytes()).body, b"ok")
                self.assertEqual(origin.requests[-1].value("X-Forwarded-For"), "203.0.113.7")
            with self.assertRaises(OSError):
                secure(gateway.port)  # no header


class Files(unittest.TestCase):
    def test_check_says_what_is_wrong_with_them_and_prints_no_key(self):
        text = config(Nobody(), f"{{cert: {SITE.cert}, key: {ADA.key}}}")
        code, out, err = run_cli("check", "gw.yaml", files={"gw.yaml": text})
        self.assertEqual(code, 3)
        self.assertIn("LG2031", out)
        self.assertIn(f"the key '{ADA.key}' does not belong to the certificate '{SITE.cert}'", out)
        self.assertNotIn(ADA.key.read_text().splitlines()[1], out + err)

    def test_an_expired_certificate_is_served_with_a_warning(self):
        old = CA.issue("old.test", names=["site.test"], days=-1)
        with Origin() as origin, Gateway(config(origin, old.yaml())) as gateway:
            self.assertRegex(gateway.log_text(), "LG2104.*expired on")
            with secure(gateway.port, check_hostname=False, verify_mode=ssl.CERT_NONE) as sock:
                self.assertEqual(exchange(sock, request_bytes()).body, b"ok")


if __name__ == "__main__":
    unittest.main()
