#!/usr/bin/env python3
"""Keys of issuers by https: from whom they are taken, from whom not, and how often one that fails is asked."""
import datetime
import http.server
import json
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.certificates import Pair, authority  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.tokens import Key  # noqa: E402
from support.wire import ask, problem_code, request_bytes  # noqa: E402

KEY = Key("one")
OURS, THEIRS = authority("jwks"), authority("jwks-strangers")
HERE = ["localhost", "IP:127.0.0.1"]
GOOD = OURS.issue("here", names=HERE)

CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
routes:
  - name: r
    match: {{path: /}}
    chain: [jwt-auth: {{algorithms: [RS256], jwks: {{url: "https://{host}:{port}/keys", refresh: 1m{ca}}}}}]
    respond: {{status: 200}}
"""


def expired():
    """A certificate of OURS, of yesterday."""
    folder = Path(tempfile.mkdtemp(dir=OURS.cert.parent))
    day = lambda days: (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")  # noqa: E731
    (folder / "ca.conf").write_text("[ca]\ndefault_ca = it\n[it]\ndatabase = index\nserial = serial\nnew_certs_dir = .\n"
                                    "default_md = sha256\npolicy = any\nx509_extensions = names\n[any]\ncommonName = supplied\n"
                                    "[names]\nsubjectAltName = DNS:localhost\n")
    (folder / "index").touch()
    (folder / "serial").write_text("01\n")
    run = lambda *words: subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=60)  # noqa: E731
    run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "old.key", "-out", "old.csr", "-subj", "/CN=old")
    run("ca", "-batch", "-config", "ca.conf", "-cert", str(OURS.cert), "-keyfile", str(OURS.key), "-startdate", day(-3),
        "-enddate", day(-1), "-in", "old.csr", "-out", "old.pem", "-notext")
    return Pair(folder / "old.pem", folder / "old.key")


class Issuer:
    """A server of keys by TLS; `names` is what clients asked for (SNI), `times` when they got keys."""

    def __init__(self, pair, newest=ssl.TLSVersion.MAXIMUM_SUPPORTED):
        self.names, self.times, self.tries = [], [], []
        self.status = 200
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802
                issuer.times.append(time.monotonic())
                body = json.dumps({"keys": [KEY.jwk]}).encode()
                self.send_response(issuer.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass

            def finish_request(self, request, address):  # in a thread of its own: the handshake waits for its client
                issuer.tries.append(time.monotonic())
                request.settimeout(20)
                with context.wrap_socket(request, server_side=True) as secure:
                    Handler(secure, address, self)

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = newest
        if newest < ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(pair.cert, pair.key)
        context.sni_callback = lambda sock, name, _: self.names.append(name)
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class JwksByHttps(unittest.TestCase):
    def gateway(self, issuer, host="localhost", ca=OURS.cert, env=None):
        return Gateway(CONFIG.format(host=host, port=issuer.port, ca=f", ca: {ca}" if ca else ""), env=env)

    def get(self, gateway):
        return ask(gateway.port, request_bytes(headers=[("Authorization", "Bearer " + KEY.sign())]))

    def believes(self, gateway):
        gateway.wait_for(lambda: self.get(gateway).status == 200, "keys")

    def refuses(self, issuer, why, **how):
        with self.gateway(issuer, **how) as gateway:
            gateway.wait_log(rf"keys from https://.*: .*{why}.*; no token is accepted before they come")
            answer = self.get(gateway)
            self.assertEqual((answer.status, problem_code(answer)), (503, "LG5010"))
        self.assertEqual(issuer.times, [], "the request was sent all the same")

    def test_a_server_that_proves_its_name_is_believed(self):
        with Issuer(GOOD) as issuer:
            with self.gateway(issuer) as gateway:
                self.believes(gateway)
            self.assertEqual(issuer.names[-1], "localhost")
            with self.gateway(issuer, host="127.0.0.1") as gateway:
                self.believes(gateway)
            self.assertIsNone(issuer.names[-1])  # addresses are not told (RFC 6066, 3)

    def test_without_ca_the_authorities_of_the_system_count(self):
        with Issuer(GOOD) as issuer:
            with self.gateway(issuer, ca=None, env={"SSL_CERT_FILE": str(OURS.cert)}) as gateway:
                self.believes(gateway)
        with Issuer(GOOD) as issuer:
            self.refuses(issuer, "not believed: unable to get local issuer", ca=None)

    def test_a_certificate_of_another_name_is_not_believed(self):
        with Issuer(OURS.issue("elsewhere", names=["elsewhere.test", "*.test"])) as issuer:
            self.refuses(issuer, "not believed: [Hh]ostname mismatch")
            self.refuses(issuer, "not believed: IP address mismatch", host="127.0.0.1")

    def test_one_of_an_unknown_authority_is_not_believed(self):
        with Issuer(THEIRS.issue("here", names=HERE)) as issuer:
            self.refuses(issuer, "not believed: unable to get local issuer")

    def test_one_that_has_expired_is_not_believed(self):
        with Issuer(expired()) as issuer:
            self.refuses(issuer, "not believed: certificate has expired")

    def test_an_old_version_of_tls_is_not_spoken(self):
        with Issuer(GOOD, newest=ssl.TLSVersion.TLSv1_1) as issuer:
            self.refuses(issuer, "(protocol|alert)")

    def test_plain_http_on_the_port_is_no_answer(self):
        with Issuer(GOOD) as issuer:
            issuer.server.finish_request = lambda request, address: request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            self.refuses(issuer, "wrong version number")

    def test_a_file_of_authorities_that_changes_counts_with_the_next_fetch(self):
        with tempfile.TemporaryDirectory() as folder, Issuer(GOOD) as issuer:
            ca = Path(folder) / "ca.pem"
            ca.write_bytes(THEIRS.cert.read_bytes())
            with self.gateway(issuer, ca=ca) as gateway:
                gateway.wait_log("not believed")
                ca.write_bytes(OURS.cert.read_bytes())
                self.believes(gateway)

    def test_redirects_are_not_followed(self):
        with Issuer(GOOD) as issuer:
            issuer.status = 302
            with self.gateway(issuer) as gateway:
                gateway.wait_log("the answer's status is 302")

    def test_an_issuer_that_fails_is_asked_less_and_less_often(self):
        with Issuer(GOOD) as issuer:
            issuer.status = 500
            with self.gateway(issuer) as gateway:
                gateway.wait_for(lambda: len(issuer.times) >= 4, "the fourth fetch")
                pauses = [later - sooner for sooner, later in zip(issuer.times, issuer.times[1:])]
                for pause, least in zip(pauses, (1, 2, 4)):
                    self.assertGreaterEqual(pause, least - 0.05)
                issuer.status = 200
                self.believes(gateway)  # within eight seconds


if __name__ == "__main__":
    unittest.main(verbosity=2)
