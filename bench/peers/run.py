#!/usr/bin/env python3
"""Compares lingate with nginx, njs and HAProxy from Debian's packages, and with itself, on this machine.

    run.py [--lingate PROGRAM] [--only header,bare] [--reps 5] [--seconds 1.2] [-o peers.json] [--html peers.html]

README.md says what is measured and how to read it. Exit codes: 0; 1 an arm failed; 2 wrong usage.
"""
import argparse
import json
import os
import random
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.dont_write_bytecode = True
from arms import ARMS  # noqa: E402
from gateways import FOLDER, PEERS, lingates  # noqa: E402
from measure import Bench, load_program  # noqa: E402
from processes import Failed  # noqa: E402
from record import machine, record  # noqa: E402
from targets import INSIDE, outcomes, table  # noqa: E402

INSIDE_ARMS = {"echo": "/empty", "live": "inline/live"}  # what `--only` takes them
OPEN_FILES = 20000
TOGETHER = ("bare", "header")  # a share is their difference: the closer in time, the less noise is in it
BUSY = 0.05  # share of the core that others had


def say(text):
    print(text, file=sys.stderr, flush=True)


def present(peers):
    """Those that are installed; says what the others need."""
    missing = sorted({package for each in peers for package in each.missing()})
    if missing:
        absent = ", ".join(each.name for each in peers if each.missing())
        say(f"without {absent}; to have all: apt-get install --no-install-recommends {' '.join(missing)}")
    return [each for each in peers if not each.missing()]


def measure(bench, reps):
    """Sweeps over all arms, in an order of chance; those who serve an arm take turns."""
    groups = [[arm for arm in bench.arms if arm in TOGETHER],
              *([arm] for arm in bench.arms if arm not in TOGETHER and arm != "idle")]
    for rep in range(reps):
        say(f"sweep {rep + 1} of {reps}")
        for group in random.sample(groups, len(groups)):
            bench.sample([(arm, gateway) for arm in group for gateway in bench.tasks(arm)])
    for rep in range(reps if "idle" in bench.arms else 0):
        say(f"idle connections {rep + 1} of {reps}")
        for gateway in bench.tasks("idle"):
            bench.sample_idle(gateway)


def measure_inside(options, core, folder, failures):
    """Rows of the arms that need no sockets, measured by lingate itself."""
    arms = [arm for arm in options.only if arm in INSIDE]
    if not arms:
        return []
    say("inside the program")
    only = [word for arm in arms for word in ("--only", INSIDE_ARMS[arm])]
    seconds = str(max(2, round(3 * options.reps * options.seconds)))
    path = folder / "inside.json"
    done = subprocess.run([options.lingate, "bench", "runtimes", "--no-curves", "--seconds", seconds, "-o", path, *only],
                          capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    if done.returncode != 0:
        failures.update({(arm, "lingate"): done.stderr.strip() for arm in arms})
        return []
    return json.loads(path.read_text())["rows"]


def warn_of_others(bench):
    disturbed = sum(each > BUSY for each in bench.others)
    if disturbed > len(bench.others) / 10:
        say(f"others had more than {BUSY:.0%} of the core in {disturbed} of {len(bench.others)} samples: better run it again")


def values_of(bench, inside):
    def values(arm, gateway, figure):
        if arm in INSIDE:
            return next((row["figures"][figure]["samples"] for row in inside if row["name"] == gateway), [])
        return [each[figure] for each in bench.samples.get((arm, gateway), [])]
    return values


def parse(words):
    every = [*ARMS, *INSIDE]

    def names(text):
        chosen = [each for each in text.split(",") if each]
        if unknown := sorted(set(chosen) - set(every)):
            raise argparse.ArgumentTypeError(f"no arm is called {', '.join(unknown)}; there are {', '.join(every)}")
        return chosen

    parser = argparse.ArgumentParser(prog="peers", description=__doc__.split("\n")[0])
    built = FOLDER.parents[1] / "build/lingate"
    parser.add_argument("--lingate", type=Path, default=built, help="build/lingate if not told")
    parser.add_argument("--only", type=names, default=every, metavar="ARM,…", help=", ".join(every))
    parser.add_argument("--alone", action="store_true", help="lingate without its peers")
    parser.add_argument("--reps", type=int, default=5, help="samples of each; 5 if not told")
    parser.add_argument("--seconds", type=float, default=1.2, help="of each sample; 1.2 if not told")
    parser.add_argument("--core", type=int, help="which core all runs on; the last if not told")
    parser.add_argument("-o", "--out", type=Path, help="write the record, for lingate bench report and compare")
    parser.add_argument("--html", type=Path, help="write the report, one page that needs nothing else")
    options = parser.parse_args(words)
    if options.reps < 1 or options.seconds <= 0:
        parser.error("--reps and --seconds are more than nothing")
    if not os.access(options.lingate, os.X_OK):
        parser.error(f"there is no {options.lingate}: build it first (./dev build), or name one by --lingate")
    if options.core not in (None, *os.sched_getaffinity(0)):
        parser.error(f"there is no core {options.core} here")
    options.lingate = options.lingate.resolve()
    return options


def place_on_cores(wanted):
    """The core that all is measured on; the runner itself stays off it where there is another."""
    cores = sorted(os.sched_getaffinity(0))
    core = cores[-1] if wanted is None else wanted
    os.sched_setaffinity(0, set(cores) - {core} or {core})
    return core


def compare(options, folder):
    core = place_on_cores(options.core)
    descriptions = lingates(options.lingate) + ([] if options.alone else present(PEERS))
    arms = [arm for arm in options.only if arm in ARMS]
    bench = Bench(descriptions, arms, options.seconds, core, folder, load_program(options.lingate, folder), say)
    try:
        say("does every arm do its job?")
        bench.prove()
        measure(bench, options.reps)
    finally:
        bench.stop()
    warn_of_others(bench)
    inside = measure_inside(options, core, folder, bench.failures)
    found = list(outcomes(values_of(bench, inside)))
    settings = {"sweeps": str(options.reps), "sample": f"{options.seconds:g} s", "core": str(core),
                "others on the core": f"{median(bench.others or [0]):.0%}, at most {max(bench.others, default=0):.0%}"}
    settings |= {f"failed: {arm}/{name}": why for (arm, name), why in bench.failures.items()}
    command = shlex.join(["bench/peers/run.py", *sys.argv[1:]])
    return found, bench, record(bench, inside, found, command, machine(options.lingate, descriptions), settings)


def write(options, made, folder):
    out = options.out or folder / "peers.json"
    out.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")
    if options.html:
        words = [options.lingate, "bench", "report", out, "-o", options.html]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def main():
    os.environ["PATH"] += ":/usr/sbin:/sbin"  # where Debian keeps servers
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = parse(sys.argv[1:])
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, OPEN_FILES), most))
    try:
        with tempfile.TemporaryDirectory(prefix="lingate-peers-") as name:
            found, bench, made = compare(options, Path(name))
            print(table(found), end="")
            write(options, made, Path(name))
    except (Failed, subprocess.CalledProcessError) as error:
        sys.exit(f"peers: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    for (arm, gateway), why in bench.failures.items():
        print(f"FAILED {arm}/{gateway}: {why}")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
