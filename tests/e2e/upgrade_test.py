#!/usr/bin/env python3
"""SIGUSR2: the program that is on disk takes the running one's place, and nobody who is being served, or who comes just
then, notices. What cannot take it leaves everything as it is."""
import os
import signal
import socket
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.admin import Admin  # noqa: E402
from support.h2 import NO_ERROR, Peer  # noqa: E402
from support.upgraded import Load, LoadOfStreams, Upgraded  # noqa: E402
from support.wire import TIMEOUT, Origin, Stream, ask, connect, reply, request_bytes  # noqa: E402

CONFIG = """
version: 1
workers: {workers}
listen:
  - address: 127.0.0.1:0
{more}
admin: {{address: 127.0.0.1:0}}
limits: {{timeout: {{drain: {drain}}}}}
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off}}
routes:
  - {{name: here, match: {{path: /here}}, respond: {{status: 200, text: here}}}}
  - {{name: mine, match: {{path: /mine}}, chain: [key-auth], respond: {{status: 200, text: mine}}}}
  - {{name: all, match: {{path: "/*"}}, upstream: origin}}
"""
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
WEBSOCKET = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
             ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]


def config(port=1, workers=2, drain="20s", more=""):
    return CONFIG.format(port=port, workers=workers, drain=drain, more=more)


class Upgrade(unittest.TestCase):
    def test_twice_in_a_row_under_load_no_request_fails(self):
        with Upgraded(config()) as gateway:
            port, admin_port = gateway.port, gateway.admin_port
            first = gateway.current
            with Load(port) as load:
                load.wait_for(2000)
                gateway.install()
                old = gateway.upgrade()
                self.assertEqual(gateway.program_of(gateway.current), gateway.binary.stat().st_ino)
                load.wait_for(4000)
                self.assertEqual(gateway.wait_for_end(old), 0)  # its clients have come over
                second = gateway.upgrade()
                load.wait_for(4000)
                self.assertEqual(gateway.wait_for_end(second), 0)
                load.wait_for(2000)
            self.assertEqual(load.failures, [])
            self.assertEqual(len({first, second, gateway.current}), 3)
            self.assertEqual(ask(admin_port, request_bytes(target="/healthz", host=f"127.0.0.1:{admin_port}")).status, 200)
            print(f"{load.answered} requests at {load.rate:.0f}/s beside two upgrades, 0 failed", file=sys.stderr)

    def test_streams_of_http2_are_answered_or_told_to_go_elsewhere(self):
        with Upgraded(config(more="    http2: true")) as gateway, LoadOfStreams(gateway.port) as load:
            load.wait_for(1000)
            for _ in range(2):
                old = gateway.upgrade()
                load.wait_for(2000)
                self.assertEqual(gateway.wait_for_end(old), 0)
            load.wait_for(1000)
            self.assertEqual(load.failures, [])

    def test_whom_the_kernel_has_let_in_is_served(self):
        """Connections that are made and say nothing until the other process serves."""
        with Upgraded(config(workers=1)) as gateway:
            waiting = [connect(gateway.port) for _ in range(50)]
            old = gateway.upgrade()
            for sock in waiting:
                sock.sendall(request_bytes(target="/here"))
                self.assertEqual(Stream(sock).response().status, 200)
                sock.close()
            self.assertEqual(gateway.wait_for_end(old), 0)

    def test_who_begins_http2_with_a_process_that_drains_is_served_and_told_to_go(self):
        with Upgraded(config(workers=1, more="    http2: true")) as gateway:
            waiting = [connect(gateway.port) for _ in range(5)]
            old = gateway.upgrade()
            for sock in waiting:
                with Peer(sock) as peer:
                    stream = peer.request(path="/here")
                    self.assertEqual(peer.answer(stream).status, 200)
                    self.assertEqual((peer.to_the_end(), peer.goaway), (NO_ERROR, (stream, NO_ERROR)))
            self.assertEqual(gateway.wait_for_end(old), 0)

    def test_a_post_in_flight_ends_where_it_began(self):
        answer, asked = threading.Event(), []

        def slow(request):
            asked.append(request.body)
            answer.wait(TIMEOUT)
            return reply(201, body=request.body)

        with Origin(slow) as origin, Upgraded(config(origin.port)) as gateway:
            client = connect(gateway.port)
            raw = request_bytes("POST", "/orders", body=b"x" * 50_000)
            client.sendall(raw[:30_000])  # the half of it
            old = gateway.upgrade()
            client.sendall(raw[30_000:])
            gateway.wait_for(lambda: asked, "request at the upstream")
            answer.set()
            response = Stream(client).response("POST")
            self.assertEqual((response.status, response.body, len(asked)), (201, b"x" * 50_000, 1))
            self.assertEqual(response.value("Connection"), "close")
            client.close()
            self.assertEqual(gateway.wait_for_end(old), 0)

    def test_a_tunnel_stays_with_the_old_process_until_its_drain_is_over(self):
        listener = socket.create_server(("127.0.0.1", 0))
        with Upgraded(config(listener.getsockname()[1], drain="2s")) as gateway:
            client = connect(gateway.port)
            client.sendall(request_bytes(target="/socket", headers=WEBSOCKET))
            origin, _ = listener.accept()
            origin.settimeout(TIMEOUT)
            Stream(origin).head()
            origin.sendall(SWITCH)
            self.assertEqual(Stream(client).response().status, 101)
            old = gateway.upgrade()
            client.sendall(b"ping")
            self.assertEqual(origin.recv(4), b"ping")
            origin.sendall(b"pong")
            self.assertEqual(client.recv(4), b"pong")
            self.assertEqual(gateway.wait_for_end(old), 0)
            self.assertEqual(client.recv(1), b"")
            client.close()
            origin.close()
        listener.close()

    def test_listeners_that_come_go_and_share_a_unix_socket(self):
        spare = socket.create_server(("127.0.0.1", 0))
        extra = "127.0.0.1:%d" % spare.getsockname()[1]
        spare.close()
        with Upgraded(config(workers=3)) as gateway:
            port = gateway.port
            path = gateway.dir / "gw.sock"
            file = gateway.dir / "gateway.yaml"
            file.write_text(config(workers=1, more=f"  - address: unix:{path}\n  - address: {extra}"))
            gateway.upgrade()  # fewer workers than sockets
            for _ in range(20):
                self.assertEqual(ask(port, request_bytes(target="/here")).status, 200)
            self.assertEqual(self.ask_unix(path), 200)
            file.write_text(config(workers=4, more=f"  - address: unix:{path}"))
            old = gateway.upgrade()  # more of them, and an address gone
            self.assertEqual(gateway.wait_for_end(old), 0)
            for _ in range(20):
                self.assertEqual(ask(port, request_bytes(target="/here")).status, 200)
            self.assertEqual(self.ask_unix(path), 200)
            self.assertRaises(ConnectionRefusedError, connect, int(extra.rpartition(":")[2]))
            file.write_text(config(workers=4))
            old = gateway.upgrade()
            self.assertEqual(gateway.wait_for_end(old), 0)
            self.assertFalse(path.exists())

    @staticmethod
    def ask_unix(path):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(TIMEOUT)
            sock.connect(str(path))
            sock.sendall(request_bytes(target="/here"))
            return Stream(sock).response().status


