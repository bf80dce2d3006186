#!/usr/bin/env python3
"""A running gateway takes on another configuration: by SIGHUP, by the admin API, by --watch; whole or not at all, and
nobody who is being served notices."""
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.admin import Admin  # noqa: E402
from support.gateway import run_cli  # noqa: E402
from support.reloaded import Reloaded, config, text_route  # noqa: E402
from support.tls import RSA, SITE, exchange, secure  # noqa: E402
from support.wire import TIMEOUT, Origin, Stream, connect, reply, request_bytes  # noqa: E402

COUNT = "local n = 0\nreturn {request = function() n = n + 1; return lingate.respond(200, 'lua' .. n) end}\n"


class Sighup(unittest.TestCase):
    def test_the_next_request_of_every_connection_sees_the_new_configuration(self):
        with Reloaded(config(text_route("a", "old"))) as it:
            kept = connect(it.gateway.port)
            stream = Stream(kept)
            kept.sendall(request_bytes(target="/a"))
            self.assertEqual(stream.response().body, b"old")
            it.reload(config(text_route("a", "new") + text_route("b", "more")))
            kept.sendall(request_bytes(target="/a") + request_bytes(target="/b"))
            self.assertEqual([stream.response().body, stream.response().body], [b"new", b"more"])
            kept.close()

    def test_a_request_in_flight_finishes_on_the_configuration_that_it_began_on(self):
        answer = threading.Event()

        def slow(_):
            answer.wait(TIMEOUT)
            return reply(200, body=b"from upstream")

        with Origin(slow) as origin:
            upstream = f"upstreams: {{o: {{targets: [{{url: 'http://127.0.0.1:{origin.port}'}}]}}}}\n"
            routes = "  - {name: o, match: {path: /o}, chain: [headers: {response: {set: {X-Old: 'yes'}}}], upstream: o}\n"
            with Reloaded(config(routes, upstream)) as it:
                client = connect(it.gateway.port)
                client.sendall(request_bytes(target="/o"))
                it.gateway.wait_for(lambda: origin.requests, "request at the upstream")
                it.reload(config(text_route("o", "no upstream any more")))
                answer.set()
                response = Stream(client).response()
                self.assertEqual((response.status, response.body, response.value("X-Old")),
                                 (200, b"from upstream", "yes"))
                client.close()
                self.assertEqual(it.get("/o"), (200, "no upstream any more"))

    def test_what_is_wrong_is_told_with_its_place_and_changes_nothing(self):
        top = "admin: {address: 127.0.0.1:0}\n"
        good = config(text_route("a", "good"), top)
        broken_script = config("  - {name: a, match: {path: /a}, chain: [script: {file: bad.lua}], respond: {status: 200}}\n", top)
        taken = socket.socket()
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        bad = {
            good.replace("match", "mach", 1): r"gateway.yaml:\d+:\d+: unknown key .*LG2001",
            broken_script: r"bad.lua:2:1: .*LG3",
            config(text_route("a", "x"), top, [f"127.0.0.1:{taken.getsockname()[1]}"]): "cannot listen on 127.0.0.1",
            "": r"LG2",
        }
        with Reloaded(good, {"bad.lua": "local x = 1\nsyntax error here\n"}) as it:
            admin = Admin(it.gateway)
            for text, message in bad.items():
                it.write(text)
                it.gateway.signal(signal.SIGHUP)
                self.assertIn('"LG5211"', it.gateway.wait_log("is not applied.*" + message))
                self.assertEqual(it.get("/a"), (200, "good"))
                self.assertIn(b"\nlingate_config_last_reload_successful 0\n", admin.raw("GET", "/metrics")[2])
            (it.gateway.dir / "gateway.yaml").unlink()
            it.gateway.signal(signal.SIGHUP)
            it.gateway.wait_log("is not applied.*there is no such file")
            it.reload(good.replace("good", "better"))
            self.assertEqual(it.get("/a"), (200, "better"))
            self.assertIn(b"\nlingate_config_last_reload_successful 1\n", admin.raw("GET", "/metrics")[2])
        taken.close()

    def test_listeners_come_and_go_and_connections_stay(self):
        free = socket.socket()
        free.bind(("127.0.0.1", 0))
        second = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        routes = text_route("a", "here")
        with Reloaded(config(routes)) as it:
            first_port, second_port = it.gateway.port, int(second.rpartition(":")[2])
            it.reload(config(routes, listen=["127.0.0.1:0", second]))
            self.assertEqual(it.get("/a"), (200, "here"))  # port 0 has kept its port
            kept = connect(second_port)
            stream = Stream(kept)
            kept.sendall(request_bytes(target="/a"))
            self.assertEqual(stream.response().body, b"here")
            it.reload(config(routes))
            it.gateway.wait_for(lambda: self.is_refused(second_port), "end of the listener")
            kept.sendall(request_bytes(target="/a"))
            self.assertEqual(stream.response().body, b"here")
            kept.close()
            self.assertEqual(it.get("/a", first_port), (200, "here"))

    def test_a_unix_socket_goes_and_comes_again_while_a_worker_is_busy(self):
        busy = ("local M = {}\nfunction M.request(req)\n  local n = 0\n  while n < 1e8 do n = n + 1 end\n"
                "  return lingate.respond(200, 'done')\nend\nreturn M\n")
        routes = text_route("a", "here") + ("  - {name: busy, match: {path: /busy}, respond: {status: 200}, "
                                            "chain: [script: {file: busy.lua, budget: 2s, isolation: inline}]}\n")
        with Reloaded(config(routes), {"busy.lua": busy}) as it:
            path = str(it.gateway.dir / "gw.sock")
            both = config(routes, listen=["127.0.0.1:0", f"unix:{path}"])
            for _ in range(3):
                it.reload(both)
                self.assertEqual(self.ask_unix(path), b"here")
                client = connect(it.gateway.port)
                client.sendall(request_bytes(target="/busy"))
                it.reload(config(routes))
                it.reload(both)
                self.assertEqual(self.ask_unix(path), b"here")
                self.assertEqual(Stream(client).response().status, 200)
                client.close()
                it.reload(config(routes))
                it.gateway.wait_for(lambda: not os.path.exists(path), "end of the socket")

    @staticmethod
    def ask_unix(path):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(TIMEOUT)
            sock.connect(path)
            sock.sendall(request_bytes(target="/a"))
            return Stream(sock).response().body

    @staticmethod
    def is_refused(port):
        try:
            connect(port).close()
        except (ConnectionRefusedError, ConnectionResetError):  # reset: not yet accepted when the socket went
            return True
        return False

    def test_what_takes_a_new_start_is_said(self):
        with Reloaded(config(text_route("a", "x"))) as it:
            it.reload(config(text_route("a", "y")).replace("workers: 2", "workers: 3"))
            self.assertIn("with the next start only: workers", it.gateway.wait_log("generation 2"))
            self.assertEqual(it.get("/a"), (200, "y"))

    def test_a_tunnel_survives(self):
        switch = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                  b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
        listener = socket.create_server(("127.0.0.1", 0))
        upstream = f"upstreams: {{o: {{targets: [{{url: 'http://127.0.0.1:{listener.getsockname()[1]}'}}]}}}}\n"
        with Reloaded(config("  - {name: o, match: {path: /o}, upstream: o}\n", upstream)) as it:
            client = connect(it.gateway.port)
            client.sendall(request_bytes(target="/o", headers=[("Connection", "Upgrade"), ("Upgrade", "websocket"),
                                                               ("Sec-WebSocket-Version", "13"),
                                                               ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]))
            origin, _ = listener.accept()
            origin.settimeout(TIMEOUT)
            Stream(origin).head()
            origin.sendall(switch)
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(1)
            it.reload(config(text_route("a", "x")))
            it.reload(config(text_route("a", "y")))
            client.sendall(b"ping")
            self.assertEqual(origin.recv(4), b"ping")
            origin.sendall(b"pong")
            self.assertEqual(client.recv(4), b"pong")
            client.close()
            origin.close()
        listener.close()


