"""Row 26: rate limits at their edges, over restarts, on two nodes, and with more callers than there is room for."""
import threading
import time

from others import Others
from support.gateway import Gateway
from support.redis import Redis
from support.wire import Stream, connect, request_bytes
from table import row

CLIENTS = 64
CONFIG = """
version: 1
workers: 2
listen:
  - address: 127.0.0.1:0
{store}
routes:
  - {{name: rated, match: {{path: /rated}}, chain: [rate-limit: {{rate: 200/1s, burst: 50, by: route}}], respond: {{status: 200}}}}
  - {{name: once, match: {{path: /once}}, chain: [rate-limit: {{rate: 1/1h, burst: 300, by: route}}], respond: {{status: 200}}}}
  - {{name: quota, match: {{path: /quota}}, chain: [quota: {{max: 1000, every: 24h, by: route}}], respond: {{status: 200}}}}
"""
# Each request is ten callers that were never there before.
MANY = """
version: 1
workers: 2
listen:
  - address: 127.0.0.1:0
routes:
  - name: many
    match: {{path: /others}}
    chain: [script: {{file: strangers.lua}}, {steps}]
    respond: {{text: fine}}
"""
STRANGERS = """
local me, count = lingate.base64.encode(lingate.crypto.random(9)), 0
return {request = function(req)
  count = count + 1
  req.headers["X-Who"] = me .. count
end}
"""


class Crowd:
    """Clients that ask for one path as fast as they can, until run() ends; how many passed."""

    def __init__(self, ports, path):
        self.passed, self.refused, self.others = 0, 0, []
        self._raw, self._lock, self._ended = request_bytes(target=path), threading.Lock(), threading.Event()
        self.began = time.monotonic()
        self._threads = [threading.Thread(target=self._ask, args=(ports[k % len(ports)],)) for k in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _ask(self, port):
        passed, refused = 0, 0
        with connect(port) as sock:
            stream = Stream(sock)
            while not self._ended.is_set():
                sock.sendall(self._raw)
                status = stream.response().status
                passed += status == 200
                refused += status == 429
                if status not in (200, 429):
                    self.others.append(status)
        with self._lock:
            self.passed, self.refused = self.passed + passed, self.refused + refused

    def run(self, seconds):
        time.sleep(max(0, self.began + seconds - time.monotonic()))
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self.took = time.monotonic() - self.began
        return self


@row(26, "rate limiter: 64 clients at the limit")
def at_the_limit(case):
    seconds = case.pick(full=20, small=2)
    with Gateway(CONFIG.format(store="store: {path: data}")) as gateway:
        crowd = Crowd([gateway.port], "/rated").run(seconds)
        # What a bucket of 50 that gets 200 a second lets through, in the time from the first connection to the last answer.
        case.at_most(f"passed in {crowd.took:.2f} s, beside {crowd.refused:,} refused", crowd.passed, int(50 + 200 * crowd.took) + 1)
        case.at_least("and as many as were due while they asked", crowd.passed, int(200 * seconds * 0.97))
        case.exactly("other answers", crowd.others, [])
        once = Crowd([gateway.port], "/once").run(case.pick(full=5, small=1))
        case.exactly(f"of a bucket of 300 that gets one an hour, {once.passed + once.refused:,} asked, passed", once.passed, 300)


@row(26, "rate limiter: window edges")
def window_edges(case):
    """No second, wherever it begins, has more than the burst and a second's worth."""
    with Gateway(CONFIG.format(store="store: {path: data}")) as gateway, connect(gateway.port) as sock:
        stream, times, until = Stream(sock), [], time.monotonic() + case.pick(full=12, small=3)
        raw = request_bytes(target="/rated")
        while time.monotonic() < until:
            sent = time.monotonic()
            sock.sendall(raw)
            if stream.response().status == 200:
                times.append((sent, time.monotonic()))
        # From the moment that the first was answered to that at which the last was sent: within it all of them passed.
        worst, last = 0, 0
        for first, (_, answered) in enumerate(times):
            last = max(last, first)
            while last < len(times) and times[last][0] <= answered + 1:
                last += 1
            worst = max(worst, last - first - 1)
        case.at_most("passed within one second, the most", worst, 50 + 200 + 1)
        case.at_least("passed in all", len(times), case.pick(full=2000, small=300))


@row(26, "rate limiter: restart")
def over_a_restart(case):
    with Gateway(CONFIG.format(store="store: {path: data}")) as gateway:
        passed, rounds = 0, case.pick(full=6, small=3)
        for k in range(rounds):
            if k + 1 < rounds:  # some of it, then the end, in the order that a restart has
                with connect(gateway.port) as sock:
                    stream = Stream(sock)
                    for _ in range(150):
                        sock.sendall(request_bytes(target="/quota"))
                        passed += stream.response().status == 200
                case.exactly(f"exit code {k + 1}", gateway.stop(), 0)
                gateway.start()
            else:
                passed += Crowd([gateway.port], "/quota").run(1.5).passed
        case.exactly(f"of a quota of 1,000, over {rounds - 1} restarts, passed", passed, 1000)


@row(26, "rate limiter: two nodes")
def two_nodes(case):
    with Redis() as redis:
        store = f'store: {{kind: redis, url: "{redis.url}", budget: 5s}}'
        with Gateway(CONFIG.format(store=store)) as one, Gateway(CONFIG.format(store=store)) as two:
            ports = [one.port, two.port]
            seconds = case.pick(full=20, small=2)
            crowd = Crowd(ports, "/rated").run(seconds)
            due = 50 + 200 * crowd.took
            case.at_most(f"passed in {crowd.took:.2f} s on both, of what was due", crowd.passed / due * 100, 101, "%")
            case.at_least("and at least", crowd.passed / due * 100, 85, "%")
            once = Crowd(ports, "/once").run(case.pick(full=5, small=1))
            case.exactly(f"of a bucket of 300 that gets one an hour, {once.passed + once.refused:,} asked, passed", once.passed, 300)


@row(26, "rate limiter: ten million callers")
def ten_million_callers(case):
    steps = ", ".join(["rate-limit: {rate: 1/1h, by: header.X-Who}"] * 10)
    wanted = case.pick(full=10_000_000, small=200_000)
    with Gateway(MANY.format(steps=steps), {"strangers.lua": STRANGERS}) as gateway:
        callers, errors, most, base = 0, 0, 0, gateway.memory()
        while callers < wanted:
            with Others(gateway.port, rate=0, seconds=case.pick(full=5, small=1)) as others:
                pass
            errors += others.figures.errors
            callers += others.figures.answers * 10
            most = max(most, gateway.memory() - base)
        case.at_least("callers, each of them a stranger", callers, wanted)
        case.exactly("errors", errors, 0)
        case.at_most("memory for them, 64 MiB of buckets among it", most / 2**20, 96, "MiB")
