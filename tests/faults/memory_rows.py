"""Rows 12 and 13: scripts that hoard, and scripts that go too deep."""
import re
import threading
import time
from pathlib import Path

from scripted import CALM, PLACEMENTS, gateway_of, timed
from support.runaways import ALLOCATIONS, LANGUAGES, OVERSIZED, RECURSIONS
from support.wire import Stream, ask, connect, problem_code, request_bytes
from table import row

# ---- 12 ----

LIMIT = 48 << 20


def held_bytes(pid, field):
    """Resident pages of a process and its children, in bytes: all of them (VmRSS), or those that are its own (RssAnon)."""
    total = 0
    try:
        total = int(re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)[1]) * 1024
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            total += sum(held_bytes(child, field) for child in children.read_text().split())
    except (OSError, TypeError):  # it has just ended
        pass
    return total


class Peak(threading.Thread):
    """The most that the gateway and its processes held, seen every few milliseconds."""

    def __init__(self, gateway):
        super().__init__(daemon=True)
        self.pid, self.ended, self.most = gateway.pid, threading.Event(), 0
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()

    def run(self):
        while not self.ended.wait(0.002):
            self.most = max(self.most, held_bytes(self.pid, "RssAnon"))


def comes_back(gateway, bound, seconds):
    """The bytes held once they are within the bound, or after the time that they have for it."""
    deadline = time.monotonic() + seconds
    while (held := held_bytes(gateway.pid, "VmRSS")) > bound and time.monotonic() < deadline:
        time.sleep(0.02)
    return held


def hoard(case, placement):
    for language in LANGUAGES:
        wrong, most, grown, others = [], (0, ""), (0, ""), 0
        bodies = {**ALLOCATIONS[language], **OVERSIZED[language]}
        for name, body in list(bodies.items())[::case.pick(full=1, small=8)]:
            # The gateway's own figures: nothing that another script left is among them.
            with gateway_of(language, placement, {name: body}, f"budget: 20s, memory: {LIMIT}B, instances: 1", workers=1) as gateway:
                for _ in range(20):
                    timed(gateway, name, CALM)
                own, resident = held_bytes(gateway.pid, "RssAnon"), held_bytes(gateway.pid, "VmRSS")
                with Peak(gateway) as peak:
                    response, _ = timed(gateway, name)
                # A text that would be too large is an exception, which the script may catch.
                if (response.status, problem_code(response)) != (500, "LG3001" if name in OVERSIZED[language] else "LG3003"):
                    wrong.append((name, response.status, problem_code(response)))
                if timed(gateway, name, CALM)[0].body != b"calm":
                    wrong.append((name, "not calm"))
                others += ask(gateway.port, request_bytes(target="/others")).status != 200
                most = max(most, ((peak.most - own) / LIMIT, name))
                grown = max(grown, (comes_back(gateway, resident * 1.1, case.pick(full=5, small=0)) / resident, name))
        case.exactly(f"{language}: wrong answers", wrong, [])
        case.exactly(f"{language}: other requests that failed", others, 0)
        case.at_most(f"{language}: held at most, of the limit ({most[1]})", most[0] * 100, 125, "%")
        case.at_most_where_alone(f"{language}: held within 5 s, of what it was before ({grown[1]})", grown[0] * 100, 110, "%")


@row(12, "script allocates without end, inline")
def hoards_inline(case):
    hoard(case, "inline")


@row(12, "script allocates without end, thread")
def hoards_thread(case):
    hoard(case, "thread")


@row(12, "script allocates without end, process")
def hoards_process(case):
    hoard(case, "process")


# ---- 13 ----

# Into ctx, and so into a message's nested values.
NESTED = {
    "lua": "local t = {} for i = 1, 2e4 do t = {t} end ctx.t = t",
    "python": "t = []\nfor _ in range(20000): t = [t]\nctx['t'] = t",
    "js": "var t = []; for (var i = 0; i < 20000; i++) t = [t]; ctx.t = t;",
}


class Depths(threading.Thread):
    """Calls everything that goes too deep, in one language and placement, again and again."""

    def __init__(self, language, placement, rounds):
        super().__init__()
        self.language, self.placement, self.rounds = language, placement, rounds
        self.bodies = {**RECURSIONS[language], "nested_values": NESTED[language]}
        self.calls, self.wrong, self.lost = 0, [], 1  # until it has ended well
        self.start()

    def run(self):
        with gateway_of(self.language, self.placement, self.bodies, "budget: 10s, memory: 256MiB, instances: 1", workers=1) as gateway:
            with connect(gateway.port) as sock:
                stream = Stream(sock)
                for name in list(self.bodies) * self.rounds:
                    sock.sendall(request_bytes(target=f"/{name}"))
                    response = stream.response()
                    self.calls += 1
                    if response.status != 500 or problem_code(response) not in ("LG3001", "LG3004"):
                        self.wrong.append((self.language, self.placement, name, response.status, problem_code(response)))
            crashed = len(re.findall("worker process ended", gateway.log_text()))
        self.lost = crashed


@row(13, "deep recursion: script, JSON, toJSON, nested values, regex")
def goes_too_deep(case):
    ways = sum(len(RECURSIONS[language]) + 1 for language in LANGUAGES) * len(PLACEMENTS)
    rounds = -(-case.pick(full=10_000, small=100) // ways)
    done = []
    for language in LANGUAGES:  # placements side by side: they wait for each other's core only
        together = [Depths(language, placement, rounds) for placement in PLACEMENTS]
        for each in together:
            each.join()
        done += together
    case.at_least("calls", sum(each.calls for each in done), case.pick(full=10_000, small=100))
    case.exactly("not answered with 500", [wrong for each in done for wrong in each.wrong][:5], [])
    case.exactly("crashes", sum(each.lost for each in done), 0)