class Certificates(unittest.TestCase):
    @staticmethod
    def peer(sock):
        return sock.getpeercert()["subject"][-1][0][1]

    def test_new_certificates_are_shown_to_new_connections(self):
        listen = f"127.0.0.1:0\n    tls: {SITE.yaml()}"
        with Reloaded(config(text_route("a", "old"), listen=[listen])) as it:
            old = secure(it.gateway.port)
            self.assertEqual(self.peer(old), "site.test")
            self.assertEqual(exchange(old, request_bytes(target="/a")).body, b"old")
            it.reload(config(text_route("a", "new"), listen=[listen.replace(SITE.yaml(), RSA.yaml())]))
            with secure(it.gateway.port, "rsa.test") as new:
                self.assertEqual(self.peer(new), "rsa.test")
                self.assertEqual(exchange(new, request_bytes(target="/a")).body, b"new")
            self.assertEqual(exchange(old, request_bytes(target="/a")).body, b"new")  # its conversation goes on
            old.close()
            it.reload(config(text_route("a", "plain")))
            self.assertEqual(it.get("/a"), (200, "plain"))

    def test_files_that_cannot_be_used_change_nothing(self):
        listen = f"127.0.0.1:0\n    tls: {SITE.yaml()}"
        with Reloaded(config(text_route("a", "x"), listen=[listen])) as it:
            it.write(config(text_route("a", "x"), listen=[f"127.0.0.1:0\n    tls: {{cert: {SITE.cert}, key: {RSA.key}}}"]))
            it.gateway.signal(signal.SIGHUP)
            it.gateway.wait_log("is not applied.*gateway.yaml:[0-9]+:")
            with secure(it.gateway.port) as sock:
                self.assertEqual(exchange(sock, request_bytes(target="/a")).body, b"x")


