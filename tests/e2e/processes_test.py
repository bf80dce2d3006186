#!/usr/bin/env python3
"""Worker processes: a crash costs the calls that were in it, the process is back, and it may do little but compute."""
import json
import os
import signal
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import CRASHES_AS_USUAL, SANITIZED, Gateway, run_cli  # noqa: E402
from support.wire import ask, problem_code, request_bytes  # noqa: E402

CONFIG = """
version: 1
workers: 1
listen: [{address: 127.0.0.1:0}]
admin: {address: 127.0.0.1:0}
routes:
  - name: script
    match: {path: "/*"}
    chain: [script: {file: job.py, isolation: process, memory: 64MiB, %s}]
    respond: {status: 200, text: passed}
"""
PACE = "budget: 300ms"
if SANITIZED:  # C code is slow there, and a process takes seconds to start, for which calls would not wait
    PACE = "budget: 2s, wait: 20s"
# Does what X-Do says; each of these ends an ordinary program.
SCRIPT = """
import ctypes, os, resource, signal, socket, sys, time
import lingate

def overflow():
    ctypes.CDLL(None).regcomp(ctypes.create_string_buffer(512), b"(" * 10**6, 1)  # it recurses for each

def hoard():
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
    while True:
        place = libc.malloc(64 << 20)
        libc.memset(place, 1, 64 << 20)

DO = {
    "exit": lambda: os._exit(3),
    "abort": os.abort,
    "segfault": lambda: ctypes.string_at(8),
    "overflow": overflow,
    "hoard": hoard,
    "sleep": lambda: time.sleep(30),
    "nap": lambda: time.sleep(0.1),
    "write": lambda: open("/tmp/lingate-made-by-a-worker", "w"),
    "connect": lambda: socket.create_connection(("127.0.0.1", 9)),
    "fork": os.fork,
    "execute": lambda: os.execv("/bin/true", ["true"]),
    "kill": lambda: os.kill(os.getppid(), 0),
    "unlink": lambda: os.unlink("/tmp/lingate-that-is-not-there"),
    "limits": lambda: resource.setrlimit(resource.RLIMIT_DATA, (-1, -1)),
    "beside": lambda: open(os.path.join(os.path.dirname(__file__), "data.txt")).read(),
    "elsewhere": lambda: open(FOLDER + "/secret.txt").read(),
    "parent": lambda: open(f"/proc/{os.getppid()}/environ").read(),
    "granted": lambda: open(FOLDER + "/granted.txt").read(),
    "spool": lambda: open(FOLDER + "/spool/made", "w").write("by a worker"),
    "environment": lambda: sys.exit(str(sorted(os.environ))),
}

async def request(req):
    what = req.headers.get("X-Do")
    try:
        if what == "wait":
            lingate.log.info("it waits")
            await lingate.sleep(0.4)
        elif what:
            DO[what]()
    except (OSError, ValueError) as error:
        return lingate.respond(403, str(error))
    except SystemExit as told:
        return lingate.respond(200, str(told))
    return lingate.respond(200, str(os.getpid()))
"""
CRASHES = ("exit", "abort", "segfault", "overflow") + (() if SANITIZED else ("hoard",))  # sanitizers want no ceiling


def do(gateway, what=None):
    return ask(gateway.port, request_bytes(headers=[("X-Do", what)] if what else []))


def has_landlock():
    findings = json.loads(run_cli("doctor", "--json")[1])
    return any(each["name"] == "Landlock" and each["value"] != "no" for each in findings)


