#!/usr/bin/env python3
"""Limits on callers by a real gateway: who is refused, what they are told, and that every place is given back."""
import select
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway  # noqa: E402
from support.wire import Origin, Stream, ask, connect, problem_code, reply, request_bytes, reset  # noqa: E402

CONFIG = """
version: 1
workers: 2
listen:
  - address: 127.0.0.1:0
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off}}
chains:
  base: [access-log]
routes:
  - name: rated
    match: {{path: /rated}}
    chain: [use: base, rate-limit: {{rate: 1/1h, burst: 100, by: header.X-Tenant}}]
    upstream: origin
  - name: own
    match: {{path: /own}}
    chain: [use: base, script: who.lua, rate-limit]
    upstream: origin
  - name: few
    match: {{path: "/few/*"}}
    chain: [use: base, concurrency-limit: 2]
    upstream: origin
  - name: counted
    match: {{path: /counted}}
    chain: [use: base, script: who.lua, quota: {{max: 3, every: 1h}}]
    upstream: origin
  - {{name: local, match: {{path: /local}}, chain: [ip: {{allow: [127.0.0.0/8]}}], respond: {{text: here}}}}
  - {{name: abroad, match: {{path: /abroad}}, chain: [ip: {{deny: ["::ffff:127.0.0.1"]}}], respond: {{text: here}}}}
"""
FILES = {
    "who.lua": """
return {request = function(req)
  local who = req.headers["X-Who"]
  if who then req.session = {id = who, rate = 2, per = 3600} end
end}
""",
}


def gateway(origin):
    return Gateway(CONFIG.format(port=origin.port), FILES)


def get(gw, target, **headers):
    return ask(gw.port, request_bytes(target=target, headers=[(n.replace("_", "-"), v) for n, v in headers.items()]))


class Held:
    """An origin that answers /few/held when it is let go; `arrived` counts those requests."""

    def __init__(self):
        self.go = threading.Event()
        self.arrived = threading.Semaphore(0)

    def __call__(self, request):
        if request.target != "/few/held":
            return reply(body=b"ok")
        self.arrived.release()
        self.go.wait(20)
        return reply(body=b"late")

    def by(self, gw):
        """A connection whose request has come here; None: it was answered otherwise."""
        sock = connect(gw.port)
        sock.sendall(request_bytes(target="/few/held"))
        while not self.arrived.acquire(timeout=0.01):
            if select.select([sock], [], [], 0)[0]:
                return sock.close()
        return sock


class Limits(unittest.TestCase):
    def test_what_a_refused_caller_is_told(self):
        with Origin() as origin, gateway(origin) as gw:
            first = get(gw, "/own", X_Who="ann")
            self.assertEqual(first.status, 200)
            self.assertEqual([first.value("RateLimit-" + n) for n in ("Limit", "Remaining", "Reset")], ["2", "1", "1800"])
            self.assertEqual(get(gw, "/own", X_Who="ann").status, 200)
            refused = get(gw, "/own", X_Who="ann")
            self.assertEqual((refused.status, problem_code(refused)), (429, "LG5006"))
            self.assertEqual([refused.value("RateLimit-" + n) for n in ("Limit", "Remaining")], ["2", "0"])
            self.assertIn(int(refused.value("Retry-After")), range(1790, 1801))
            self.assertEqual(refused.value("Content-Type"), "application/problem+json")
            self.assertEqual(get(gw, "/own", X_Who="bob").status, 200)
            self.assertIsNone(get(gw, "/own").value("RateLimit-Limit"))  # nobody: unlimited
            self.assertEqual(len(origin.requests), 4)

    def test_two_workers_count_together_exactly(self):
        statuses = []

        def client(gw):
            with connect(gw.port) as sock:
                stream = Stream(sock)
                for _ in range(20):
                    sock.sendall(request_bytes(target="/rated", headers=[("X-Tenant", "t")]))
                    statuses.append(stream.response().status)

        with Origin() as origin, gateway(origin) as gw:
            clients = [threading.Thread(target=client, args=(gw,)) for _ in range(16)]
            for each in clients:
                each.start()
            for each in clients:
                each.join()
            self.assertEqual((statuses.count(200), statuses.count(429)), (100, 220))
            self.assertEqual(len(origin.requests), 100)
            self.assertEqual(get(gw, "/rated", X_Tenant="other").status, 200)

    def test_a_place_is_given_back_after_a_response_and_after_a_disconnect(self):
        held = Held()
        with Origin(held) as origin, gateway(origin) as gw:
            first, second = held.by(gw), held.by(gw)
            refused = get(gw, "/few/y")
            self.assertEqual((refused.status, problem_code(refused)), (429, "LG5008"))
            reset(first)  # gone while the upstream is at it
            gw.wait_for(lambda: get(gw, "/few/y").status == 200, "place")
            third = gw.wait_for(lambda: held.by(gw), "place")  # a response is over for the gateway after it is for its client
            self.assertEqual(get(gw, "/few/y").status, 429)
            held.go.set()
            for sock in (second, third):
                self.assertEqual(Stream(sock).response().body, b"late")
                sock.close()
            gw.wait_for(lambda: get(gw, "/few/y").status == 200, "place")

    def test_a_place_is_given_back_when_the_upstream_is_dead(self):
        with Origin(serve=lambda sock, stream: stream.head()) as origin, gateway(origin) as gw:
            for _ in range(6):
                gw.wait_for(lambda: get(gw, "/few/x").status == 502, "place")

    def test_a_quota_is_used_up(self):
        with Origin() as origin, gateway(origin) as gw:
            self.assertEqual([get(gw, "/counted", X_Who="ann").status for _ in range(4)], [200, 200, 200, 429])
            refused = get(gw, "/counted", X_Who="ann")
            self.assertEqual(problem_code(refused), "LG5007")
            self.assertIn(int(refused.value("Retry-After")), range(3590, 3601))
            self.assertEqual(get(gw, "/counted", X_Who="bob").status, 200)

    def test_addresses(self):
        with Origin() as origin, gateway(origin) as gw:
            self.assertEqual(get(gw, "/local").body, b"here")
            refused = get(gw, "/abroad")
            self.assertEqual((refused.status, problem_code(refused)), (403, "LG5005"))


if __name__ == "__main__":
    unittest.main()
