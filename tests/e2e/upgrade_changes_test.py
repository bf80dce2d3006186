#!/usr/bin/env python3
"""Changes that operators make while another process takes the gateway's place, and after: each is done, or refused to who
asked for it, or done by the process that serves then. None is lost without a word."""
import http.client
import json
import os
import signal
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.admin import Admin  # noqa: E402
from support.upgraded import Upgraded  # noqa: E402
from support.wire import TIMEOUT, Stream, ask, connect, request_bytes  # noqa: E402

CONFIG = """
version: 1
workers: 2
listen:
  - address: 127.0.0.1:0
admin: {{address: 127.0.0.1:0}}
store: {{path: data}}
limits: {{timeout: {{drain: 20s}}}}
upstreams:
  two: {{targets: ["http://127.0.0.1:1", "http://127.0.0.1:2"], eject: off}}
routes:
  - {{name: word, match: {{path: /word}}, chain: [script: {{file: word.lua}}], respond: {{status: 200}}}}
  - {{name: here, match: {{path: /here}}, respond: {{status: 200, text: {here}}}}}
  - {{name: slow, match: {{path: /slow}}, chain: [script: {{file: slow.py}}], respond: {{status: 200}}}}
  - {{name: two, match: {{path: /two}}, upstream: two}}
"""
# Loads for as long as there is no file `go` beside it.
SLOW = """
import os, time
HERE = %r
def init(config):
    open(HERE + "/begun", "w").close()
    while not os.path.exists(HERE + "/go"):
        time.sleep(0.01)
def request(req, ctx):
    pass
"""
WORD = "return {{request = function() return lingate.respond(200, '{}') end}}\n"
DRAIN = "/upstreams/two/targets/127.0.0.1:1/drain"
YAML = {"Content-Type": "application/yaml", "If-Match": "*"}


def config(here="one"):
    return CONFIG.format(here=here)


class Changing(Upgraded):
    def __init__(self, args=()):
        super().__init__(config(), {"word.lua": WORD.format("one"), "go": ""}, args)
        (self.dir / "slow.py").write_text(SLOW % str(self.dir))
        self.file = self.dir / "gateway.yaml"

    def begin_upgrade(self):
        """The other process has read the configuration, and loads until finish_upgrade()."""
        (self.dir / "go").unlink()
        (self.dir / "begun").unlink()
        self.ask_for_upgrade()
        self.wait_for((self.dir / "begun").exists, "script that loads")

    def finish_upgrade(self):
        (self.dir / "go").touch()
        return self.succeeded(self.current)

    def fail_upgrade(self):
        """Its scripts may be loaded by the one that serves on."""
        os.kill(self.starting(), signal.SIGKILL)
        (self.dir / "go").touch()
        self.wait_log(rf"upgrade: .*this process \({self.current}\) serves on")

    def answer(self, target):
        return ask(self.port, request_bytes(target=target)).body.decode()

    def wait_answer(self, target, wanted):
        self.wait_for(lambda: self.answer(target) == wanted, f"{wanted} of {target}")


class Kept:
    """One connection to the admin API."""

    def __init__(self, test, gateway):
        self.headers = {"Authorization": "Bearer " + Admin(gateway).token}
        self.connection = http.client.HTTPConnection("127.0.0.1", gateway.admin_port, timeout=TIMEOUT)
        test.addCleanup(self.connection.close)

    def ask(self, method, path, body=None, **fields):
        self.connection.request(method, path, body, {**self.headers, **fields})
        response = self.connection.getresponse()
        return response, json.loads(response.read() or "null")


class Meanwhile(unittest.TestCase):
    def assert_refused(self, answer):
        status, problem = answer
        self.assertEqual((status, problem["code"]), (503, "LG5217"), problem)
        self.assertIn("another process is taking this one's place", problem["detail"])

    def test_configurations_and_drains_are_refused_and_the_files_read_again_by_the_one_that_serves_then(self):
        with Changing() as gateway:
            admin = Admin(gateway)
            gateway.begin_upgrade()
            before = gateway.file.read_text()
            self.assert_refused(admin.ask("POST", "/config/rollback", {"generation": 1}))
            self.assert_refused(admin.ask("POST", DRAIN))
            status, _, text = admin.raw("PUT", "/config", config("two"), {"Authorization": "Bearer " + admin.token, **YAML})
            self.assert_refused((status, json.loads(text)))
            self.assertEqual(gateway.file.read_text(), before)
            self.assertEqual(admin.ask("GET", "/config")[0], 200)
            self.assertEqual(admin.ask("POST", "/keys", {"org": "acme"})[0], 201)  # in the store, which both have
            gateway.file.write_text(config("three"))
            self.assert_refused(admin.ask("POST", "/config/reload"))
            gateway.wait_log("the configuration is read again once it is known which process serves")
            self.assertEqual(gateway.answer("/here"), "one")
            old = gateway.finish_upgrade()
            gateway.wait_answer("/here", "three")
            self.assertEqual(gateway.wait_for_end(old), 0)
            self.assertEqual(len(admin.ask("GET", "/keys")[1]["sessions"]), 1)
            self.assertEqual(admin.ask("POST", DRAIN)[0], 200)

    def test_a_file_that_is_edited_is_read_again_though_nobody_asks(self):
        with Changing() as gateway:
            gateway.begin_upgrade()
            gateway.file.write_text(config("two"))
            gateway.finish_upgrade()
            gateway.wait_answer("/here", "two")

    def test_a_signal_to_reload_goes_to_the_one_that_serves_then(self):
        """Nothing but a script has changed, which that one had loaded."""
        with Changing() as gateway:
            gateway.begin_upgrade()
            (gateway.dir / "word.lua").write_text(WORD.format("two"))
            gateway.signal(signal.SIGHUP)
            gateway.finish_upgrade()
            gateway.wait_answer("/word", "two")

    def test_what_was_asked_for_is_done_if_the_upgrade_fails(self):
        for args in ((), ("--watch",)):
            with self.subTest(args), Changing(args) as gateway:
                gateway.begin_upgrade()
                gateway.file.write_text(config("two"))
                if not args:
                    gateway.signal(signal.SIGHUP)
                gateway.fail_upgrade()
                gateway.wait_answer("/here", "two")
                admin = Admin(gateway)
                self.assertEqual(admin.ask("POST", DRAIN)[0], 200)
                status, _, text = admin.raw("PUT", "/config", config("three"), {"Authorization": "Bearer " + admin.token, **YAML})
                self.assertEqual(status, 200, text)
                self.assertEqual(gateway.answer("/here"), "three")

    def test_a_reload_that_runs_is_over_before_the_other_process_starts(self):
        with Changing() as gateway:
            (gateway.dir / "go").unlink()
            (gateway.dir / "begun").unlink()
            gateway.file.write_text(config("two"))
            (gateway.dir / "slow.py").write_text(SLOW % str(gateway.dir) + "# changed\n")
            gateway.signal(signal.SIGHUP)
            gateway.wait_for((gateway.dir / "begun").exists, "script that loads")
            gateway.ask_for_upgrade()
            gateway.finish_upgrade()
            self.assertEqual(gateway.answer("/here"), "two")