class Store(unittest.TestCase):
    @staticmethod
    def mine(sock, key):
        sock.sendall(request_bytes(target="/mine", headers=[("X-Api-Key", key)]))
        return Stream(sock).response().status

    def test_keys_are_known_to_the_next_process_and_changes_to_the_one_before(self):
        with Upgraded(config(drain="5s")) as gateway:
            status, made = Admin(gateway).ask("POST", "/keys", {"org": "acme"})
            self.assertEqual(status, 201, made)
            kept = [connect(gateway.port) for _ in range(40)]
            self.assertEqual({self.mine(sock, made["key"]) for sock in kept}, {200})  # now each worker knows it by heart
            old = gateway.upgrade()
            with connect(gateway.port) as fresh:
                self.assertEqual(self.mine(fresh, made["key"]), 200)
            admin = Admin(gateway)
            self.assertEqual(admin.ask("DELETE", "/keys/" + made["session"]["id"])[0], 204)
            # These are the old process's, each for one more request; the revocation is the new one's.
            answers = []
            for sock in kept:
                answers.append(self.mine(sock, made["key"]))
                sock.close()
                if answers[-1] == 200:
                    time.sleep(0.01)  # it looks as often as that
            self.assertEqual(answers[-1], 401, answers)
            self.assertEqual(gateway.wait_for_end(old), 0)
            with connect(gateway.port) as fresh:
                self.assertEqual(self.mine(fresh, made["key"]), 401)


