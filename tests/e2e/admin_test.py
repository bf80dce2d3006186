#!/usr/bin/env python3
"""The admin API of a real gateway: what it shows and changes, and what it refuses: no token, wrong tokens, foreign names
and pages, bodies that are too large. Each operation by its OpenAPI document: openapi_test.py."""
import contextlib
import http.client
import json
import os
import re
import socket
import stat
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.admin import Admin  # noqa: E402
from support.gateway import Gateway, run_cli  # noqa: E402
from support.wire import TIMEOUT, Origin, reply  # noqa: E402

CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
admin: {address: 127.0.0.1:0, hosts: [gateway.test]}
x-note: {password: hunter2}
upstreams:
  users: {targets: [{url: "http://127.0.0.1:1", weight: 3}], health: {path: /, every: 50ms, unhealthy: 1}}
routes:
  - {name: hello, match: {path: /hello, methods: [GET]}, chain: [request-id, script: {file: hello.lua}], respond: {status: 200}}
  - {name: users, match: {path: "/users/*"}, upstream: users}
"""
FILES = {"hello.lua": "return {request = function(req, ctx) end}\n"}


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    connection.request("GET", path)
    try:
        return connection.getresponse().status
    finally:
        connection.close()


class AdminApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(CONFIG, FILES)
        cls.gateway.start()
        cls.admin = Admin(cls.gateway)

    @classmethod
    def tearDownClass(cls):
        assert cls.gateway.stop() == 0, cls.gateway.log_text()

    def test_the_token_is_made_for_the_gateways_user_alone(self):
        self.assertRegex(self.admin.token, r"^[0-9a-f]{64}$")
        self.assertEqual(stat.S_IMODE(os.stat(self.admin.token_file).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.admin.token_file.parent).st_mode), 0o700)
        self.assertNotIn(self.admin.token, self.gateway.log_text())

    def test_probes_and_metrics_need_no_token(self):
        self.assertEqual(self.admin.raw("GET", "/healthz")[::2], (200, b"ok\n"))
        self.assertEqual(self.admin.raw("GET", "/readyz")[::2], (200, b"ready\n"))
        self.assertIn(b"lingate_build_info", self.admin.raw("GET", "/metrics")[2])
        self.assertEqual(self.admin.raw("HEAD", "/healthz")[::2], (200, b""))

    def test_bad_tokens_change_nothing(self):
        self.admin.ask("POST", "/keys", {"id": "victim", "org": "acme"})
        before = self.admin.ask("GET", "/keys?org=acme")
        tokens = ["", "Bearer", "Bearer ", "Bearer x", "Basic " + self.admin.token, self.admin.token,
                  "Bearer " + self.admin.token[:-1], "Bearer " + self.admin.token + "0", "Bearer " + self.admin.token.upper(),
                  "Bearer " + self.admin.token[::-1], "Bearer " + "0" * 64, "Bearer " + "x" * 8000]
        connection = http.client.HTTPConnection("127.0.0.1", self.admin.port, timeout=TIMEOUT)
        refused = 0
        for i in range(2400):
            method, path, body = [("DELETE", "/keys/victim", None), ("PATCH", "/keys/victim", '{"org": "mine"}'),
                                  ("POST", "/keys", '{"org": "acme"}'), ("PUT", "/log/level", '{"level": "error"}'),
                                  ("POST", "/keys/victim/rotate", None)][i % 5]
            headers = {"Authorization": tokens[i % len(tokens)]} if i % 13 else {}
            connection.request(method, path, body, {**headers, "Content-Type": "application/json"})
            response = connection.getresponse()
            problem = json.loads(response.read())
            self.assertEqual((response.status, problem["code"]), (401, "LG5201"))
            self.assertTrue(response.headers["WWW-Authenticate"].startswith("Bearer"))
            refused += 1
        connection.close()
        self.assertEqual(refused, 2400)
        self.assertEqual(self.admin.ask("GET", "/keys?org=acme"), before)
        self.assertEqual(self.admin.ask("GET", "/log/level")[1], {"level": "info"})

    def test_foreign_names_and_pages_are_refused(self):
        for headers, wanted in [({"Host": "evil.test"}, 421), ({"Host": "localhost.evil.test"}, 421),
                                ({"Origin": "http://evil.test"}, 403), ({"Origin": "null"}, 403),
                                ({"Sec-Fetch-Site": "cross-site"}, 403), ({"Sec-Fetch-Site": "same-site"}, 403)]:
            with self.subTest(headers):
                status, problem = self.admin.ask("POST", "/keys", {"id": "foreign"}, headers=headers)
                self.assertEqual((status, problem["status"]), (wanted, wanted))
                self.assertEqual(self.admin.ask("GET", "/keys/foreign")[0], 404)
        self.assertEqual(self.admin.ask("GET", "/version", headers={"Host": "gateway.test:1"})[0], 200)
        self.assertEqual(self.admin.ask("GET", "/version", headers={"Host": "localhost"})[0], 200)
        own = "http://127.0.0.1:%d" % self.admin.port
        self.assertEqual(self.admin.ask("GET", "/version", headers={"Origin": own, "Sec-Fetch-Site": "same-origin"})[0], 200)
        preflight = self.admin.raw("OPTIONS", "/keys", headers={"Origin": "http://evil.test", "Access-Control-Request-Method": "POST"})
        self.assertEqual(preflight[0], 403)
        self.assertNotIn("Access-Control-Allow-Origin", preflight[1])
        self.assertEqual(self.admin.raw("GET", "/healthz", headers={"Host": "any.name"})[0], 200)

    def refused_early(self, head, body_size):
        """Sends the head and as much of the body as is taken; returns the status and how much that was."""
        sent = 0
        with socket.create_connection(("127.0.0.1", self.admin.port), TIMEOUT) as sock:
            sock.sendall(head)
            piece = b"x" * 65536
            try:
                while sent < body_size:
                    sock.sendall(piece)
                    sent += len(piece)
            except OSError:
                pass
            answer = b""
            try:
                while data := sock.recv(65536):
                    answer += data
            except OSError:
                pass
        return int(re.match(rb"HTTP/1.1 (\d+)", answer)[1]), sent

    def test_a_body_of_100_mb_is_refused_before_it_is_read(self):
        size = 100 * 1000 * 1000
        fields = "POST /keys HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\n"
        before = self.gateway.rss()
        for token, wanted in [(self.admin.token, 413), ("wrong", 401)]:
            head = (fields % token + "Content-Length: %d\r\n\r\n" % size).encode()
            status, sent = self.refused_early(head, size)
            self.assertEqual(status, wanted)
            self.assertLess(sent, size / 2)
        self.assertLess(self.gateway.rss() - before, 16 << 20)

    def test_a_chunked_body_has_the_same_limit(self):
        head = ("POST /keys HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
                "Authorization: Bearer %s\r\n\r\n" % self.admin.token).encode()
        with socket.create_connection(("127.0.0.1", self.admin.port), TIMEOUT) as sock:
            sock.sendall(head)
            try:
                for _ in range(40):
                    sock.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
            except OSError:
                pass
            self.assertIn(b" 413 ", sock.recv(65536).split(b"\r\n")[0])

    def test_what_is_no_request_or_no_json_is_told_so(self):
        self.assertEqual(self.admin.ask("PUT", "/keys", {})[1]["code"], "LG1012")
        status, fields, _ = self.admin.raw("POST", "/metrics")
        self.assertEqual((status, fields["Allow"]), (405, "GET, HEAD"))
        token = {"Authorization": "Bearer " + self.admin.token}
        self.assertEqual(self.admin.raw("POST", "/keys", "{}", {**token, "Content-Type": "text/plain"})[0], 415)
        self.assertEqual(self.admin.raw("POST", "/keys", "{}", token)[0], 415)
        self.assertEqual(self.admin.raw("POST", "/keys", "{", {**token, "Content-Type": "application/json"})[0], 400)
        self.assertEqual(self.admin.raw("POST", "/keys", "[" * 500000, {**token, "Content-Type": "application/json"})[0], 400)
        self.assertEqual(self.admin.ask("GET", "/nothing")[1]["code"], "LG5204")
        status, problem = self.admin.ask("POST", "/keys", {"aliass": "x"})
        self.assertEqual((status, problem["code"], problem["field"]), (422, "LG5210", "aliass"))
        with socket.create_connection(("127.0.0.1", self.admin.port), TIMEOUT) as sock:
            sock.sendall(b"NO SUCH THING\r\n\r\n")
            self.assertIn(b" 400 ", sock.recv(65536).split(b"\r\n")[0])

    def test_expect_100_continue_is_answered_before_the_body(self):
        with socket.create_connection(("127.0.0.1", self.admin.port), TIMEOUT) as sock:
            sock.sendall(("PUT /log/level HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                          "Content-Length: 16\r\nAuthorization: Bearer %s\r\n\r\n" % self.admin.token).encode())
            self.assertIn(b" 100 ", sock.recv(65536))
            sock.sendall(b'{"level":"info"}')
            self.assertIn(b" 200 ", sock.recv(65536).split(b"\r\n")[0])

    def test_the_state_of_routes_upstreams_and_runtimes_is_shown(self):
        routes = self.admin.ask("GET", "/routes")[1]["routes"]
        self.assertEqual([each["name"] for each in routes], ["hello", "users"])
        self.assertEqual(routes[0]["match"], {"path": "/hello", "methods": ["GET"]})
        self.assertEqual(routes[1]["upstream"], [{"name": "users", "weight": 1}])
        self.gateway.wait_log("is unhealthy")
        target = self.admin.ask("GET", "/upstreams")[1]["upstreams"][0]["targets"][0]
        self.assertEqual((target["address"], target["weight"], target["healthy"]), ("127.0.0.1:1", 3, False))
        self.assertEqual(target["workers"], {"all": 1, "unhealthy": 1, "ejected": 0})
        runtime, = self.admin.ask("GET", "/runtimes")[1]["runtimes"]
        self.assertEqual((runtime["name"], runtime["instances"]["idle"], runtime["kills"]), ("lua", 1, 0))
        self.assertGreater(runtime["memory_bytes"], 0)

    def test_the_configuration_is_shown_with_its_secrets_hidden(self):
        shown = self.admin.ask("GET", "/config")[1]
        self.assertEqual(shown["file"], str(self.gateway.dir / "gateway.yaml"))
        self.assertEqual(shown["yaml"], CONFIG.replace("hunter2", '"<hidden>"'))

    def test_a_configuration_is_checked_with_its_scripts_and_not_applied(self):
        token = {"Authorization": "Bearer " + self.admin.token, "Content-Type": "application/yaml"}
        check = lambda text: json.loads(self.admin.raw("POST", "/config/validate", text, token)[2])  # noqa: E731
        self.assertEqual(check(CONFIG)["ok"], True)
        found = check(CONFIG.replace("routes:", "rotes:"))
        self.assertEqual((found["ok"], found["diagnostics"][0]["code"]), (False, "LG2001"))
        (self.gateway.dir / "broken.lua").write_text("return {request = nothing.at.all}\n")
        found = check(CONFIG.replace("hello.lua", "broken.lua"))
        self.assertEqual((found["ok"], found["scripts"][0]["code"], found["scripts"][0]["line"]), (False, "LG3006", 1))
        self.assertEqual(self.admin.ask("GET", "/config")[1]["yaml"], CONFIG.replace("hunter2", '"<hidden>"'))

    def test_the_level_of_the_log_changes_at_once(self):
        self.assertEqual(self.admin.ask("PUT", "/log/level", {"level": "error"}), (200, {"level": "error"}))
        self.assertEqual(self.admin.ask("GET", "/log/level"), (200, {"level": "error"}))
        self.assertEqual(self.admin.ask("PUT", "/log/level", {"level": "loud"})[0], 400)
        self.admin.ask("PUT", "/log/level", {"level": "info"})
        self.gateway.wait_log("admin: the log's level is info")


class TokenFile(unittest.TestCase):
    def test_it_is_read_again_and_refused_if_others_can_read_it(self):
        with Gateway(CONFIG, FILES) as gateway:
            token = Admin(gateway).token
            gateway.stop()
            gateway.start()
            self.assertEqual(Admin(gateway).token, token)
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "gateway.yaml").write_text(CONFIG)
        (folder / "hello.lua").write_text(FILES["hello.lua"])
        (folder / "data").mkdir()
        (folder / "data/admin.token").write_text(token + "\n")
        (folder / "data/admin.token").chmod(0o644)
        code, _, error = run_cli("run", "-c", str(folder / "gateway.yaml"))
        self.assertEqual(code, 6)
        self.assertIn("others than its owner can read it", error)
        self.assertNotIn(token, error)

    def test_check_makes_none(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "gateway.yaml").write_text(CONFIG)
        (folder / "hello.lua").write_text(FILES["hello.lua"])
        self.assertEqual(run_cli("check", str(folder / "gateway.yaml"))[0], 0)
        self.assertFalse((folder / "data").exists())

    def test_it_may_stand_in_the_environment(self):
        config = CONFIG.replace("hosts:", "token: {env: ADMIN_TOKEN}, hosts:")
        with Gateway(config, FILES, env={"ADMIN_TOKEN": "0123456789abcdef"}) as gateway:
            connection = http.client.HTTPConnection("127.0.0.1", gateway.admin_port, timeout=TIMEOUT)
            connection.request("GET", "/version", headers={"Authorization": "Bearer 0123456789abcdef"})
            self.assertEqual(connection.getresponse().status, 200)
            connection.close()
            self.assertFalse((gateway.dir / "data/admin.token").exists())


class Ending(unittest.TestCase):
    def test_a_check_that_takes_long_does_not_hold_up_the_end(self):
        slow = ("def init(config):\n    open(%r, 'w').close()\n    while True:\n        pass\n"
                "def request(req, ctx):\n    pass\n")
        with tempfile.TemporaryDirectory() as folder:
            begun = Path(folder) / "begun"
            with Gateway(CONFIG, {**FILES, "slow.py": slow % str(begun)}) as gateway:
                admin = Admin(gateway)
                text = ("version: 1\nlisten: 127.0.0.1:0\n"
                        "routes: [{match: {path: /x}, respond: {}, chain: [script: slow.py]}]\n")

                def check():
                    with contextlib.suppress(OSError, http.client.HTTPException):
                        admin.raw("POST", "/config/validate", text, {"Authorization": "Bearer " + admin.token,
                                                                   "Content-Type": "application/yaml"})

                checking = threading.Thread(target=check)
                checking.start()
                gateway.wait_for(begun.exists, "the script that is checked")
                began = time.monotonic()
                gateway.stop()
                self.assertLess(time.monotonic() - began, 2)
                checking.join()


class Ejection(unittest.TestCase):
    def test_an_ejected_target_is_shown_until_it_is_taken_back(self):
        ill = threading.Event()
        ill.set()

        def serve(sock, stream):
            stream.head()
            if not ill.is_set():
                sock.sendall(reply(body=b"ok"))
            sock.close()

        with Origin(serve=serve) as origin:
            config = CONFIG.replace("http://127.0.0.1:1", "http://127.0.0.1:%d" % origin.port)
            config = config.replace("health: {path: /, every: 50ms, unhealthy: 1}", "eject: {failures: 2, for: 50ms}, retry: {attempts: 1}")
            with Gateway(config, FILES) as gateway:
                admin = Admin(gateway)
                target = lambda: admin.ask("GET", "/upstreams")[1]["upstreams"][0]["targets"][0]  # noqa: E731
                self.assertEqual((target()["healthy"], target()["ejected"]), (True, False))
                for _ in range(2):
                    self.assertEqual(get(gateway.port, "/users/1"), 502, gateway.log_text())
                self.assertEqual((target()["healthy"], target()["ejected"]), (True, True))
                self.assertEqual(target()["workers"], {"all": 1, "unhealthy": 0, "ejected": 1})
                ill.clear()
                gateway.wait_for(lambda: get(gateway.port, "/users/1") == 200, "answer")
                self.assertFalse(target()["ejected"])


class Abuse(unittest.TestCase):
    def test_without_a_token_a_thousand_a_second_are_served(self):
        with Gateway(CONFIG, FILES) as gateway:
            for path, status in (("/healthz", 200), ("/keys", 401)):
                connection = http.client.HTTPConnection("127.0.0.1", Admin(gateway).port, timeout=TIMEOUT)
                began = time.monotonic()
                for _ in range(600):  # 250 of them at once
                    connection.request("GET", path)
                    answer = connection.getresponse()
                    answer.read()
                    self.assertEqual(answer.status, status)
                self.assertGreater(time.monotonic() - began, 0.34)
                connection.close()

    def test_clients_that_are_silent_give_way(self):
        with Gateway(CONFIG, FILES) as gateway, contextlib.ExitStack() as silent:
            admin = Admin(gateway)
            for _ in range(600):
                silent.enter_context(socket.create_connection(("127.0.0.1", admin.port), TIMEOUT))
            self.assertEqual([get(admin.port, "/healthz") for _ in range(5)], [200] * 5)
            self.assertEqual(admin.ask("GET", "/keys")[0], 200)

    def test_a_flood_on_the_admin_address_leaves_the_data_path_alone(self):
        """A short form of row 25: requests go on while four clients hammer the admin API without a token."""
        with Gateway(CONFIG, FILES) as gateway:
            admin = Admin(gateway)
            over = threading.Event()
            hits = [0] * 4

            def hammer(k):
                connection = http.client.HTTPConnection("127.0.0.1", admin.port, timeout=TIMEOUT)
                while not over.is_set():
                    connection.request("DELETE", "/keys/x", headers={"Authorization": "Bearer wrong"})
                    response = connection.getresponse()
                    response.read()
                    assert response.status == 401
                    hits[k] += 1
                connection.close()

            threads = [threading.Thread(target=hammer, args=(k,)) for k in range(4)]
            for thread in threads:
                thread.start()
            connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=TIMEOUT)
            end = time.monotonic() + 2
            served = 0
            while time.monotonic() < end:
                connection.request("GET", "/hello")
                response = connection.getresponse()
                response.read()
                self.assertEqual(response.status, 200)
                served += 1
            over.set()
            for thread in threads:
                thread.join()
            connection.close()
            self.assertGreater(served, 50)
            self.assertGreater(min(hits), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