class AdminApi(unittest.TestCase):
    TOP = "admin: {address: 127.0.0.1:0}\n"

    def put(self, admin, text, match, query=""):
        return admin.raw("PUT", "/config" + query, text, {"Authorization": "Bearer " + admin.token, "If-Match": match,
                                                          "Content-Type": "application/yaml"})

    def test_a_configuration_is_put_saved_shown_and_taken_back(self):
        first = config(text_route("a", "first"), self.TOP)
        second = config(text_route("a", "second"), self.TOP)
        with Reloaded(first) as it:
            admin = Admin(it.gateway)
            status, shown = admin.ask("GET", "/config")
            self.assertEqual((status, shown["generation"], shown["origin"], shown["yaml"]), (200, 1, "start", first))
            self.assertEqual(self.put(admin, second, "")[0], 428)
            self.assertEqual(self.put(admin, second, '"another-7"')[0], 412)
            self.assertEqual(it.get("/a"), (200, "first"))
            status, fields, body = self.put(admin, second, '"another-7", ' + shown["etag"])
            self.assertEqual((status, json.loads(body)["generation"]), (200, 2))
            self.assertEqual(it.get("/a"), (200, "second"))
            self.assertEqual((it.gateway.dir / "gateway.yaml").read_text(), second)
            self.assertEqual(self.put(admin, first, shown["etag"])[0], 412)  # of generation 1
            self.assertEqual(admin.ask("GET", "/config")[1]["etag"], fields["ETag"])
            history = admin.ask("GET", "/config/history")[1]["generations"]
            self.assertEqual([(each["generation"], each["origin"]) for each in history], [(1, "start"), (2, "api")])
            status, back = admin.ask("POST", "/config/rollback", {"generation": 1})
            self.assertEqual((status, back["generation"]), (200, 3))
            self.assertEqual(it.get("/a"), (200, "first"))
            self.assertEqual((it.gateway.dir / "gateway.yaml").read_text(), first)
            self.assertEqual(admin.ask("POST", "/config/rollback", {"generation": 77})[0], 404)

    def test_a_file_with_a_byte_order_mark_is_no_edited_file(self):
        marked = "\ufeff" + config(text_route("a", "first"), self.TOP)
        with Reloaded(marked) as it:
            self.assertEqual(self.put(Admin(it.gateway), config(text_route("a", "second"), self.TOP), "*")[0], 200)
            self.assertEqual(it.get("/a"), (200, "second"))

    def test_an_edit_made_while_scripts_load_is_not_lost(self):
        good = config(text_route("a", "good"), self.TOP)
        slow = ("import os, time\ndef init(config):\n    open(%r, 'w').close()\n"
                "    while not os.path.exists(%r):\n        time.sleep(0.01)\n"
                "def request(req, ctx):\n    pass\n")
        with Reloaded(good) as it:
            admin, answers = Admin(it.gateway), []
            begun, go_on = it.gateway.dir / "begun", it.gateway.dir / "go_on"
            it.write(slow % (str(begun), str(go_on)), "slow.py")
            new = good.replace("respond", "chain: [script: {file: slow.py}], respond")
            asking = threading.Thread(target=lambda: answers.append(self.put(admin, new, "*")))
            asking.start()
            it.gateway.wait_for(begun.exists, "script that loads")
            it.write(good + "# an edit\n")
            go_on.touch()
            asking.join()
            self.assertEqual(answers[0][0], 409)
            self.assertEqual((it.gateway.dir / "gateway.yaml").read_text(), good + "# an edit\n")

    def test_what_is_refused_leaves_file_and_gateway_alone(self):
        good = config(text_route("a", "good"), self.TOP)
        with Reloaded(good) as it:
            admin = Admin(it.gateway)
            status, _, body = self.put(admin, good.replace("match", "mach"), "*")
            problem = json.loads(body)
            self.assertEqual((status, problem["code"]), (422, "LG5211"))
            self.assertIn("unknown key 'mach'", problem["report"])
            self.assertEqual(problem["diagnostics"][0]["code"], "LG2001")
            status, _, body = self.put(admin, good + "x-note: {password: \"<hidden>\"}\n", "*")
            self.assertEqual(status, 422)
            self.assertEqual((it.gateway.dir / "gateway.yaml").read_text(), good)
            it.write(good + "# an edit\n")
            self.assertEqual(self.put(admin, good.replace("good", "new"), "*")[0], 409)
            self.assertEqual(it.get("/a"), (200, "good"))
            self.assertEqual(self.put(admin, good.replace("good", "new"), "*", "?save=false")[0], 200)
            self.assertEqual(it.get("/a"), (200, "new"))
            self.assertEqual((it.gateway.dir / "gateway.yaml").read_text(), good + "# an edit\n")
            status, told = admin.ask("POST", "/config/reload")
            self.assertEqual((status, told["generation"]), (200, 3))
            self.assertEqual(it.get("/a"), (200, "good"))


