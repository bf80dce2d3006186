#!/usr/bin/env python3
"""The demo: its lines work as pasted, busy ports move, and Ctrl-C leaves nothing behind."""
import json
import os
import re
import signal
import socket
import subprocess
import threading
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = os.environ.get("LINGATE_BUILD", str(ROOT / "build"))


class Demo:
    """demo.sh in a process group of its own; `commands` are the curl lines that it prints."""

    def __enter__(self):
        self.process = subprocess.Popen([str(ROOT / "middleware/examples/demo.sh"), BUILD], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, start_new_session=True)
        self.commands, self.text = [], ""
        for line in self.process.stdout:
            self.text += line
            if line.startswith("  curl"):
                self.commands.append(line.strip())
            if line.startswith("Ctrl-C"):
                break
        self.reader = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)  # what Ctrl-C in a terminal sends
        self.status = self.process.wait(30)
        self.reader.join(30)
        self.process.stdout.close()

    def members(self):
        """Processes of the demo's session that still run."""
        alive = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[3] == str(self.process.pid) and fields[0] != "Z":
                alive.append(stat.parent.name)
        return alive


def paste(command):
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30)
    head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
    return done.returncode, head, body


class TheDemo(unittest.TestCase):
    def test_its_lines_work_as_pasted(self):
        with Demo() as demo:
            self.assertEqual(len(demo.commands), 7, demo.text)
            answers = {command: paste(command) for command in demo.commands}
        self.assertTrue(all(code == 0 for code, _, _ in answers.values()), answers)

        def find(*parts):
            return next(a[1:] for c, a in answers.items() if all(p in c for p in parts))

        self.assertEqual(json.loads(find("/hello")[1]), {"hello": "from lingate"})
        refused = next(a for c, a in answers.items() if "/shop/basket" in c and "demo-key" not in c)
        self.assertIn(" 401 ", refused[1].split("\n")[0])
        head, body = find("/shop/basket", "demo-key")
        seen = {name.lower(): value for name, value in json.loads(body)["headers"]}
        self.assertEqual((seen["x-user"], seen["x-tenant"], seen.get("x-api-key")), ("ada", "acme", None))
        self.assertIn("X-Gateway: lingate", head)
        seen = {name.lower(): value for name, value in json.loads(find("/billing/invoices")[1])["headers"]}
        self.assertRegex(seen["x-signature"], r"^v1=[0-9a-f]{64}$")
        head, body = next(a[1:] for c, a in answers.items() if c.endswith("/customers/7") and "tenant/" not in c)
        self.assertEqual(json.loads(body)["card"]["number"], "**** **** **** 9010")
        self.assertIn("X-Masked: 2", head)
        head, body = find("/tenant/customers/7")
        self.assertEqual(json.loads(body)["id"], "7")
        self.assertIn("X-Gateway: lingate", head)
        events = next(a for c, a in answers.items() if "/live/events" in c)
        self.assertEqual(len(re.findall(r"^data:", events[1] + "\n" + events[2], re.M)), 5)
        self.assertEqual(demo.members(), [])

    def test_busy_ports_move(self):
        held = []
        for port in (8080, 9001, 9002):
            try:
                held.append(socket.create_server(("127.0.0.1", port)))
            except OSError:
                pass  # somebody else holds it: as good
        with Demo() as demo:
            code, head, body = paste(next(c for c in demo.commands if "/hello" in c))
        for listener in held:
            listener.close()
        self.assertEqual(code, 0, demo.text)
        self.assertIn("from lingate", body)
        self.assertNotIn("127.0.0.1:8080/", demo.text)


if __name__ == "__main__":
    unittest.main()
