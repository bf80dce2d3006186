#!/usr/bin/env python3
"""Callers by their keys, from the operator's command to the script that reads the session, over restarts and kills."""
import json
import os
import resource
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway, run_cli  # noqa: E402
from support.wire import Origin, ask, fields_of, problem_code, reply, request_bytes  # noqa: E402

CONFIG = """
version: 1
workers: 2
listen:
  - address: 127.0.0.1:0
admin: {{address: 127.0.0.1:0}}
store: {{path: data}}
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off}}
chains:
  known: [key-auth]
routes:
  - name: who
    match: {{path: "/who"}}
    chain: [use: known, script: {{file: who.lua}}]
    upstream: origin
  - name: count
    match: {{path: "/count"}}
    chain: [use: known, script: {{file: count.lua}}]
    respond: {{status: 200}}
  - name: limited
    match: {{path: "/limited"}}
    chain: [use: known, rate-limit]
    respond: {{status: 200}}
  - name: quota
    match: {{path: "/quota"}}
    chain: [use: known, quota: {{every: 1h}}]
    respond: {{status: 200}}
"""
FILES = {
    "who.lua": """
local M = {}
function M.request(req)
  req.headers["X-User"] = req.session.metadata.user
  req.headers["X-Org"] = req.session.org
end
return M
""",
    "count.lua": """
local M = {}
function M.request(req)
  req.session.metadata["seen_" .. req.query] = true
end
return M
""",
}


class KeyAuth(unittest.TestCase):
    def setUp(self):
        seen = self.seen = []

        def serve(sock, stream):
            while True:
                seen.append(stream.head())
                sock.sendall(reply(body=b"ok"))

        self.origin = self.enterContext(Origin(serve=serve))
        self.gateway = self.enterContext(Gateway(CONFIG.format(port=self.origin.port), FILES))

    def keys(self, *words):
        """What `lingate keys` prints as JSON."""
        code, out, error = run_cli("keys", *words, "--json", "--admin", f"127.0.0.1:{self.gateway.admin_port}",
                                   "--token-file", str(self.gateway.dir / "data/admin.token"))
        self.assertEqual(code, 0, error)
        return json.loads(out) if out.strip() else None

    def get(self, path, key=None, header="X-Api-Key"):
        fields = [(header, key)] if key else []
        return ask(self.gateway.port, request_bytes(target=path, headers=fields))

    def test_a_key_opens_the_route_until_it_is_revoked(self):
        refused = self.get("/who")
        self.assertEqual((refused.status, problem_code(refused)), (401, "LG5003"))
        self.assertIn("Bearer", refused.value("www-authenticate"))
        wrong = self.get("/who", "lg_wrong")
        self.assertEqual((wrong.status, problem_code(wrong)), (401, "LG5004"))

        made = self.keys("create", "--org", "acme", "--meta", "user=ann")
        self.assertEqual(self.get("/who", made["key"]).status, 200)
        self.assertEqual(self.get("/who", "Bearer " + made["key"], "Authorization").status, 200)
        sent = dict(fields_of(self.seen[-1]))
        self.assertEqual((sent["X-User"], sent["X-Org"]), ("ann", "acme"))

        self.keys("revoke", made["session"]["id"])
        for _ in range(8):  # whichever worker answers
            self.assertEqual(self.get("/who", made["key"]).status, 401)

    def test_what_a_script_edits_is_saved_key_by_key(self):
        made = self.keys("create", "--meta", "user=ann")
        session = made["session"]["id"]
        for k in range(20):
            self.assertEqual(self.get(f"/count?{k}", made["key"]).status, 200)
        self.keys("update", session, "--alias", "changed meanwhile")
        wanted = {f"seen_{k}" for k in range(20)} | {"user"}
        self.gateway.wait_for(lambda: set(self.keys("show", session)["session"]["metadata"]) == wanted, "all edits")
        self.assertEqual(self.keys("show", session)["session"]["alias"], "changed meanwhile")

    def test_a_sessions_own_rate_and_quota_count(self):
        key = self.keys("create", "--rate", "1/1h", "--burst", "3", "--quota", "4")["key"]
        self.assertEqual([self.get("/limited", key).status for _ in range(5)], [200, 200, 200, 429, 429])
        answers = [self.get("/quota", key) for _ in range(6)]
        self.assertEqual([each.status for each in answers], [200] * 4 + [429] * 2)
        self.assertEqual(problem_code(answers[-1]), "LG5007")

    def test_keys_outlive_the_gateway(self):
        made = self.keys("create", "--meta", "user=ann")
        self.gateway.stop()
        self.gateway.start()
        self.assertEqual(self.get("/who", made["key"]).status, 200)

    def test_a_store_that_cannot_write_reads_on_and_heals(self):
        key, never_used = (self.keys("create")["key"] for _ in range(2))
        self.assertEqual(self.get("/limited", key).status, 200)
        pid, limit = self.gateway.process.pid, resource.RLIMIT_FSIZE
        soft, hard = resource.prlimit(pid, limit)
        resource.prlimit(pid, limit, (4096, hard))  # its files may not be written beyond that, as on a full disk
        refused = [run_cli("keys", "create", "--admin", f"127.0.0.1:{self.gateway.admin_port}", "--token-file",
                           str(self.gateway.dir / "data/admin.token")) for _ in range(3)]
        self.assertEqual([code for code, _, _ in refused], [1, 1, 1])
        self.assertIn("LG5101", refused[0][2])
        self.assertEqual([self.get("/limited", each).status for each in (key, never_used)], [200, 200])
        self.gateway.wait_log("the embedded store cannot write: File too large")
        resource.prlimit(pid, limit, (soft, hard))
        self.assertEqual(self.get("/limited", self.keys("create")["key"]).status, 200)

    def test_no_acknowledged_key_is_lost_when_the_gateway_is_killed(self):
        kept = []
        for _ in range(6):
            creating = subprocess.Popen(
                [sys.executable, "-c", CREATE, str(self.gateway.admin_port), str(self.gateway.dir / "data/admin.token")],
                stdout=subprocess.PIPE, text=True)
            kept += [creating.stdout.readline().strip() for _ in range(5)]
            os.kill(self.gateway.process.pid, signal.SIGKILL)
            self.gateway.process.wait()
            kept += creating.communicate()[0].split()
            began = time.monotonic()
            self.gateway.start()
            self.assertLess(time.monotonic() - began, 10)
        self.assertGreaterEqual(len(kept), 30)
        self.assertEqual([key for key in kept if self.get("/limited", key).status != 200], [])


# Makes keys as fast as it can and prints each that was acknowledged.
CREATE = """
import http.client, json, sys
token = open(sys.argv[2]).read().strip()
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
try:
    while True:
        connection.request("POST", "/keys", "{}", {"Authorization": "Bearer " + token, "Content-Type": "application/json"})
        response = connection.getresponse()
        assert response.status == 201, response.status
        print(json.loads(response.read())["key"], flush=True)
except (OSError, http.client.HTTPException):
    pass
"""


if __name__ == "__main__":
    unittest.main()