class CommandLine(unittest.TestCase):
    def test_reload_diff_history_and_rollback(self):
        top = "admin: {address: 127.0.0.1:0}\nx-note: {password: hunter2}\n"
        first = config(text_route("a", "first"), top)
        with Reloaded(first, {"a.lua": "return {request = function() end}\n"}) as it:
            file = str(it.gateway.dir / "gateway.yaml")
            where = ["-c", file, "--admin", f"127.0.0.1:{it.gateway.admin_port}"]
            run = lambda *words: run_cli(*words, *where)  # noqa: E731
            self.assertEqual(run("config", "diff")[:2], (0, "the file is what runs\n"))
            it.write(first.replace("first", "second"))
            code, shown, _ = run("config", "diff")
            self.assertEqual(code, 4)
            self.assertRegex(shown, r"(?s)^--- running \(generation 1\)\n\+\+\+ .*\n-.*'first'.*\n\+.*'second'")
            self.assertNotIn("hunter2", shown)
            self.assertEqual(run("reload")[:2], (0, "generation 2 runs\n"))
            self.assertEqual(it.get("/a"), (200, "second"))
            it.write(first.replace("match", "mach"))
            code, shown, error = run_cli("reload", "--admin", where[3], "--token-file", str(it.gateway.dir / "data/admin.token"))
            self.assertEqual((code, shown), (3, ""))
            self.assertIn("unknown key 'mach'", error)
            script = "[script: {file: a.lua}]"
            it.write(first.replace("respond", f"chain: {script}, respond"))
            it.write("syntax error\n", "a.lua")
            code, _, error = run("reload")
            self.assertEqual(code, 7, error)
            self.assertIn("a.lua:1:1: error", error)
            it.write(first.replace("first", "second"))
            self.assertEqual(run("config", "rollback", "1")[:2], (0, "generation 3 runs\n"))
            self.assertEqual(it.get("/a"), (200, "first"))
            code, shown, _ = run("config", "history")
            self.assertRegex(shown, r"(?s)^GENERATION +ORIGIN +SINCE\n1 +start .*\n2 +file .*\n3 +rollback ")
        code, _, error = run_cli("reload", "--admin", where[3], "--token-file", __file__)
        self.assertEqual(code, 5, error)


