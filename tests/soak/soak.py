#!/usr/bin/env python3
"""Steady requests and random faults for as long as asked; see README.md.

    soak.py MINUTES [--seed N] [--rate N] [--samples FILE]
"""
import argparse
import collections
import os
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "faults")]
import faults as made  # noqa: E402
import operator_faults as operated  # noqa: E402
import gateway as setup  # noqa: E402
from others import Others  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from surroundings import Surroundings  # noqa: E402

OTHERS = ("/others/fixed", "/others/ok", "/others/scripted")
OTHERS_OF_SECOND = ("/others/fixed", "/others/limited")
AT_ONCE = 4              # faults
SAMPLE_EVERY = 2         # seconds
AVAILABILITY = 0.99999
# Between the second third and the last, in what is held at quiet moments: a part, and so much beside it.
MAY_GROW = {"memory": (0.05, 2**20), "descriptors": (0.05, 20), "threads": (0, 0)}
ENOUGH_SAMPLES = 60
MAY_CLIMB = 2**20        # bytes an hour, in the same floors
LONG_ENOUGH = 50 * 60    # seconds; in less, garbage that waits to be collected is more than what an hour may add


class Origin:
    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, str(HERE / "origin.py")], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def own_bytes(pid):
    try:
        return int(re.search(r"^RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)[1]) * 1024
    except (OSError, TypeError):  # it has just ended
        return 0


class Samples(threading.Thread):
    """Memory of the gateway and of its workers, its descriptors and threads, every two seconds; `memory` is the sum."""

    def __init__(self, gateway):
        super().__init__(daemon=True)
        self.gateway, self.ended = gateway, threading.Event()
        self.seen = {"memory": [], "descriptors": [], "threads": []}
        self.own = []  # memory without the workers'

    def run(self):
        pid = self.gateway.pid
        while not self.ended.wait(SAMPLE_EVERY):
            self.own.append(own_bytes(pid))
            self.seen["memory"].append(self.own[-1] + sum(map(own_bytes, made.children(pid))))
            self.seen["descriptors"].append(len(os.listdir(f"/proc/{pid}/fd")))
            self.seen["threads"].append(len(os.listdir(f"/proc/{pid}/task")))


def write(path, samples):
    with open(path, "w") as file:
        print("gateway,second,memory,own,descriptors,threads", file=file)
        for which, each in samples.items():
            for k, row in enumerate(zip(each.seen["memory"], each.own, each.seen["descriptors"], each.seen["threads"])):
                print(which, k * SAMPLE_EVERY, *row, sep=",", file=file)


def floor_of(values):
    """What is held at quiet moments: the lowest tenth. Peaks are requests in flight."""
    return sorted(values)[len(values) // 10]


class Chaos:
    def __init__(self, gateway, faults, seed, until):
        self.gateway, self.faults, self.until = gateway, faults, until
        self.lock = threading.Lock()
        self.done, self.odd = collections.Counter(), []
        self.threads = [threading.Thread(target=self.run, args=(random.Random(f"{seed}-{k}"),), daemon=True) for k in range(AT_ONCE)]

    def run(self, rng):
        while time.monotonic() < self.until:
            fault = rng.choice(self.faults)
            try:
                fault(self.gateway, rng)
                self.note(fault.__name__)
            except made.Odd as odd:
                self.note(fault.__name__, str(odd))
            except (OSError, EOFError) as error:
                self.note(fault.__name__, f"{fault.__name__}: {error!r}" if fault is not made.client_vanishes else None)
            time.sleep(rng.random() / 5)  # faults come now and then

    def note(self, name, odd=None):
        with self.lock:
            self.done[name] += 1
            if odd:
                self.odd.append(odd)


def climb(values):
    """Bytes an hour, after a first third in which all becomes warm: the slope between the floors of each minute (Theil and Sen)."""
    minute = 60 // SAMPLE_EVERY
    warm = values[len(values) // 3:]
    floors = [floor_of(warm[k:k + minute]) for k in range(0, len(warm) - minute + 1, minute)]
    return statistics.median((after - before) / (j - i) * 60
                             for i, before in enumerate(floors) for j, after in enumerate(floors) if i < j)


def verdict(held, text):
    print(f"  {'held' if held else 'NOT HELD':9} {text}", flush=True)
    return held


def flat(title, name, values):
    third = len(values) // 3
    before, after = floor_of(values[third:2 * third]), floor_of(values[2 * third:])
    unit = (lambda v: f"{v / 2**20:.1f} MiB") if name == "memory" else str
    part, beside = MAY_GROW[name]
    enough = len(values) >= ENOUGH_SAMPLES
    return verdict(not enough or after <= before * (1 + part) + beside,
                   f"{title}: {unit(before)} in the second third, {unit(after)} in the last; at most {unit(max(values))}"
                   + ("" if enough else " (too short to tell)"))


def steady(title, values):
    slope = climb(values)
    return verdict(slope < MAY_CLIMB, f"{title}: memory climbs by {slope / 2**20:+.2f} MiB an hour")


def judge(others, chaos, samples, log):
    held = []
    answers = sum(each.figures.answers for each in others)
    errors = sum(each.figures.errors for each in others)
    worst = max(each.figures.p99_ms for each in others)
    held.append(verdict(answers > 0 and errors <= answers * (1 - AVAILABILITY),
                        f"{answers:,} other requests, {errors} failed; worst p99 {worst:.1f} ms"))
    for each in others:
        if each.figures.fault:
            print(f"            first: {each.figures.fault}")
    kinds = ", ".join(f"{name} {count}" for name, count in sorted(chaos.done.items()))
    held.append(verdict(not chaos.odd, f"{sum(chaos.done.values()):,} faults, {len(chaos.odd)} answered wrongly: {kinds}"))
    for odd, count in collections.Counter(chaos.odd).most_common(5):
        print(f"            {count} times {odd}")
    for which, each in samples.items():
        held += [flat(f"{which}, {name}", name, values) for name, values in each.seen.items()]
        if len(each.seen["memory"]) * SAMPLE_EVERY >= LONG_ENOUGH:
            held.append(steady(which, each.seen["memory"]))
    reports = [line for line in log if "Sanitizer" in line or "runtime error:" in line]
    held.append(verdict(not reports, f"{len(reports)} reports of sanitizers" if reports else "no report of a sanitizer"))
    return all(held)


def main():
    parser = argparse.ArgumentParser(description="steady requests and random faults, and a verdict")
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", default=str(int(time.time())))
    parser.add_argument("--rate", type=float, default=200, help="of each kind of other requests, per second")
    parser.add_argument("--samples", help="a file that every sample is written to, as CSV")
    options = parser.parse_args()
    seconds = int(options.minutes * 60)
    print(f"soak of {options.minutes:g} minutes, --seed {options.seed}", flush=True)
    with Origin() as origin, Surroundings() as world:
        gateway = Gateway(*setup.configuration(origin.port), env=world.env)
        with gateway:
            samples = {"gateway": Samples(gateway), "the one with Redis": Samples(world.second)}
            faults = made.FAULTS + operated.FAULTS + world.faults
            chaos = Chaos(gateway, faults, options.seed, time.monotonic() + seconds)
            # Connections that never get more, however late the machine is: theirs are descriptors of the gateways.
            others = [Others(port, path, options.rate, seconds, connections=48, growth=1)
                      for port, paths in ((gateway.port, OTHERS), (world.second.port, OTHERS_OF_SECOND)) for path in paths]
            for each in others:
                each.__enter__()
            for each in (*samples.values(), *chaos.threads):
                each.start()
            for each in others:
                each.__exit__(None, None, None)
            for thread in chaos.threads:
                thread.join()
            for each in samples.values():
                each.ended.set()
            workers = made.children(gateway.pid)
            text = gateway.log_lines() + world.second.log_lines()
        left = [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    if options.samples:
        write(options.samples, samples)
    good = judge(others, chaos, samples, text)
    good &= verdict(not left, f"it ended with 0, and {len(left)} of {len(workers)} worker processes are left")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
