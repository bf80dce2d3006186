"""Rows 11 and 15, and the table of hostile scripts: scripts that loop for ever or hold on."""
import re
import subprocess
import sys
import time

import hostile_scripts as hostile
from others import Others, run_others, seventy_percent, sum_of
from scripted import CALM, PLACEMENTS, gateway_of, timed
from support.gateway import run_cli
from support.runaways import HOLDS, HOLDS_FOR_EVER, LANGUAGES, LOOPS, Lateness, script
from support.wire import problem_code
from table import row

GRACE = hostile.GRACE

# Row 11 in each language's own words. Lua and JavaScript have no finalisers that a script could set.
FOR_EVER = {
    "lua": ("plain", "pcall", "sort", "tostring", "pattern", "jit", "concat_range"),
    "python": ("plain", "except", "finally", "sort_key", "del", "str", "sum_range"),
    "js": ("plain", "try", "finally", "sort", "tostring", "regex", "index_of", "join"),
}


# ---- 11 ----


class Runaways:
    """Calls every script, one after the other, and keeps the worst of what came of it."""

    def __init__(self, gateway, names, budget):
        self.gateway, self.names, self.budget = gateway, names, budget
        self.wrong, self.late, self.again, self.calls = [], 0, 0, 0

    def one(self, name, lateness):
        for _ in range(3):  # again if it was late: that may have been the machine
            lateness.take()
            response, took = timed(self.gateway, name)
            late = took - self.budget - lateness.take()
            if late < 0.045:
                break
        self.late = max(self.late, late)
        if (response.status, problem_code(response)) != (504, "LG3002"):
            self.wrong.append((name, response.status))
        calm, took = timed(self.gateway, name, CALM)
        self.again = max(self.again, took - lateness.take())
        if calm.body != b"calm":
            self.wrong.append((name, "not calm", calm.status))
        self.calls += 1

    def once(self, pause):
        """Each script once, evenly over the time: three spent budgets would move a step to threads."""
        with Lateness() as lateness:
            for name in self.names:
                self.one(name, lateness)
                time.sleep(pause)

    def until(self, end):
        """All the time, so that there is always one that runs away."""
        with Lateness() as lateness:
            while True:
                for name in self.names:
                    self.one(name, lateness)
                    if time.monotonic() > end:
                        return


