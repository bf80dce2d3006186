#!/usr/bin/env python3
"""Hostile scripts, each in every placement: what comes of it, how soon, and what a neighbour notices.

    hostile_scripts.py [--language lua] [--placement inline] [--only PATTERN] [--markdown FILE]

For each script: it is called once while others ask another route of the same I/O worker; the answer has the status and
code of its kind, no later than budget + 50 ms (`process`: + 60 ms, since a call is killed 60 ms after its budget), and the
next call of the same script is answered rightly. What the machine itself was late by is added to the bound, and what is late
is tried again: a budget that does not hold is late each time.
"""
import argparse
import re
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from support import escapes, runaways  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.wire import Stream, ask, connect, problem_code, request_bytes  # noqa: E402

PLACEMENTS = ("inline", "thread", "process")
GRACE = {"inline": 0.05, "thread": 0.05, "process": 0.06}
BATCH = 24  # scripts in one gateway
ATTEMPTS = 3
PERIOD = 0.005  # seconds between two requests of the neighbour

TIMEOUT, MEMORY, EXCEPTION, INVALID, UNAVAILABLE = (
    (504, "LG3002"), (500, "LG3003"), (500, "LG3001"), (500, "LG3004"), (503, "LG3005"))
PASSED = (200, None)


@dataclass(frozen=True)
class Kind:
    name: str
    scripts: dict
    outcome: tuple
    budget: float  # seconds
    memory: str = "256MiB"
    placements: tuple = PLACEMENTS


KINDS = (
    Kind("loop", runaways.LOOPS, TIMEOUT, 0.1),
    Kind("allocation", runaways.ALLOCATIONS, MEMORY, 5, "48MiB"),
    Kind("oversized", runaways.OVERSIZED, EXCEPTION, 1, "48MiB"),
    Kind("recursion", runaways.RECURSIONS, EXCEPTION, 2),
    Kind("error", runaways.ERRORS, EXCEPTION, 2, "1GiB"),
    Kind("escape", escapes.ESCAPES, PASSED, 2),
    Kind("hold", runaways.HOLDS, TIMEOUT, 0.1),
    Kind("endless hold", runaways.HOLDS_FOR_EVER, TIMEOUT, 0.1, placements=("process",)),
    Kind("crash", runaways.KILLED, UNAVAILABLE, 2, placements=("process",)),
    Kind("denied", escapes.DENIED, PASSED, 2, placements=("process",)),
)


@dataclass(frozen=True)
class Script:
    kind: Kind
    language: str
    name: str
    body: str

    @property
    def route(self):
        return f"{self.kind.name.replace(' ', '-')}-{self.name}"


@dataclass
class Finding:
    script: Script
    placement: str
    outcome: tuple = None
    seconds: float = 0
    bound: float = 0
    calm: bool = False
    neighbour_ms: float = 0  # the longest that one of its requests took
    died: bool = False

    @property
    def excused(self):
        """C code of Python on the I/O thread: nothing can answer before it returns (contract, section 5)."""
        return self.script.kind.name == "hold" and self.placement == "inline"

    @property
    def faults(self):
        found = []
        if self.died:
            return ["the gateway died"]
        if self.outcome != self.script.kind.outcome:
            found.append(f"{self.outcome} instead of {self.script.kind.outcome}")
        if self.seconds > self.bound and not self.excused:
            found.append(f"{self.seconds * 1000:.0f} ms instead of {self.bound * 1000:.0f}")
        if not self.calm:
            found.append("the next call was not answered rightly")
        return found


def scripts(language, placement):
    return [Script(kind, language, name, body) for kind in KINDS if placement in kind.placements
            for name, body in kind.scripts.get(language, {}).items()]


def configuration(batch, placement):
    lines = ["version: 1", "workers: 1", "listen:", "  - address: 127.0.0.1:0", "routes:",
             '  - {name: others, match: {path: /others}, respond: {status: 200, text: "fine"}}']
    for each in batch:
        options = (f"isolation: {placement}, instances: 1, wait: 5s, budget: {int(each.kind.budget * 1000)}ms, "
                   f"memory: {each.kind.memory}")
        lines += [f"  - name: {each.route}", f"    match: {{path: /{each.route}}}",
                  f"    chain: [script: {{file: {each.route}.{runaways.EXTENSION[each.language]}, {options}}}]",
                  "    respond: {status: 200, text: passed}"]
    return "\n".join(lines) + "\n"


class Neighbour(threading.Thread):
    """Asks another route 200 times a second and knows the longest wait since take().

    Requests that would have been due while one waited count as waiting for what was left of it.
    """

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.ended, self.errors, self.longest, self.waits = port, threading.Event(), 0, 0, []
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()

    def run(self):
        try:
            with connect(self.port) as sock:
                stream = Stream(sock)
                while not self.ended.wait(PERIOD):
                    began = time.monotonic()
                    sock.sendall(request_bytes(target="/others"))
                    self.errors += stream.response().status != 200
                    self.count(time.monotonic() - began)
        except (OSError, EOFError):
            self.errors += 1

    def count(self, wait):
        self.longest = max(self.longest, wait)
        while wait > 0:
            self.waits.append(wait)
            wait -= PERIOD

    def take(self):
        longest, self.longest = self.longest, 0
        return longest