class Sigusr1(unittest.TestCase):
    def test_log_files_are_opened_anew(self):
        routes = ("  - {name: a, match: {path: /a}, chain: [request-id, access-log: {file: access.log}], "
                  "respond: {status: 200, text: x}}\n")
        with Reloaded(config(routes)) as it:
            log, moved = it.gateway.dir / "access.log", it.gateway.dir / "access.log.1"
            self.assertEqual(it.get("/a")[0], 200)
            it.gateway.wait_for(lambda: log.read_text().count("\n") == 1, "line")
            log.rename(moved)
            it.gateway.signal(signal.SIGUSR1)
            it.gateway.wait_for(log.exists, "new file")
            self.assertEqual(it.get("/a")[0], 200)
            it.gateway.wait_for(lambda: log.read_text().count("\n") == 1, "line in the new file")
            self.assertEqual(moved.read_text().count("\n"), 1)


class Watch(unittest.TestCase):
    def test_what_came_by_the_api_is_not_loaded_again(self):
        text = config(text_route("a", "old"), AdminApi.TOP)
        with Reloaded(text, args=["--watch"]) as it:
            admin = Admin(it.gateway)
            self.assertEqual(AdminApi.put(self, admin, text.replace("old", "new"), "*")[0], 200)
            it.write(text.replace("old", "newer"))
            it.gateway.wait_log("generation 3 of the configuration runs")
            origins = [each["origin"] for each in admin.ask("GET", "/config/history")[1]["generations"]]
            self.assertEqual(origins, ["start", "api", "file"])

    def test_changes_of_configuration_and_scripts_are_followed(self):
        text = config(text_route("a", "old") + "  - {name: lua, match: {path: /lua}, chain: [script: {file: s/count.lua}], "
                      "respond: {status: 500}}\n")
        with Reloaded(text, {"s/count.lua": COUNT}, ["--watch"]) as it:
            self.assertEqual(it.get("/lua"), (200, "lua1"))
            it.write(text.replace("old", "new"))
            it.follow()
            self.assertEqual(it.get("/a"), (200, "new"))
            it.write(COUNT.replace("'lua'", "'moon'"), "s/count.lua")
            it.follow()
            self.assertEqual(it.get("/lua"), (200, "moon1"))
            new = it.gateway.dir / "new.yaml"
            new.write_text(text.replace("old", "renamed"))
            new.rename(it.gateway.dir / "gateway.yaml")
            it.follow()
            self.assertEqual(it.get("/a"), (200, "renamed"))
            it.write("version: 2\n")
            it.gateway.wait_log("is not applied")
            it.write(text.replace("old", "mended"))
            it.follow()
            self.assertEqual(it.get("/a"), (200, "mended"))

    def test_an_edit_while_the_gateway_starts_is_seen(self):
        text = config(text_route("a", "old") + "  - {name: s, match: {path: /s}, chain: [script: {file: s.py}], respond: {status: 200}}\n")
        script = "import os\ndef init(config):\n    if os.path.exists(%r): os.rename(%r, %r)\ndef request(req, ctx):\n    pass\n"
        with tempfile.TemporaryDirectory() as aside:
            new = os.path.join(aside, "new.yaml")
            it = Reloaded(text, args=["--watch"])
            it.write(script % (new, new, str(it.gateway.dir / "gateway.yaml")), "s.py")
            Path(new).write_text(text.replace("old", "new"))
            with it:
                it.follow()
                self.assertEqual(it.get("/a"), (200, "new"))

    def test_a_script_of_a_refused_configuration_is_watched_too(self):
        text = config(text_route("a", "old"))
        script = "  - {name: lua, match: {path: /lua}, chain: [script: {file: far/count.lua}], respond: {status: 500}}\n"
        with Reloaded(text, {"far/count.lua": "syntax error\n"}, ["--watch"]) as it:
            it.write(text + script)
            it.gateway.wait_log("is not applied.*count.lua:1")
            it.write(COUNT, "far/count.lua")
            it.follow()
            self.assertEqual(it.get("/lua"), (200, "lua1"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
