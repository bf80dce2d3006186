"""Samples: one gateway serves one arm for a moment, and what that took it is counted."""
import json
import os
import re
import subprocess
import time
from pathlib import Path

from arms import ARMS, exchange, prove, write_request
from gateways import FOLDER, Gateway
from processes import Failed, Process, expect

WARM = 0.3  # s before each sample, at most
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
        self.process = Process([program], core, folder / "load.output", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.upstream = int(self.line().split()[1])

    def line(self):
        line = self.process.popen.stdout.readline().decode()
        expect(line, f"the load generator ended; it said: {self.process.said()}")
        return line

    def tell(self, *words):
        self.process.popen.stdin.write(" ".join(map(str, words)).encode() + b"\n")
        self.process.popen.stdin.flush()

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

    def attempt(self, arm, gateway, work):
        try:
            work(gateway, arm)
        except (Failed, OSError) as error:
            self.failures[arm, gateway.name] = re.sub(r"\s+", " ", str(error))
            self.samples.pop((arm, gateway.name), None)
            self.say(f"{arm}/{gateway.name} FAILED: {self.failures[arm, gateway.name]}")

    def prove(self):
        for gateway in self.gateways:
            try:
                gateway.start()
            except (Failed, OSError) as error:
                self.failures.update({(arm, gateway.name): str(error) for arm in gateway.description.arms})
                self.say(f"{gateway.name} FAILED: {error}")
        for arm in self.arms:
            for gateway in self.tasks(arm):
                self.attempt(arm, gateway, self.prove_one)

    def prove_one(self, gateway, arm):
        self.lengths[arm, gateway.name] = prove(gateway, arm)

    def sample(self, arm, gateway):
        self.attempt(arm, gateway, self.idle_sample if arm == "idle" else self.load_sample)

    def keep(self, arm, gateway, calls, **figures):
        self.samples.setdefault((arm, gateway.name), []).append(figures)
        self.calls[arm, gateway.name] = self.calls.get((arm, gateway.name), 0) + calls

    def words(self, arm, gateway):
        return [ARMS[arm].status, self.lengths[arm, gateway.name], write_request(gateway, arm)]

    def load_sample(self, gateway, arm):
        port, connections = gateway.port(arm), ARMS[arm].connections
        lengths = [int(1000 * each) for each in (min(WARM, self.seconds), self.seconds)]
        self.load.tell("run", port, connections, *lengths, *self.words(arm, gateway))
        expect(self.load.line() == '"warm"\n', "the load generator does not begin")
        before, load_before = gateway.process.cpu(), self.load.process.cpu()
        since, busy_before = time.monotonic(), busy(self.core)
        self.load.tell("go")
        counts = json.loads(self.load.line())
        took, was_busy = time.monotonic() - since, busy(self.core) - busy_before
        cpu, load_cpu = gateway.process.cpu_since(before), self.load.process.cpu_since(load_before)
        self.load.tell("done")
        check_counts(ARMS[arm], counts)
        self.others.append(max(0.0, was_busy - (cpu + load_cpu) / 1e9) / took)
        figures = {"p50": counts["p50"], "p99": counts["p99"]}
        if ARMS[arm].figure == "cpu":
            figures["cpu"] = cpu / counts["requests"]
        self.keep(arm, gateway, counts["requests"], **figures)

    def idle_sample(self, gateway, arm):
        """What connections hold in a process that has only just started, beyond what fifty requests on one left."""
        gateway.stop()
        gateway.start()
        request = ARMS[arm].request(gateway.host(arm))
        for _ in range(50):
            exchange(gateway.port(arm), request)
        before = gateway.process.memory()
        self.load.tell("hold", gateway.port(arm), ARMS[arm].connections, *self.words(arm, gateway))
        counts = json.loads(self.load.line())
        time.sleep(0.2)  # for what is put off until a loop is idle
        memory = gateway.process.memory() - before
        self.load.tell("done")
        check_counts(ARMS[arm], counts)
        self.keep(arm, gateway, counts["requests"], memory=memory / ARMS[arm].connections)

    def stop(self):
        for gateway in self.gateways:
            gateway.stop()
        self.load.stop()
