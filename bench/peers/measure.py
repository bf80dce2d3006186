"""Samples: gateways serve arms in turns, and what that took each of them is counted."""
import json
import os
import random
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from arms import ARMS, exchange, prove, write_request
from gateways import FOLDER, Gateway
from processes import Failed, Process, expect, spent

WARM = 0.3  # s before each sample, at most
SLICE = 0.05  # s that one gateway serves an arm, before the next of those that are compared has its turn
UNITS = {"cpu": "ns", "p50": "ns", "p99": "ns", "memory": "B"}


def load_program(lingate, folder):
    """The one beside this lingate in its build, or one compiled for now."""
    built = Path(lingate).resolve().parent / "bench" / "peers_load"
    changed = max((FOLDER / name).stat().st_mtime for name in ("load.cpp", "message.h", "counts.h"))
    if built.exists() and built.stat().st_mtime >= changed:
        return built
    made = folder / "load"
    subprocess.run(["g++", "-std=c++20", "-O2", f"-I{FOLDER.parents[1]}", "-o", made, FOLDER / "load.cpp"], check=True)
    return made


class Load:
    """Clients and upstream (load.cpp)."""

    def __init__(self, program, core, folder):
        self.jobs = 0
        self.process = Process([program], core, folder / "load.output", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.upstream = int(self.line().split()[1])

    def line(self):
        line = self.process.popen.stdout.readline().decode()
        expect(line, f"the load generator ended; it said: {self.process.said()}")
        return line

    def tell(self, *words):
        self.process.popen.stdin.write(" ".join(map(str, words)).encode() + b"\n")
        self.process.popen.stdin.flush()

    def open(self, *words):
        """The job's number."""
        job, self.jobs = self.jobs, self.jobs + 1
        self.tell("open", *words)
        expect(self.line() == '"warm"\n', "the load generator does not begin")
        return job

    def go(self, job, milliseconds):
        self.tell("go", job, milliseconds)
        expect(self.line() == '"went"\n', "the load generator does not go on")

    def counts(self, *words):
        self.tell(*words)
        return json.loads(self.line())

    def close(self):
        self.jobs = 0
        self.tell("close")

    def stop(self):
        self.process.stop()
        self.process.popen.stdin.close()
        self.process.popen.stdout.close()


def busy(core):
    """Seconds in which a core was not idle."""
    ticks = [int(x) for x in re.search(rf"^cpu{core} (.*)", Path("/proc/stat").read_text(), re.M)[1].split()]
    return (sum(ticks[:3]) + sum(ticks[5:8])) / os.sysconf("SC_CLK_TCK")


def check_counts(arm, counts):
    expect(counts["requests"] > 0, "not one request was answered")
    expect(counts["lost"] == 0, f"{counts['lost']} connections or answers were lost")
    expect(counts["wrong"] == 0, f"{counts['wrong']} of {counts['requests']} responses were wrong: {counts['said']}")
    wanted = counts["requests"] if arm.forwarded else 0
    expect(counts["served"] == wanted, f"{counts['served']} requests reached the upstream, not {wanted}")


@dataclass(eq=False)
class Run:
    """One gateway that serves one arm, for one sample."""
    arm: str
    gateway: Gateway
    job: int = 0  # of the load generator
    cpu: int = 0  # ns


class Meter:
    """Whose the processor time of one gateway is: that of the run which had the last turn. What a gateway does after its
    requests, as collecting garbage, is theirs."""

    def __init__(self, process):
        self.process, self.run, self.total = process, None, 0
        self.times = process.cpu()

    def turn(self, run=None):
        now = self.process.cpu()
        took = spent(self.times, now)
        self.times = now
        self.total += took
        if self.run:
            self.run.cpu += took
        self.run = run


class Bench:
    """The gateways, the proofs that they gave, and their samples. A gateway that fails an arm once is out of it."""

    def __init__(self, descriptions, arms, seconds, core, folder, program, say):
        self.arms, self.seconds, self.core, self.say = arms, seconds, core, say
        self.load = Load(program, core, folder)
        self.gateways = [Gateway(each, folder, core, self.load.upstream) for each in descriptions
                         if set(each.arms) & set(arms)]
        self.lengths = {}  # (arm, gateway): bytes of the response's body
        self.samples = {}  # (arm, gateway): [{figure: value}]
        self.calls = {}
        self.failures = {}
        self.others = []  # share of the core that neither gateway nor load had

    def tasks(self, arm):
        """Who serves it, and has not failed."""
        return [each for each in self.gateways if arm in each.description.arms and (arm, each.name) not in self.failures]

    def attempt(self, arm, gateway, work, *args):
        """Whether it went well."""
        try:
            work(*args)
            return True
        except (Failed, OSError) as error:
            self.failures[arm, gateway.name] = re.sub(r"\s+", " ", str(error))
            self.samples.pop((arm, gateway.name), None)
            self.say(f"{arm}/{gateway.name} FAILED: {self.failures[arm, gateway.name]}")
            return False

    def prove(self):
        for gateway in self.gateways:
            try:
                gateway.start()
            except (Failed, OSError) as error:
                self.failures.update({(arm, gateway.name): str(error) for arm in gateway.description.arms})
                self.say(f"{gateway.name} FAILED: {error}")
        for arm in self.arms:
            for gateway in self.tasks(arm):
                self.attempt(arm, gateway, self.prove_one, gateway, arm)

    def prove_one(self, gateway, arm):
        self.lengths[arm, gateway.name] = prove(gateway, arm)

    def sample(self, tasks):
        """One sample of each (arm, gateway). They take turns for a slice of time, so that what the machine does meanwhile
        is done to all."""
        runs = self.each([Run(arm, gateway) for arm, gateway in tasks], self.open)
        meters = {gateway: Meter(gateway.process) for _, gateway in tasks}
        load, since, busy_before = self.load.process.cpu(), time.monotonic(), busy(self.core)
        for _ in range(max(1, round(self.seconds / SLICE))):
            runs = self.each(random.sample(runs, len(runs)), self.slice, meters)
        for meter in meters.values():
            meter.turn()
        took, was_busy = time.monotonic() - since, busy(self.core) - busy_before
        ours = spent(load, self.load.process.cpu()) + sum(meter.total for meter in meters.values())
        self.others.append(max(0.0, was_busy - ours / 1e9) / took)
        self.each(runs, self.end)
        self.load.close()

    def each(self, runs, work, *args):
        """Those with which it went well."""
        return [run for run in runs if self.attempt(run.arm, run.gateway, work, run, *args)]

    def open(self, run):
        warm = int(1000 * min(WARM, self.seconds))
        run.job = self.load.open(run.gateway.port(run.arm), ARMS[run.arm].connections, warm, *self.words(run.arm, run.gateway))

    def slice(self, run, meters):
        meters[run.gateway].turn(run)
        self.load.go(run.job, int(1000 * SLICE))
        run.gateway.empty_log()

    def end(self, run):
        counts = self.load.counts("tell", run.job)
        check_counts(ARMS[run.arm], counts)
        figures = {"p50": counts["p50"], "p99": counts["p99"]}
        if ARMS[run.arm].figure == "cpu":
            figures["cpu"] = run.cpu / counts["requests"]
        self.keep(run.arm, run.gateway, counts["requests"], **figures)

    def keep(self, arm, gateway, calls, **figures):
        self.samples.setdefault((arm, gateway.name), []).append(figures)
        self.calls[arm, gateway.name] = self.calls.get((arm, gateway.name), 0) + calls

    def words(self, arm, gateway):
        return [ARMS[arm].status, self.lengths[arm, gateway.name], write_request(gateway, arm)]

    def sample_idle(self, gateway):
        self.attempt("idle", gateway, self.idle_sample, gateway, "idle")

    def idle_sample(self, gateway, arm):
        """What connections hold in a process that has only just started, beyond what fifty requests on one left."""
        gateway.stop()
        gateway.start()
        request = ARMS[arm].request(gateway.host(arm))
        for _ in range(50):
            exchange(gateway.port(arm), request)
        before = gateway.process.memory()
        counts = self.load.counts("hold", gateway.port(arm), ARMS[arm].connections, *self.words(arm, gateway))
        time.sleep(0.2)  # for what is put off until a loop is idle
        memory = gateway.process.memory() - before
        self.load.close()
        check_counts(ARMS[arm], counts)
        self.keep(arm, gateway, counts["requests"], memory=memory / ARMS[arm].connections)

    def stop(self):
        for gateway in self.gateways:
            gateway.stop()
        self.load.stop()
