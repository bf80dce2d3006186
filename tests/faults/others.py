"""Requests beside a fault, from a process of their own (others.cpp): what they see is what the fault does to others."""
import contextlib
import json
import os
import statistics
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

PROGRAM = os.environ.get("FAULTS_OTHERS", str(Path(__file__).resolve().parents[2] / "build" / "tests" / "faults" / "others"))


def come_first(pid):
    """Before whatever else wants its core; needs the right to (root), and goes without."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, pid, -20)


@dataclass
class Figures:
    answers: int
    errors: int
    rate: float
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    fault: str


class Others:
    """Runs for `seconds`; `with` waits until it has begun, and for its end.

        with Others(gateway.port, "/others", rate=1000, seconds=5) as others:
            ...  # the fault
        others.figures.errors
    """

    def __init__(self, port, path="/others", rate=1000, seconds=5, connections=16, growth=8, measures=True):
        self.command = [PROGRAM, f"http://127.0.0.1:{port}{path}", str(rate), str(connections), str(seconds), str(growth)]
        self.figures, self.measures = None, measures

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        if self.measures:
            come_first(self.process.pid)
        if self.process.stdout.readline() != "begun\n":
            raise AssertionError("the other requests did not begin")
        return self

    def __exit__(self, *_):
        output, _ = self.process.communicate()
        self.figures = Figures(**json.loads(output))

    def end(self):
        """Before its time, without figures."""
        self.process.kill()
        self.process.communicate()


def run_others(port, path="/others", rate=1000, seconds=5, connections=16):
    """The same without a fault, or (rate 0) what the machine can hold."""
    with Others(port, path, rate, seconds, connections) as others:
        pass
    return others.figures


def seventy_percent(port, path="/others", seconds=2):
    """The rate that is 70 % of what gateway and clients together can do on this machine."""
    return 0.7 * run_others(port, path, 0, seconds, 64).rate


def of_quiet_rounds(values):
    """The median of the lower half. What else the host of a virtual machine does only ever adds to a tail, here some ms in
    some rounds: the rounds that it leaves alone say what a fault does."""
    values = sorted(values)
    return statistics.median(values[:(len(values) + 1) // 2])


def sum_of(runs):
    """All answers and errors of several runs, and the p99 of the quiet ones."""
    total = replace(runs[0])
    total.p99_ms = of_quiet_rounds(each.p99_ms for each in runs)
    total.answers, total.errors = (sum(getattr(each, name) for each in runs) for name in ("answers", "errors"))
    total.fault = next((each.fault for each in runs if each.fault), "")
    return total


def in_rounds(port, rate, rounds, path="/others", seconds=1):
    return [run_others(port, path, rate, seconds) for _ in range(rounds)]


def p99_in_turns(port, rate, rounds, begin, end, path="/others", seconds=1):
    """(undisturbed, beside the fault), in turns: what the machine does meanwhile is in both."""
    calm, beside = [], []
    for _ in range(rounds):
        calm.append(run_others(port, path, rate, seconds))
        begin()
        beside.append(run_others(port, path, rate, seconds))
        end()
    return sum_of(calm), sum_of(beside)