class After(unittest.TestCase):
    def test_targets_stay_drained(self):
        with Changing() as gateway:
            admin = Admin(gateway)
            self.assertEqual(admin.ask("POST", DRAIN)[0], 200)
            gateway.upgrade()
            targets = admin.ask("GET", "/upstreams")[1]["upstreams"][0]["targets"]
            self.assertEqual([each["draining"] for each in targets], [True, False])

    def test_a_target_that_the_next_configuration_lacks_is_no_longer_drained_when_it_comes_back(self):
        with Changing() as gateway:
            admin = Admin(gateway)
            self.assertEqual(admin.ask("POST", DRAIN)[0], 200)
            gateway.file.write_text(config().replace('"http://127.0.0.1:1", ', ""))
            gateway.upgrade()
            gateway.file.write_text(config())
            self.assertEqual(admin.ask("POST", "/config/reload")[0], 200)
            targets = admin.ask("GET", "/upstreams")[1]["upstreams"][0]["targets"]
            self.assertEqual([each["draining"] for each in targets], [False, False])

    def test_kept_connections_to_the_admin_api_show_and_change_nothing(self):
        changes = [("POST", DRAIN, None, {}), ("PUT", "/log/level", '{"level": "debug"}', {"Content-Type": "application/json"}),
                   ("PUT", "/config", config("two"), YAML), ("POST", "/config/reload", None, {}),
                   ("POST", "/keys", '{"org": "acme"}', {"Content-Type": "application/json"})]
        with Changing() as gateway:
            kept = [Kept(self, gateway) for _ in changes]
            for each in kept:
                self.assertEqual(each.ask("GET", "/version")[0].status, 200)
            held = connect(gateway.port)  # the old process does not end before this one
            held.sendall(request_bytes("POST", "/here", body=b"12345")[:-1])
            old = gateway.upgrade()
            for each, (method, path, body, fields) in zip(kept, changes):
                for _ in range(5):
                    self.assertEqual(each.ask("GET", "/version")[0].status, 200)
                response, problem = each.ask(method, path, body, **fields)
                self.assertEqual((response.status, problem["code"]), (503, "LG5217"), path)
                self.assertEqual(response.getheader("Connection"), "close")
                self.assertIn(each.ask(method, path, body, **fields)[0].status, (200, 201), path)  # it connects anew
            held.sendall(b"5")
            self.assertEqual(Stream(held).response("POST").body, b"one")
            held.close()
            self.assertEqual(gateway.wait_for_end(old), 0)
            self.assertEqual(gateway.answer("/here"), "two")

    def test_a_gateway_that_drains_shows_and_changes_nothing(self):
        with Changing() as gateway:
            kept = Kept(self, gateway)
            kept.ask("GET", "/version")
            held = connect(gateway.port)
            held.sendall(request_bytes("POST", "/here", body=b"12345")[:-1])
            gateway.signal(signal.SIGTERM)
            gateway.wait_log("draining: ")
            self.assertEqual(kept.ask("GET", "/version")[0].status, 200)
            response, problem = kept.ask("POST", DRAIN)
            self.assertEqual((response.status, problem["code"], response.getheader("Connection")), (503, "LG5217", "close"))
            held.sendall(b"5")
            self.assertEqual(Stream(held).response("POST").body, b"one")
            held.close()

    def test_a_reload_that_runs_at_the_end_is_answered(self):
        with Changing() as gateway:
            kept = Kept(self, gateway)
            kept.ask("GET", "/version")
            (gateway.dir / "go").unlink()
            (gateway.dir / "begun").unlink()
            (gateway.dir / "slow.py").write_text(SLOW % str(gateway.dir) + "# changed\n")
            kept.connection.request("POST", "/config/reload", None, kept.headers)
            gateway.wait_for((gateway.dir / "begun").exists, "script that loads")
            gateway.signal(signal.SIGTERM)
            response = kept.connection.getresponse()
            self.assertEqual((response.status, json.loads(response.read())["code"]), (503, "LG5217"))


if __name__ == "__main__":
    unittest.main()
