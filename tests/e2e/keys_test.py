#!/usr/bin/env python3
"""`lingate keys` and `lingate config` against a running gateway, and what they say where there is none."""
import json
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway, run_cli  # noqa: E402

CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
admin: {address: 127.0.0.1:0}
routes:
  - {name: hello, match: {path: /hello}, respond: {status: 200}}
"""


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(CONFIG)
        cls.gateway.start()
        cls.place = ["--admin", "127.0.0.1:%d" % cls.gateway.admin_port, "--token-file", str(cls.gateway.dir / "data/admin.token")]

    @classmethod
    def tearDownClass(cls):
        assert cls.gateway.stop() == 0, cls.gateway.log_text()

    def cli(self, *args, code=0, env=None, files=None):
        done = run_cli(*args, *self.place, env=env, files=files)
        self.assertEqual(done[0], code, done)
        return done[1] if code == 0 else done[2]

    def json(self, *args):
        return json.loads(self.cli(*args, "--json"))

    def test_a_session_from_its_making_to_its_end(self):
        made = self.json("keys", "create", "--id", "ada", "--alias", "Ada", "--org", "acme", "--tag", "a", "--tag", "b", "--meta",
                         "plan=gold", "--meta", "seats:=5", "--rate", "100/1m", "--burst", "20", "--quota", "1000", "--expires", "30d")
        self.assertRegex(made["key"], r"^lg_[a-z2-7]{32}$")
        session = made["session"]
        self.assertAlmostEqual(session.pop("expires"), time.time() + 30 * 86400, delta=60)
        self.assertEqual(session, {"id": "ada", "alias": "Ada", "org": "acme", "tags": ["a", "b"], "metadata": {"plan": "gold", "seats": 5},
                                   "rate": 100, "per": 60, "burst": 20, "quota_max": 1000})
        shown = self.cli("keys", "show", "ada")
        self.assertIn("alias            Ada\n", shown)
        self.assertNotIn(made["key"], shown)

        changed = self.json("keys", "update", "ada", "--meta", "plan=free", "--unset", "metadata.seats", "--unset", "rate", "--unset", "expires")
        self.assertEqual(changed["session"]["metadata"], {"plan": "free"})
        self.assertFalse({"rate", "per", "expires"} & set(changed["session"]))

        self.assertRegex(self.cli("keys", "list", "--org", "acme"), r"(?m)^ada +Ada +acme +a,b")
        self.assertEqual(self.json("keys", "list", "--tag", "none"), [])

        rotated = self.json("keys", "rotate", "ada", "--keep", "1h")
        self.assertNotEqual(rotated["key"], made["key"])
        self.assertEqual(rotated["keys"], 2)
        self.assertEqual(self.json("keys", "rotate", "ada")["keys"], 1)
        self.assertEqual(self.cli("keys", "revoke", "ada"), "ada is revoked\n")
        self.assertIn("no such session [LG5208]", self.cli("keys", "show", "ada", code=2))

    def test_the_key_is_printed_on_a_line_of_its_own(self):
        self.assertRegex(self.cli("keys", "create", "--id", "bob"), r"(?m)^key +lg_[a-z2-7]{32}$")

    def test_a_key_that_exists_already_is_taken_from_a_file(self):
        key = "a-key-from-another-gateway"
        folder = self.gateway.dir / "own.key"
        folder.write_text(key + "\n")
        self.assertEqual(self.json("keys", "create", "--id", "own", "--key-file", str(folder))["key"], key)
        self.assertIn("key: the key is in use already", self.cli("keys", "create", "--key-file", str(folder), code=2))

    def test_long_lists_come_in_pages(self):
        for i in range(12):
            self.cli("keys", "create", "--id", "page-%02d" % i, "--org", "pages")
        self.assertEqual(len(self.json("keys", "list", "--org", "pages")), 12)
        first = self.json("keys", "list", "--org", "pages", "--limit", "5")
        self.assertEqual([each["session"]["id"] for each in first], ["page-%02d" % i for i in range(5)])
        rest = self.json("keys", "list", "--org", "pages", "--after", "page-04")
        self.assertEqual(len(rest), 7)

    def test_mistakes_are_told_with_their_place(self):
        self.assertIn("'100' is no rate; write requests and a time, as in 100/1s", self.cli("keys", "create", "--rate", "100", code=2))
        self.assertIn("'soon' is no time", self.cli("keys", "create", "--expires", "soon", code=2))
        self.assertIn("'x' is no metadata", self.cli("keys", "create", "--meta", "x", code=2))
        self.assertIn("expires: the time is over", self.cli("keys", "create", "--expires", "2001-01-01", code=2))
        self.assertIn("nothing to change", self.cli("keys", "update", "nobody", code=2))
        self.cli("keys", "create", "--id", "eve")
        self.assertIn("expires: the time is over", self.cli("keys", "update", "eve", "--expires", "2001-01-01", code=2))

    def test_places_come_from_the_environment_too(self):
        token = (self.gateway.dir / "data/admin.token").read_text().strip()
        env = {"LINGATE_ADMIN": "http://127.0.0.1:%d/" % self.gateway.admin_port, "LINGATE_TOKEN": token}
        self.assertEqual(run_cli("keys", "list", env=env)[0], 0)
        code, _, error = run_cli("keys", "list", env={**env, "LINGATE_TOKEN": "wrong-wrong-wrong"})
        self.assertEqual(code, 5)
        self.assertIn("admin token required [LG5201]", error)

    def test_config_show_prints_what_runs(self):
        self.assertEqual(self.cli("config", "show"), CONFIG)
        self.assertEqual(self.json("config", "show")["yaml"], CONFIG)

    def test_doctor_needs_no_token(self):
        code, out, _ = run_cli("doctor", "--admin", "127.0.0.1:%d" % self.gateway.admin_port)
        self.assertEqual(code, 0)
        self.assertRegex(out, r"ready +yes")


class Nobody(unittest.TestCase):
    def test_an_address_where_nobody_listens_is_exit_code_5(self):
        code, _, error = run_cli("keys", "list", "--admin", "127.0.0.1:1", env={"LINGATE_TOKEN": "0123456789abcdef"})
        self.assertEqual(code, 5)
        self.assertIn("127.0.0.1:1: Connection refused; is the gateway running", error)

    def test_what_is_missing_is_named(self):
        code, _, error = run_cli("keys", "list", env={"LINGATE_ADMIN": "", "LINGATE_TOKEN": ""})
        self.assertEqual(code, 2)
        self.assertIn("which gateway?", error)
        code, _, error = run_cli("keys", "list", "--admin", "127.0.0.1:1", env={"LINGATE_TOKEN": ""})
        self.assertEqual(code, 5)
        self.assertIn("no token", error)

    def test_the_configuration_says_address_and_token(self):
        config = CONFIG.replace("admin: {address: 127.0.0.1:0}", "admin: {address: 127.0.0.1:1}")
        code, _, error = run_cli("keys", "list", "-c", "gw.yaml", files={"gw.yaml": config})
        self.assertEqual(code, 5)
        self.assertIn("data/admin.token: it cannot be read", error)
        code, _, error = run_cli("keys", "list", "-c", "gw.yaml", files={"gw.yaml": CONFIG})
        self.assertEqual(code, 5)
        self.assertIn("lets the system choose the admin port", error)


if __name__ == "__main__":
    unittest.main(verbosity=2)