class Processes(unittest.TestCase):
    def gateway(self, options="instances: 1", script=SCRIPT, env=None, pace=PACE):
        config = CONFIG.replace("job.py", "scripts/job.py") % f"{pace}, {options}"
        files = {"scripts/data.txt": "beside", "secret.txt": "hidden", "granted.txt": "granted", "spool/.keep": ""}
        folder = 'FOLDER = __file__.rsplit("/scripts/", 1)[0]\n'
        crashes = CRASHES_AS_USUAL if SANITIZED else {}
        return Gateway(config, {"scripts/job.py": folder + script, **files}, env={**crashes, **(env or {})})

    def test_a_crash_is_one_requests_problem(self):
        for what in CRASHES:
            with self.subTest(what), self.gateway() as gateway:
                before = do(gateway).body
                response = do(gateway, what)
                self.assertEqual((response.status, problem_code(response)), (503, "LG3005"))
                after = do(gateway)
                self.assertEqual(after.status, 200)
                self.assertNotEqual(after.body, before, "another process has taken over")
                gateway.wait_log("its worker process ended")

    def test_calls_that_had_not_begun_are_served_by_the_next_process(self):
        with self.gateway(pace="budget: 300ms, wait: 20s") as gateway:  # how soon it is there is not the subject
            answers = []

            def one(what):
                answers.append((what, do(gateway, what).status))

            threads = [threading.Thread(target=one, args=("nap",))]
            threads += [threading.Thread(target=one, args=("exit",))]
            threads += [threading.Thread(target=one, args=(None,)) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            lost = [what for what, status in answers if status != 200]
            self.assertEqual(lost, ["exit"])

    def test_what_waited_in_it_is_lost_with_it(self):
        with self.gateway() as gateway:
            answers = []
            waiting = threading.Thread(target=lambda: answers.append(do(gateway, "wait").status))
            waiting.start()
            gateway.wait_log("it waits")
            self.assertEqual(do(gateway, "exit").status, 503)
            waiting.join()
            self.assertEqual(answers, [503])

    def test_a_call_that_holds_on_in_c_is_answered_on_time_and_killed(self):
        with self.gateway() as gateway:
            before = do(gateway).body
            response = do(gateway, "sleep")
            self.assertEqual((response.status, problem_code(response)), (504, "LG3002"))
            gateway.wait_log("outlived its budget")
            after = do(gateway)
            self.assertEqual(after.status, 200)
            self.assertNotEqual(after.body, before)

    def test_a_process_that_is_killed_while_idle_costs_nothing(self):
        with self.gateway() as gateway:
            pid = int(do(gateway).body)
            os.kill(pid, signal.SIGKILL)
            gateway.wait_log("signal 9")
            self.assertEqual(do(gateway).status, 200)

    def test_a_death_leaves_no_descriptor_behind(self):
        def open_files():
            return len(os.listdir(f"/proc/{gateway.pid}/fd"))

        with self.gateway() as gateway:
            do(gateway)
            before = open_files()
            for _ in range(4):
                self.assertEqual(do(gateway, "exit").status, 503)
                self.assertEqual(do(gateway).status, 200)
            gateway.wait_for(lambda: open_files() <= before + 1, "descriptors given back")

    def test_a_process_that_is_stopped_is_replaced(self):
        with self.gateway() as gateway:
            pid = int(do(gateway).body)
            os.kill(pid, signal.SIGSTOP)
            started = time.monotonic()
            response = do(gateway)
            while response.status != 200:  # its `wait` may end first
                self.assertEqual(response.status, 503)
                response = do(gateway)
            self.assertLess(time.monotonic() - started, 10)
            self.assertNotEqual(int(response.body), pid)

    def test_a_crash_loop_rests_and_recovers(self):
        with self.gateway() as gateway:
            for _ in range(5):
                self.assertEqual(do(gateway, "exit").status, 503)
            gateway.wait_log("cannot be kept running")
            self.assertIn('breakers_open{runtime="python"} 1', ask(gateway.admin_port, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").body.decode())
            started = time.monotonic()
            self.assertEqual(do(gateway).status, 503)
            self.assertLess(time.monotonic() - started, 0.3, "refused at once, not after the wait")
            while do(gateway).status != 200:
                self.assertLess(time.monotonic() - started, 20)

    @unittest.skipIf(SANITIZED, "sanitizers need what the sandbox denies")
    def test_it_may_compute_and_read_what_is_beside_it_and_little_else(self):
        with self.gateway(env={"SECRET": "x", "LANG": "C.UTF-8"}) as gateway:
            for what in ("write", "connect", "fork", "execute", "kill", "unlink", "spool"):
                with self.subTest(what):
                    response = do(gateway, what)
                    self.assertEqual(response.status, 403)
                    self.assertIn(b"Operation not permitted", response.body)
            for what in ("elsewhere", "parent", "granted") if has_landlock() else ():
                with self.subTest(what):
                    response = do(gateway, what)
                    self.assertEqual((response.status, response.body[:9]), (403, b"[Errno 13"))
            self.assertEqual(do(gateway, "limits").status, 403)
            self.assertEqual(do(gateway, "beside").status, 200)
            self.assertEqual(do(gateway, "environment").body, b"['LANG']")
            self.assertFalse(Path("/tmp/lingate-made-by-a-worker").exists())

    @unittest.skipIf(SANITIZED, "sanitizers need what the sandbox denies")
    def test_it_may_have_what_the_configuration_grants(self):
        if not has_landlock():
            self.skipTest("this kernel has no Landlock, and grants nothing")
        grant = "instances: 1, grant: {read: granted.txt, write: [spool], environment: REGION}"
        with self.gateway(grant, env={"REGION": "eu", "SECRET": "x", "LANG": "C.UTF-8"}) as gateway:
            self.assertEqual(do(gateway, "granted").status, 200)
            self.assertEqual(do(gateway, "spool").status, 200)
            self.assertEqual((gateway.dir / "spool" / "made").read_text(), "by a worker")
            self.assertEqual(do(gateway, "environment").body, b"['LANG', 'REGION']")
            for what in ("write", "connect", "elsewhere", "unlink"):
                with self.subTest(what):
                    self.assertEqual(do(gateway, what).status, 403)

    def test_none_is_left_behind(self):
        gateway = self.gateway("instances: 3")
        gateway.start()
        pids = {int(do(gateway).body) for _ in range(30)}
        gateway.process.kill()
        gateway.stop()
        deadline = time.monotonic() + 5
        while any(Path(f"/proc/{pid}").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text() for pid in pids):
            self.assertLess(time.monotonic(), deadline)

    def test_a_script_that_does_not_load_is_told_as_everywhere(self):
        with self.assertRaises(Exception) as raised, self.gateway(script="def request(req:\n    pass\n"):
            pass
        self.assertIn("job.py", str(raised.exception))


if __name__ == "__main__":
    unittest.main()
