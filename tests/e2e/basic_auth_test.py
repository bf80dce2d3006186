#!/usr/bin/env python3
"""Names and passwords: from a list and a file, with hashes that Python's and the system's crypt made, beside neighbours
that do not wait."""
import base64
import ctypes
import select
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway, run_cli  # noqa: E402
from support.wire import Origin, Stream, ask, connect, fields_of, problem_code, request_bytes, reset  # noqa: E402

CRYPT = ctypes.CDLL("libcrypt.so.1")
CRYPT.crypt.restype = CRYPT.crypt_gensalt.restype = ctypes.c_char_p


def hashed(password, form=b"$2y$", cost=4):
    return CRYPT.crypt(password.encode(), CRYPT.crypt_gensalt(form, cost, None, 0)).decode()


CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off}}
routes:
  - name: listed
    match: {{path: "/listed"}}
    chain:
      - basic-auth: {{users: {{ann: "{ann}", bo: {{env: BO_HASH}}}}, realm: the archive, hide: true}}
      - script: {{file: who.lua}}
    upstream: origin
  - name: filed
    match: {{path: "/filed"}}
    chain: [basic-auth: {{users: {{file: users.htpasswd}}}}, rate-limit: {{rate: 2/1h}}]
    respond: {{status: 200}}
  - name: slow
    match: {{path: "/slow"}}
    chain: [basic-auth: {{users: ["ann:{slow}"]}}]
    respond: {{status: 200}}
  - name: medium
    match: {{path: "/medium"}}
    chain: [basic-auth: {{users: ["ann:{medium}"]}}]
    respond: {{status: 200}}
  - {{name: open, match: {{path: /open}}, respond: {{status: 200}}}}
"""
FILES = {"who.lua": """
local M = {}
function M.request(req)
  req.headers["X-User"] = req.session.id .. "/" .. req.session.alias
end
return M
""",
         "users.htpasswd": f"# people\nann:{hashed('one')}\nbö:{hashed('zwei', b'$y$', 1)}\n"}


def credentials(name, password):
    return [("Authorization", "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode())]


class BasicAuth(unittest.TestCase):
    def setUp(self):
        self.origin = self.enterContext(Origin())
        config = CONFIG.format(port=self.origin.port, ann=hashed("open sesame"), slow=hashed("slow", cost=13),
                               medium=hashed("medium", cost=11))
        self.gateway = self.enterContext(Gateway(config, FILES, env={"BO_HASH": hashed("other", b"$6$", 1000)}))

    def get(self, path, name=None, password=""):
        fields = credentials(name, password) if name else []
        return ask(self.gateway.port, request_bytes(target=path, headers=fields))

    def test_lets_in_by_a_list(self):
        refused = self.get("/listed")
        self.assertEqual((refused.status, problem_code(refused)), (401, "LG5003"))
        self.assertEqual(refused.value("www-authenticate"), 'Basic realm="the archive", charset="UTF-8"')
        wrong = self.get("/listed", "ann", "guess")
        self.assertEqual((wrong.status, problem_code(wrong)), (401, "LG5004"))
        self.assertEqual(self.get("/listed", "nobody", "open sesame").status, 401)
        for name, password in [("ann", "open sesame"), ("bo", "other")] * 3:
            self.assertEqual(self.get("/listed", name, password).status, 200)
            sent = fields_of(self.origin.requests[-1].head)
            self.assertIn(("X-User", f"{name}/{name}"), sent)
            self.assertNotIn("Authorization", dict(sent))

    def test_lets_in_by_a_file_and_limits_by_user(self):
        self.assertEqual([self.get("/filed", "ann", "one").status for _ in range(4)], [200, 200, 429, 429])
        self.assertEqual(self.get("/filed", "bö", "zwei").status, 200)
        self.assertEqual(self.get("/filed", "bö", "drei").status, 401)

    def test_nobody_else_waits_for_a_hash(self):
        """One worker: while it has hashes of half a second to check, others are served."""
        with connect(self.gateway.port) as one, connect(self.gateway.port) as two:
            for sock in (one, two):
                sock.sendall(request_bytes(target="/slow", headers=credentials("ann", "wrong")))
            slow = []
            waiting = threading.Thread(target=lambda: slow.extend(Stream(each).response().status for each in (one, two)))
            waiting.start()
            served = 0
            while waiting.is_alive():
                self.assertEqual(self.get("/open").status, 200)
                served += 1
            waiting.join()
        self.assertEqual(slow, [401, 401])
        self.assertGreater(served, 10)

    def test_how_many_may_wait_is_bounded(self):
        """Far more at once than a queue of 64 takes, so that it is full however fast hashes are checked meanwhile."""
        self.assertEqual(self.get("/medium", "ann", "medium").status, 200)
        wrong = request_bytes(target="/medium", headers=credentials("ann", "wrong"))
        waiting = [connect(self.gateway.port) for _ in range(240)]
        for sock in waiting:
            sock.sendall(wrong)
        answers = []
        while not any(status == 503 for status, _ in answers):
            for sock in select.select(waiting, [], [], 30)[0]:
                answer = Stream(sock).response()
                answers.append((answer.status, problem_code(answer)))
                waiting.remove(sock)
                sock.close()
        self.assertLessEqual(set(answers), {(401, "LG5004"), (503, "LG5009")})
        self.assertEqual(self.get("/medium", "ann", "medium").status, 200)  # known: needs no hash
        for sock in waiting:
            reset(sock)
        self.gateway.wait_for(lambda: ask(self.gateway.port, wrong).status == 401, "room in the queue")

    def test_check_names_what_is_wrong_with_users(self):
        for users, says in [("{ann: secret}", "no password hash"), ("{file: none.txt}", "cannot be read"),
                            ("{file: bad.txt}", "line 2"), ("[]", "there is no user"), ("7", "a mapping of names")]:
            config = ("version: 1\nlisten: [{address: \"127.0.0.1:0\"}]\nroutes:\n"
                      f"  - {{match: {{path: /}}, chain: [basic-auth: {{users: {users}}}], respond: {{}}}}\n")
            code, out, error = run_cli("check", "gw.yaml", files={"gw.yaml": config, "bad.txt": "#\nann:plain\n"})
            self.assertEqual(code, 3, users)
            self.assertIn(says, out + error)


if __name__ == "__main__":
    unittest.main()
