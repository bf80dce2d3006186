"""The record of a run, as `lingate bench report` and `compare` read it (gateway/bench/README.md, "The file")."""
import os
import random
import re
import subprocess
import time
from pathlib import Path
from statistics import median

from measure import UNITS

RESAMPLES = 2000


def figure(samples, unit):
    """The median, and where 95 % of the medians of resampled samples lie."""
    chance = random.Random(1)
    medians = sorted(median(chance.choices(samples, k=len(samples))) for _ in range(RESAMPLES))
    return {"unit": unit, "median": median(samples), "low": medians[int(RESAMPLES * 0.025)],
            "high": medians[int(RESAMPLES * 0.975)], "samples": samples}


def row(name, runtime, job, calls, figures):
    return {"name": name, "runtime": runtime, "placement": "", "job": job, "calls": calls, "errors": 0, "figures": figures}


def measured_row(bench, arm, gateway):
    samples = bench.samples[arm, gateway]
    figures = {name: figure([each[name] for each in samples], UNITS[name]) for name in samples[0]}
    return row(f"{arm}/{gateway}", gateway, arm, bench.calls[arm, gateway], figures)


def target_row(outcome):
    """`value` and `reference` are medians of what was measured, `ratio` is judged, `bar` and `goal` are what it must not
    exceed; where there is no reference the value itself is judged."""
    target = outcome.target
    figures = {"value": figure(outcome.ours, target.unit)}
    if outcome.theirs:
        figures["reference"] = figure(outcome.theirs, target.unit)
    if outcome.ratios:
        figures["ratio"] = figure(outcome.ratios, "×")
    for name, limit in (("bar", target.bar), ("goal", target.goal)):
        if limit is not None:
            figures[name] = figure([limit], "×" if target.theirs else target.unit)
    name = target.name.strip() + (f" ÷ {target.theirs}" if target.theirs else "")
    return row(name, target.theirs, "targets", 0, figures)


def value_of(path, pattern):
    found = re.search(pattern, Path(path).read_text(), re.M)
    return found[1] if found else "unknown"


def versions(descriptions):
    packages = sorted({package for each in descriptions for package in each.needs.values()})
    if not packages:
        return {}
    said = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages], capture_output=True, text=True)
    return dict(line.split(" ", 1) for line in said.stdout.splitlines())


def machine(lingate, descriptions):
    guest = "hypervisor" in value_of("/proc/cpuinfo", r"^flags\s*:(.*)")
    kernel = os.uname()
    facts = {"processor": f"{value_of('/proc/cpuinfo', r'^model name.*?: (.*)')}, {os.cpu_count()} online",
             "machine": "virtual" if guest else "bare metal",
             "memory": f"{int(value_of('/proc/meminfo', r'^MemTotal: *(.*) kB')) / (1 << 20):.1f} GiB",
             "kernel": f"{kernel.sysname} {kernel.release}",
             "lingate": subprocess.run([lingate, "version"], capture_output=True, text=True).stdout.split("\n")[0]}
    return {**facts, **versions(descriptions)}


def record(bench, inside, found, command, machine_facts, settings):
    rows = [measured_row(bench, arm, each.name) for arm in bench.arms for each in bench.gateways
            if (arm, each.name) in bench.samples]
    rows += inside + [target_row(each) for each in found]
    return {"schema": "lingate-bench/1", "kind": "peers", "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "command": command, "machine": machine_facts, "settings": settings, "rows": rows, "curves": []}
