#!/usr/bin/env python3
"""Raw HTTP cases (tests/http_cases) through a forwarding route: none may fail."""
import re
import socket
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway  # noqa: E402

RUNNER = Path(__file__).resolve().parents[1] / "http_cases" / "run_cases.py"

CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off}}
routes:
  - {{name: all, match: {{path: "/*"}}, upstream: origin}}
  - {{name: admin, match: {{path: /admin}}, respond: {{status: 403, text: "no"}}}}
"""


class HttpCases(unittest.TestCase):
    def test_no_case_fails(self):
        with socket.socket() as held:  # the runner starts its origin there
            held.bind(("127.0.0.1", 0))
            port = held.getsockname()[1]
        with Gateway(CONFIG.format(port=port)) as gateway:
            done = subprocess.run([sys.executable, str(RUNNER), "--port", str(gateway.port), "--origin", str(port)],
                                  capture_output=True, text=True, timeout=170)
        totals = re.search(r"\{'pass': (\d+), 'alt': (\d+), 'FAIL': (\d+)\} of (\d+)", done.stdout)
        self.assertIsNotNone(totals, done.stdout + done.stderr)
        self.assertEqual((totals[3], int(totals[4]) > 140), ("0", True), done.stdout)
        self.assertIn("alive b'HTTP/1.1 200", done.stdout)


if __name__ == "__main__":
    unittest.main()
