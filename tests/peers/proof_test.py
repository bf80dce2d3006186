#!/usr/bin/env python3
"""The proof that precedes each measurement finds a gateway that does not do its job, and passes one that does."""
import unittest

from bench import InFolder

# (configuration, arm, file, what stands there, what is put in its place, what the proof says)
WRONG = [
    ("lingate-lua", "header", "header.lua", 'headers["X-Api-Key"] = nil', "",
     "the upstream saw other fields: [('x-api-key'"),
    ("lingate-lua", "header", "header.lua", "session.tenant", '"tenant-0"', "the upstream saw other fields: [('x-tenant'"),
    ("lingate-lua", "header", "header.lua", '"perf"', '"slow"', "the response's X-Gateway is not set"),
    ("lingate-lua", "deny", "header.lua", "respond(401)", "respond(403)", "status 403, not 401"),
    ("lingate-lua", "early", "early.lua", "128", "127", "status 200 with 127 bytes"),
    ("lingate-lua", "early", "lingate-lua.yaml", "[script: {file: early.lua}]", "[]", "the answer is not the script's"),
    ("lingate-lua", "body", "body.lua", "user-42", "user-43", "the upstream saw another body"),
    ("lingate-lua", "bare", "lingate-lua.yaml", "via: false", "via: true", None),
    ("lingate-lua", "bare", "lingate-lua.yaml", "[127.0.0.0/8]", "[]", "the upstream saw other fields: [('x-request-id'"),
    ("workers-2", "workers", "lingate-plain.yaml", "workers: 2", "workers: 1", "1 workers listen, not 2"),
    ("routes-10", "routes", "lingate-plain.yaml", "name: r00009", "name: r00008", "ended; it said"),
    ("routes-10", "routes", "lingate-plain.yaml", "/r00009/", "/r00010/", "status 404, not 200, for route 9"),
    ("chain-10", "chain", "lingate-plain.yaml", 'X-Step: "9"', 'X-Step: "8"', "the upstream saw other fields: [('x-step'"),
]


class Proof(InFolder):
    def outcome(self, name, arm, file=None, old="", new=""):
        bench, gateway = self.bench(name, arm)
        if file:
            path = gateway.folder / file
            text = path.read_text()
            self.assertIn(old, text)
            path.write_text(text.replace(old, new))
        bench.prove()
        return bench.failures.get((arm, name))

    def test_finds_what_is_wrong(self):
        for name, arm, file, old, new, said in WRONG:
            with self.subTest(arm=arm, wrong=new or old):
                self.setUp()
                outcome = self.outcome(name, arm, file, old, new)
                self.assertIn(said, outcome) if said else self.assertIsNone(outcome)
                self.doCleanups()

    def test_passes_what_is_right(self):
        for name in ("lingate-lua", "lingate-js", "lingate-python", "telemetry", "routes-10000"):
            with self.subTest(name):
                self.setUp()
                own = {"telemetry": ["telemetry"], "routes-10000": ["routes"]}
                bench, _ = self.bench(name, *own.get(name, ["bare", "header", "deny", "early", "body"]))
                bench.prove()
                self.assertEqual(bench.failures, {})
                self.doCleanups()

    def test_an_answer_that_turns_wrong_later_fails_the_arm(self):
        bench, gateway = self.bench("lingate-lua", "early")
        (gateway.folder / "early.lua").write_text(
            'local count, body = 0, string.rep("x", 128)\n'
            "return {request = function()\n"
            "  count = count + 1\n"
            '  return lingate.respond(count > 50 and 503 or 200, body, {["X-Gateway"] = "perf"})\n'
            "end}\n")
        bench.prove()
        self.assertEqual(bench.failures, {})
        bench.sample([("early", gateway)])
        self.assertRegex(bench.failures["early", "lingate-lua"],
                         r"^\d+ of \d+ responses were wrong: HTTP/1.1 503 .* with 128 bytes$")
        self.assertEqual(bench.samples, {})

    def test_a_gateway_that_answers_by_itself_is_not_forwarding(self):
        bench, gateway = self.bench("lingate-lua", "bare")
        bench.prove()
        gateway.stop()  # one that caches, so to speak, takes its place
        path = gateway.folder / "lingate-lua.yaml"
        text = path.read_text()
        path.write_text(text[:text.index("routes:")] + "routes:\n" +
                        f'  - {{name: all, match: {{path: "/*"}}, respond: {{status: 200, text: "{"x" * 128}"}}}}\n')
        gateway.start()
        bench.sample([("bare", gateway)])
        self.assertRegex(bench.failures["bare", "lingate-lua"], r"^0 requests reached the upstream, not \d+$")


if __name__ == "__main__":
    unittest.main()
