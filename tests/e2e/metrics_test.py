#!/usr/bin/env python3
"""What steps take and how scripts fail, by route, in /metrics; what a browser is told of it."""
import json
import re
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.admin import Admin  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.wire import ask, request_bytes  # noqa: E402

FILES = {
    "both.lua": "return {request = function() end, response = function() end}\n",
    "both.py": "def request(req):\n    pass\ndef response(res):\n    pass\n",
    "both.js": "exports.request = function () {}; exports.response = function () {};\n",
    "fails.lua": "return {request = function(req) if req.query == 'loop' then while true do end end error('no') end}\n",
}
CONFIG = """
version: 1
workers: 2
listen: [{address: "127.0.0.1:0"}]
admin: {address: 127.0.0.1:0}
routes:
  - name: three
    match: {path: /three}
    chain: [script: {file: both.lua}, script: {file: both.py}, script: {file: both.js, isolation: process}]
    respond: {status: 204}
  - {name: fails, match: {path: /fails}, chain: [script: {file: fails.lua, budget: 5ms}], respond: {status: 204}}
  - {name: on, match: {path: /on}, chain: [script: {file: fails.lua, on_error: continue}], respond: {status: 204}}
  - {name: plain, match: {path: /plain}, chain: [headers: {request: {set: {A: b}}}], respond: {status: 204}}
  - name: shown
    match: {path: /shown}
    chain: [server-timing, script: {file: both.lua}]
    respond: {status: 204}
"""


class Metrics(unittest.TestCase):
    def setUp(self):
        self.gateway = self.enterContext(Gateway(CONFIG, FILES))
        self.admin = Admin(self.gateway)

    def ask(self, path):
        return ask(self.gateway.port, request_bytes(target=path))

    def values(self, name, of="", wanted=None):
        """Of each line of that name. A request is counted when its answer has left: waits until `of` is as `wanted`."""
        end = time.monotonic() + 10
        while True:
            values = self.values_now(name)
            if wanted is None or values.get(of) == wanted or time.monotonic() > end:
                return values

    def values_now(self, name):
        text = self.admin.raw("GET", "/metrics")[2].decode()
        return {labels: float(value) for labels, value in re.findall(rf"^{name}\{{(.*)\}} (\S+)$", text, re.M)}

    def test_each_step_of_a_script_is_timed_by_route_and_hook(self):
        for _ in range(20):
            self.assertEqual(self.ask("/three").status, 204)
        counts = self.values("lingate_step_duration_seconds_count",
                             'route="three",step="both.lua",runtime="lua",hook="response"', 20)
        for step, runtime in (("both.lua", "lua"), ("both.py", "python"), ("both.js", "js")):
            for hook in ("request", "response"):
                self.assertEqual(counts[f'route="three",step="{step}",runtime="{runtime}",hook="{hook}"'], 20)
        self.assertEqual(counts['route="three",step="respond",runtime="native",hook="request"'], 20)
        self.assertFalse([labels for labels in counts if 'route="plain"' in labels])  # nobody times it
        sums = self.values("lingate_step_duration_seconds_sum")
        self.assertGreater(sums['route="three",step="both.js",runtime="js",hook="request"'], 0)
        buckets = self.values("lingate_step_duration_seconds_bucket")
        of = 'route="three",step="both.lua",runtime="lua",hook="request",le='
        bounds = [labels[len(of):].strip('"') for labels in buckets if labels.startswith(of)]
        self.assertEqual((bounds[0], bounds[-1]), ("1e-06", "+Inf"))
        self.assertEqual(buckets[of + '"+Inf"'], 20)

    def test_failures_are_counted_by_route_and_kind(self):
        for path, times in (("/fails", 3), ("/fails?loop", 2), ("/on", 4)):
            for _ in range(times):
                self.ask(path)
        of = 'step="fails.lua",runtime="lua",kind='
        errors = self.values("lingate_step_errors_total", f'route="on",{of}"exception"', 4)
        self.assertEqual(errors[f'route="fails",{of}"exception"'], 3)
        self.assertEqual(errors[f'route="fails",{of}"timeout"'], 2)
        self.assertEqual(errors[f'route="on",{of}"exception"'], 4)
        self.assertEqual(errors['route="three",step="both.py",runtime="python",kind="memory"'], 0)

    def test_a_browser_is_told_where_asked_for(self):
        shown = self.ask("/shown").value("Server-Timing")
        self.assertRegex(shown, r"^total;dur=\d+\.\d{3}, both\.lua;dur=\d+\.\d{3}, respond;dur=\d+\.\d{3}$")
        self.assertIsNone(self.ask("/plain").value("Server-Timing"))


class Monitoring(unittest.TestCase):
    def test_dashboard_and_alerts_ask_for_what_there_is(self):
        folder = Path(__file__).resolve().parents[2] / "packaging" / "monitoring"
        dashboard = json.loads((folder / "dashboard.json").read_text())
        asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        alerts = re.findall(r"^        expr: (.*)$", (folder / "alerts.yaml").read_text(), re.M)
        self.assertGreater(len(alerts), 5)
        with Gateway(CONFIG, FILES) as gateway:
            ask(gateway.port, request_bytes(target="/three"))
            page = Admin(gateway).raw("GET", "/metrics")[2].decode()
        types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.M))
        for expression in [*asked, *alerts]:
            self.assertEqual(expression.count("("), expression.count(")"), expression)
            names = re.findall(r"\b(?:lingate|http_server|http_client)_[a-z0-9_]+", expression)
            for name in names:
                self.assertIn(re.sub(r"_(bucket|sum|count)$", "", name), types, expression)
                if "rate(" + name in expression:
                    self.assertNotEqual(types.get(name), "gauge", expression)


if __name__ == "__main__":
    unittest.main()