def is_calm(gateway, script):
    """Python that waits for a neighbour's C code gets 503 until that returns."""
    raw = request_bytes(target=f"/{script.route}", headers=[("X-Calm", "1")])
    deadline = time.monotonic() + (10 if script.kind.name == "hold" else 0)
    while True:
        response = ask(gateway.port, raw)
        if response.body == b"calm" or time.monotonic() > deadline:
            return response.body == b"calm"


def try_one(gateway, script, placement, neighbour, lateness):
    finding = Finding(script, placement)
    neighbour.take()
    lateness.take()
    started = time.monotonic()
    response = ask(gateway.port, request_bytes(target=f"/{script.route}"))
    finding.seconds = time.monotonic() - started
    finding.outcome = (response.status, problem_code(response))
    finding.bound = script.kind.budget + GRACE[placement] + lateness.take()
    finding.calm = response.body != b"got out" and is_calm(gateway, script)
    finding.neighbour_ms = neighbour.take() * 1000
    return finding


def try_until_in_time(gateway, script, placement, neighbour, lateness):
    for _ in range(ATTEMPTS):
        finding = try_one(gateway, script, placement, neighbour, lateness)
        if finding.seconds <= finding.bound or finding.excused:
            break
    return finding


def run_batch(batch, placement, findings):
    """Returns the waits of the neighbour, in seconds, and its errors."""
    files = {f"{each.route}.{runaways.EXTENSION[each.language]}": runaways.script(each.language, each.body) for each in batch}
    gateway = Gateway(configuration(batch, placement), files)
    gateway.start()
    with Neighbour(gateway.port) as neighbour, runaways.Lateness() as lateness:
        for each in batch:
            try:
                findings.append(try_until_in_time(gateway, each, placement, neighbour, lateness))
            except (OSError, EOFError):
                findings.append(Finding(each, placement, died=gateway.process.poll() is not None))
                if findings[-1].died:
                    break
    if gateway.stop() != 0:
        findings[-1].died = True
    return neighbour.waits, neighbour.errors


@dataclass
class Placed:
    """All scripts of one language in one placement."""
    language: str
    placement: str
    findings: list
    p99_ms: float
    errors: int


def run_all(language, placement, chosen):
    findings, waits, errors = [], [], 0
    for start in range(0, len(chosen), BATCH):
        more, wrong = run_batch(chosen[start:start + BATCH], placement, findings)
        waits += more
        errors += wrong
    p99 = sorted(waits)[int(len(waits) * 0.99)] * 1000 if waits else 0
    return Placed(language, placement, findings, p99, errors)


def line_of(finding):
    outcome = "-" if finding.outcome is None else f"{finding.outcome[0]} {finding.outcome[1] or ''}".strip()
    note = "; ".join(finding.faults) or ("held the I/O thread, as C code of Python may inline" if finding.excused else "")
    return (finding.script.language, finding.placement, finding.script.kind.name, finding.script.name, outcome,
            f"{finding.seconds * 1000:.1f}", "right" if finding.calm else "WRONG", f"{finding.neighbour_ms:.1f}", note)


HEAD = ("language", "placement", "kind", "script", "outcome", "ms", "next call", "neighbour at most, ms", "")


def markdown(placed):
    rows = [HEAD, ("---",) * len(HEAD), *(line_of(finding) for each in placed for finding in each.findings)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def main():
    parser = argparse.ArgumentParser(description="call hostile scripts in every language and placement")
    parser.add_argument("--language", choices=runaways.LANGUAGES)
    parser.add_argument("--placement", choices=PLACEMENTS)
    parser.add_argument("--only", default="", help="a pattern for 'kind name'")
    parser.add_argument("--markdown", metavar="FILE", help="also write the table there")
    options = parser.parse_args()
    placed = []
    for language in [options.language] if options.language else runaways.LANGUAGES:
        for placement in [options.placement] if options.placement else PLACEMENTS:
            chosen = [s for s in scripts(language, placement) if re.search(options.only, f"{s.kind.name} {s.name}")]
            placed.append(run_all(language, placement, chosen))
            for finding in placed[-1].findings:
                print("{:7} {:8} {:13} {:24} {:11} {:>8} {:6} {:>7} {}".format(*line_of(finding)), flush=True)
            print(f"{language} {placement}: {len(chosen)} scripts; the neighbour's p99 {placed[-1].p99_ms:.1f} ms, "
                  f"{placed[-1].errors} errors", flush=True)
    if options.markdown:
        Path(options.markdown).write_text(markdown(placed))
    wrong = [finding for each in placed for finding in each.findings if finding.faults]
    print(f"{sum(len(each.findings) for each in placed)} calls, {len(wrong)} not as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