def beside_a_busy_core(gateway, rate, seconds):
    """Others while an ordinary process computes: a script that loops takes a core, and of two cores that is felt by all."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            return run_others(gateway.port, rate=rate, seconds=seconds)
        finally:
            busy.kill()


BUDGET = 0.05


def runaways_of(language, placement):
    bodies = {name: LOOPS[language][name] for name in FOR_EVER[language]}
    return gateway_of(language, placement, bodies, f"budget: {int(BUDGET * 1000)}ms, memory: 256MiB")


def judge(case, language, placement, runaways, figures):
    case.exactly(f"{language}: wrong answers of {sum(each.calls for each in runaways)}", sum((each.wrong for each in runaways), []), [])
    case.at_most(f"{language}: answered after the budget", max(each.late for each in runaways) * 1000, GRACE[placement] * 1000, "ms")
    case.at_most(f"{language}: serves again after", max(each.again for each in runaways) * 1000, 100, "ms")
    case.exactly(f"{language}: errors of {figures.answers:,} others", figures.errors, 0)


@row(11, "script loops for ever, inline")
def loops_inline(case):
    seconds = case.pick(full=2, small=1)
    for language in LANGUAGES:
        rate, runaways, calm, disturbed = 200, [], [], []
        for turn in range(case.pick(full=5, small=1)):  # a gateway each: three spent budgets would move a step to threads
            with runaways_of(language, "inline") as gateway:
                if case.full and turn == 0:
                    rate = seventy_percent(gateway.port) * 3 / 7
                calm.append(run_others(gateway.port, rate=rate, seconds=seconds))
                runaways.append(Runaways(gateway, FOR_EVER[language], BUDGET))
                with Others(gateway.port, rate=rate, seconds=seconds) as others:
                    runaways[-1].once(max(0.0, seconds / len(FOR_EVER[language]) - BUDGET - 0.02) if case.full else 0)
                disturbed.append(others.figures)
        undisturbed, figures = sum_of(calm), sum_of(disturbed)
        judge(case, language, "inline", runaways, figures)
        case.at_most_where_alone(f"{language}: others p99 at {rate:,.0f}/s (undisturbed {undisturbed.p99_ms:.2f} ms)",
                                 figures.p99_ms, undisturbed.p99_ms + BUDGET * 1000, "ms")


def for_ever(case, placement):
    seconds = case.pick(full=2, small=1)
    for language in LANGUAGES:
        with runaways_of(language, placement) as gateway:
            rate = seventy_percent(gateway.port) * 3 / 7 if case.full else 200
            undisturbed = run_others(gateway.port, rate=rate, seconds=seconds)
            runaways, disturbed, beside_busy = Runaways(gateway, FOR_EVER[language], BUDGET), [], []
            for _ in range(case.pick(full=7, small=1)):  # in turns with what they are held against
                if case.full:
                    beside_busy.append(beside_a_busy_core(gateway, rate, seconds))
                with Others(gateway.port, rate=rate, seconds=seconds) as others:
                    runaways.until(time.monotonic() + seconds - 0.2)
                disturbed.append(others.figures)
        figures, busy = sum_of(disturbed), sum_of(beside_busy or [undisturbed])
        judge(case, language, placement, [runaways], figures)
        beside = f"undisturbed {undisturbed.p99_ms:.2f} ms, of {busy.p99_ms:.2f} ms beside a process that computes"
        case.at_most_where_alone(f"{language}: others p99 at {rate:,.0f}/s, {beside}", figures.p99_ms / busy.p99_ms, 1.5, "×")


@row(11, "script loops for ever, thread")
def loops_thread(case):
    for_ever(case, "thread")


@row(11, "script loops for ever, process")
def loops_process(case):
    for_ever(case, "process")


# ---- 15 ----


@row(15, "script sleeps or blocks in C, thread")
def holds_on_in_a_thread(case):
    budget, late, wrong = 0.1, 0, []
    bodies = dict(list(HOLDS["python"].items())[:case.pick(full=99, small=2)])
    with gateway_of("python", "thread", bodies, "budget: 100ms, wait: 5s") as gateway, Lateness() as lateness, \
            hostile.Neighbour(gateway.port) as neighbour:
        for name in bodies:
            lateness.take()
            response, took = timed(gateway, name)
            late = max(late, took - budget - lateness.take())
            if (response.status, problem_code(response)) != (504, "LG3002"):
                wrong.append((name, response.status))
            while timed(gateway, name, CALM)[0].body != b"calm":  # Python that waits for the interpreter gets 503
                pass
    case.exactly("wrong answers", wrong, [])
    case.at_most("answered after the budget", late * 1000, 50, "ms")
    case.exactly("errors of others", neighbour.errors, 0)
    case.at_most_where_alone("others waited at most", neighbour.longest * 1000, 50, "ms")


@row(15, "script sleeps or blocks in C, process")
def holds_on_in_a_process(case):
    budget, late, wrong, again = 0.1, 0, [], 0
    with gateway_of("python", "process", HOLDS_FOR_EVER["python"], "budget: 100ms, instances: 1") as gateway, Lateness() as lateness:
        for name in HOLDS_FOR_EVER["python"]:
            lateness.take()
            response, took = timed(gateway, name)
            late = max(late, took - budget - lateness.take())
            if (response.status, problem_code(response)) != (504, "LG3002"):
                wrong.append((name, response.status))
            calm, took = timed(gateway, name, CALM)
            again = max(again, took - lateness.take())
            if calm.body != b"calm":
                wrong.append((name, "not calm", calm.status))
        def replaced():
            return len(re.findall("outlived its budget", gateway.log_text()))

        # A power of big integers may end from within, where it asks for memory.
        sure = len(HOLDS_FOR_EVER["python"]) - 1
        gateway.wait_for(lambda: replaced() >= sure, "line about every process that was killed")
    case.exactly("wrong answers", wrong, [])
    case.at_most("answered after the budget", late * 1000, 60, "ms")
    case.at_least("processes killed", replaced(), sure)
    case.at_most_where_alone("the next call is answered after", again * 1000, 150, "ms")


# What a script can wait by, and where a blocking function would be.
WAITS = {"lua": "lingate.sleep(0.3)", "js": "lingate.sleep(0.3);"}


@row(15, "script waits inline")
def waits_inline(case):
    longest, reached = 0, []
    for language in WAITS:
        escapes = {s.name: s.body for s in hostile.scripts(language, "inline") if s.kind.name == "escape"}
        bodies = {"waits": WAITS[language], **escapes}
        with gateway_of(language, "inline", bodies, "budget: 100ms", workers=1) as gateway, hostile.Neighbour(gateway.port) as neighbour:
            response, took = timed(gateway, "waits")
            longest = max(longest, neighbour.take())
            case.exactly(f"{language}: lingate.sleep(0.3) inline", (response.status, took >= 0.3), (200, True))
            reached += [name for name in escapes if timed(gateway, name)[0].body == b"got out"]
    case.at_most("a neighbour waits meanwhile, at most", longest * 1000, 100, "ms")
    case.exactly("functions of system, files or processes within reach", reached, [])
    config = ('version: 1\nlisten: [{address: 127.0.0.1:0}]\nroutes: [{match: {path: "/*"}, respond: {status: 200}, '
              'chain: [script: {file: a.py, isolation: inline}]}]\n')
    code, out, err = run_cli("check", "gw.yaml", files={"gw.yaml": config, "a.py": script("python", "pass")})
    case.exactly("`check` of inline Python: exit code, warns", (code, "warning" in out + err), (0, True))


# ---- the table of hostile scripts ----


@row("hostile", "scripts that mean no good")
def hostile_table(case):
    calls, wrong, deaths, over, worst, errors = 0, [], 0, 0, {p: 0 for p in PLACEMENTS}, 0
    for language in LANGUAGES:
        for placement in PLACEMENTS:
            chosen = hostile.scripts(language, placement)
            placed = hostile.run_all(language, placement, chosen[::case.pick(full=1, small=9)])
            calls += len(placed.findings)
            wrong += [(language, placement, f.script.route, *f.faults) for f in placed.findings if f.faults]
            deaths += sum(f.died for f in placed.findings)
            over = max([over, *(f.seconds - f.bound + GRACE[placement] for f in placed.findings if not f.excused)])
            errors += placed.errors
            if not (language == "python" and placement == "inline"):
                worst[placement] = max(worst[placement], placed.p99_ms)
    case.at_least("hostile scripts × placements", calls, case.pick(full=700, small=80))
    case.exactly("deaths of the gateway", deaths, 0)
    case.exactly("wrong outcomes", wrong[:5], [])
    case.at_most("answered after the budget", over * 1000, 60, "ms")
    case.exactly("errors of the neighbour", errors, 0)
    for placement in ("thread", "process"):
        case.at_most_where_alone(f"the neighbour's p99, {placement}", worst[placement], 10, "ms")