class Failure(unittest.TestCase):
    def assert_serves_on(self, gateway, port, admin, failures):
        self.assertEqual(ask(port, request_bytes(target="/here")).status, 200)
        page = admin.raw("GET", "/metrics")[2].decode()
        self.assertIn(f"\nlingate_upgrade_failures_total {failures}\n", page)
        status, made = admin.ask("POST", "/keys", {"org": "acme"})
        self.assertEqual(status, 201, made)

    def test_what_cannot_take_its_place_leaves_it_serving(self):
        with Upgraded(config()) as gateway:
            port, admin, first = gateway.port, Admin(gateway), gateway.current
            file = gateway.dir / "gateway.yaml"
            good = file.read_text()
            with Load(port, kept=2, fresh=1) as load:
                file.write_text(good.replace("respond", "respnd"))
                gateway.ask_for_upgrade()
                self.assertIn('"LG1901"', gateway.wait_log(r"upgrade: the new process ended with exit code 3.*serves on"))
                self.assert_serves_on(gateway, port, admin, 1)
                file.write_text(good + "  - {name: s, match: {path: /s}, chain: [script: {file: s.lua}], respond: {status: 200}}\n")
                (gateway.dir / "s.lua").write_text("not lua\n")
                gateway.ask_for_upgrade()
                gateway.wait_log(r"upgrade: the new process ended with exit code 7.*serves on")
                self.assert_serves_on(gateway, port, admin, 2)
                file.write_text(good)
                gateway.binary.unlink()
                gateway.ask_for_upgrade()
                gateway.wait_log(r"upgrade: \S+ cannot be started: No such file.*serves on")
                self.assert_serves_on(gateway, port, admin, 3)
                self.assertEqual(gateway.current, first)
                gateway.install()
                old = gateway.upgrade()
                self.assertEqual(gateway.wait_for_end(old), 0)
                load.wait_for(200)
            self.assertEqual(load.failures, [])

    def test_a_process_that_lets_go_of_the_channel_or_says_something_else_is_ended(self):
        with Upgraded(config()) as gateway:
            port, admin = gateway.port, Admin(gateway)
            for failures, does in enumerate(("exec 3>&-", "printf X >&3"), 1):
                gateway.replace_program(f"#!/bin/sh\necho $$ > {gateway.dir}/its.pid\n{does}\nexec sleep 600\n")
                lines = len(gateway.log_lines())
                gateway.ask_for_upgrade()
                self.wait_for_failure(gateway, lines, "went on without a word that it serves, and was ended")
                self.assertFalse(Path("/proc", (gateway.dir / "its.pid").read_text().strip()).exists())
                self.assert_serves_on(gateway, port, admin, failures)
            gateway.install()
            gateway.upgrade()

    def test_who_hears_of_a_failure_may_ask_again_at_once(self):
        with Upgraded(config()) as gateway:
            gateway.binary.unlink()
            for _ in range(30):
                lines = len(gateway.log_lines())
                gateway.ask_for_upgrade()
                self.wait_for_failure(gateway, lines, "cannot be started")
            self.assertNotIn("starts already", gateway.log_text())

    @staticmethod
    def wait_for_failure(gateway, lines, why):
        gateway.wait_for(lambda: any('"LG1901"' in line and why in line for line in gateway.log_lines()[lines:]), why)

    def test_what_fails_last_has_taken_no_clients(self):
        """It would bind more sockets, to which the kernel gives clients from the first moment."""
        with socket.create_server(("127.0.0.1", 0)) as busy, Upgraded(config(workers=1)) as gateway:
            taken = "127.0.0.1:%d" % busy.getsockname()[1]
            file, good = gateway.dir / "gateway.yaml", config(workers=32)
            with Load(gateway.port, kept=0, fresh=6) as load:
                for bad in (good.replace("admin: {address: 127.0.0.1:0}", f'admin: {{address: "{taken}"}}'),
                            good.replace("admin:", f"  - address: {taken}\nadmin:")):
                    self.assertIn(taken, bad)
                    file.write_text(bad)
                    for _ in range(8):
                        lines = len(gateway.log_lines())
                        gateway.ask_for_upgrade()
                        self.wait_for_failure(gateway, lines, "ended with exit code 6")
                load.wait_for(200)
            self.assertEqual(load.failures, [])

    def test_an_address_that_the_gateway_itself_is_in_the_way_of_is_called_so(self):
        with socket.create_server(("127.0.0.1", 0)) as spare:
            port = spare.getsockname()[1]
        text = config().replace("address: 127.0.0.1:0\n", f"address: 127.0.0.1:{port}\n", 1)
        with Upgraded(text) as gateway:
            (gateway.dir / "gateway.yaml").write_text(text.replace(f"127.0.0.1:{port}", f"0.0.0.0:{port}"))
            gateway.ask_for_upgrade()
            gateway.wait_log(rf"lingate: .*0\.0\.0\.0:{port}.*this gateway listens on that port itself")

    def test_a_signal_to_end_ends_the_one_that_starts_too(self):
        slow = ("import os, time\ndef init(config):\n    open(%r, 'w').close()\n    time.sleep(4)\n"
                "def request(req, ctx):\n    pass\n")
        with Upgraded(config()) as gateway:
            begun = gateway.dir / "begun"
            (gateway.dir / "slow.py").write_text(slow % str(begun))
            file = gateway.dir / "gateway.yaml"
            file.write_text(file.read_text() + "  - {name: s, match: {path: /s}, chain: [script: {file: slow.py}], respond: {status: 200}}\n")
            gateway.ask_for_upgrade()
            gateway.wait_for(begun.exists, "script that loads")
            gateway.signal(signal.SIGTERM)
            self.assertEqual(gateway.wait(), 0)
            self.assertRaises(ConnectionRefusedError, connect, gateway.port)


class ServiceManager(unittest.TestCase):
    def test_it_is_told_which_process_is_the_service(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind("\0lingate-test-%d" % os.getpid())
            manager.settimeout(TIMEOUT)
            gateway = Upgraded(config())
            gateway.env["NOTIFY_SOCKET"] = "@lingate-test-%d" % os.getpid()
            with gateway:
                self.assertEqual(manager.recv(100), b"READY=1")
                gateway.upgrade()
                self.assertEqual(manager.recv(100), b"MAINPID=%d" % gateway.current)
            self.assertEqual(manager.recv(100), b"STOPPING=1")


if __name__ == "__main__":
    unittest.main()
