#!/usr/bin/env python3
"""No field is smuggled from inside: by a script, by the configuration, or by a parameter that one of them repeats."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway, run_cli  # noqa: E402
from support.wire import Origin, ask, problem_code, reply, request_bytes  # noqa: E402

CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off}}
routes:
  - {{name: rewritten, match: {{path: "/rewritten/{{x}}/*"}}, chain: [rewrite: {{path: "/p/{{x}}/{{*}}", query: "q={{x}}"}}], upstream: origin}}
  - {{name: redirected, match: {{path: "/redirected/{{x}}"}}, redirect: "https://other.test/{{x}}"}}
{routes}
"""
ROUTE = "  - {{name: {name}, match: {{path: /{name}}}, chain: [script: {{file: {file}}}], upstream: origin}}\n"

# What a request hook may say, as Lua, Python and JavaScript; %s is the text, written so that all three read it alike.
WRITES = {
    "value": ('req.headers["X-New"] = "%s"', 'req.headers["X-New"] = "%s"', 'req.headers["X-New"] = "%s";'),
    "values": ('req.headers["X-New"] = {"a", "%s"}', 'req.headers["X-New"] = ["a", "%s"]', 'req.headers["X-New"] = ["a", "%s"];'),
    "added": ('req.headers:add("X-New", "%s")', 'req.headers.add("X-New", "%s")', 'req.headers.add("X-New", "%s");'),
    "name": ('req.headers["X-New%s"] = "a"', 'req.headers["X-New%s"] = "a"', 'req.headers["X-New%s"] = "a";'),
    "path": ('req.path = "/new%s"', 'req.path = "/new%s"', 'req.path = "/new%s";'),
    "query": ('req.query = "a=%s"', 'req.query = "a=%s"', 'req.query = "a=%s";'),
    "method": ('req.method = "PUT%s"', 'req.method = "PUT%s"', 'req.method = "PUT%s";'),
    "answer": ('return lingate.respond(200, "x", {["X-New"] = "%s"})', 'return lingate.respond(200, "x", {"X-New": "%s"})',
               'return lingate.respond(200, "x", {"X-New": "%s"});'),
}
TEXTS = {"crlf": r"\r\nX-Evil: 1", "lf": r"\nX-Evil: 1", "cr": r"\rX-Evil: 1", "nul": r"\0"}
TARGET_TEXTS = {**TEXTS, "space": " HTTP/1.1"}
HARMLESS = "z"
SCRIPTS = {
    "lua": "return {request = function(req)\n  %s\nend}\n",
    "py": "import lingate\ndef request(req):\n    %s\n",
    "js": 'var lingate = require("lingate");\nexports.request = function (req) { %s };\n',
}
FRAMING = ("Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "TE", "Trailer", "Keep-Alive", "Proxy-Connection")


def spoken(language, text):
    """Lua reads \\0 and \\x00 alike, JavaScript has no \\0 before a digit: all take the hexadecimal form."""
    return text.replace(r"\0", r"\x00")


def scripts():
    """(name, file, source, whether it is a lie)"""
    for k, (language, frame) in enumerate(SCRIPTS.items()):
        for what, writes in WRITES.items():
            texts = TARGET_TEXTS if what in ("path", "query", "method", "name") else TEXTS
            for how, text in {**texts, "harmless": HARMLESS}.items():
                name = f"{language}-{what}-{how}"
                yield name, f"{name}.{language}", frame % (writes[k] % spoken(language, text)), how != "harmless"
        for field in FRAMING:
            name = f"{language}-framing-{field.lower()}"
            yield name, f"{name}.{language}", frame % (WRITES["value"][k].replace("X-New", field) % "5"), True


class Inside(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scripts = list(scripts())
        routes = "".join(ROUTE.format(name=name, file=file) for name, file, _, _ in cls.scripts)
        cls.origin = Origin(lambda request: reply(body=b"ok")).__enter__()
        cls.gateway = Gateway(CONFIG.format(port=cls.origin.port, routes=routes), {file: source for _, file, source, _ in cls.scripts}).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.__exit__(None)
        cls.origin.__exit__()

    def test_scripts_cannot_write_what_would_be_read_as_more(self):
        for name, _, _, lie in self.scripts:
            with self.subTest(name):
                self.origin.requests.clear()
                response = ask(self.gateway.port, request_bytes(target=f"/{name}"))
                if lie:
                    self.assertEqual((response.status, problem_code(response)[:4], len(self.origin.requests)), (500, "LG30", 0))
                else:
                    self.assertEqual(response.status, 200)
                self.assertNotIn(b"X-Evil", response.head)
                for request in self.origin.requests:
                    self.assertNotIn(b"X-Evil", request.head)

    def test_parameters_stay_where_they_are(self):
        for text in ("a%0d%0aX-Evil:%201", "a%0AX-Evil:1", "a%20HTTP/1.1", "a%20HTTP%2F1.1%0D%0AX-Evil:1", "a%3Fb%23c", "%2e%2e%2f"):
            with self.subTest(text):
                self.origin.requests.clear()
                response = ask(self.gateway.port, request_bytes(target=f"/rewritten/{text}/tail"))
                self.assertEqual((response.status, len(self.origin.requests)), (200, 1))
                request = self.origin.requests[0]
                self.assertEqual(request.start_line.count(" "), 2, request.start_line)
                self.assertNotIn("x-evil", [name.lower() for name, _ in request.fields])
                moved = ask(self.gateway.port, request_bytes(target=f"/redirected/{text.replace('/', '%2F')}"))
                self.assertEqual((moved.status, len(moved.values("Location"))), (302, 1))
                self.assertNotIn("x-evil", [name.lower() for name, _ in moved.fields])
                self.assertNotIn(" ", moved.value("Location"))

    def test_the_configuration_cannot_either(self):
        frame = "version: 1\nlisten: 127.0.0.1:0\nroutes:\n  - {{name: all, match: {{path: /*}}, chain: [{step}], respond: {{text: x}}}}\n"
        steps = ['headers: {{request: {{set: {{X-A: "a{0}"}}}}}}', 'headers: {{response: {{add: {{X-A: "a{0}"}}}}}}',
                 'headers: {{request: {{set: {{"X-A{0}": a}}}}}}',
                 'headers: {{response: {{remove: ["X-A{0}"]}}}}', 'request-id: {{header: "X-Id{0}"}}', 'respond: {{headers: {{X-A: "a{0}"}}}}',
                 'rewrite: {{method: "PUT{0}"}}',
                 'rewrite: {{path: "/a{0}"}}', 'rewrite: {{query: "a{0}"}}']
        for step in steps:
            code, _, err = run_cli("check", "gw.yaml", files={"gw.yaml": frame.format(step=step.format("z"))})
            with self.subTest(step):
                self.assertEqual(code, 0, err)
            for text in (r"\r\nX-Evil: 1", r"\n", r"\r", r"\0"):
                with self.subTest(step, text=text):
                    code, _, err = run_cli("check", "gw.yaml", files={"gw.yaml": frame.format(step=step.format(text))})
                    self.assertEqual(code, 3, err)


if __name__ == "__main__":
    unittest.main()
