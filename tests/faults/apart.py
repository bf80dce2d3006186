"""The gateway and those who ask it stand for different machines, and share this one's cores. Where a ratio of latencies is
held against a figure, the gateway gets a core and whoever asks gets another, on which those who measure come first:
otherwise what is measured is who waits for whom on this side.

    with Gateway(CONFIG) as gateway, apart(gateway, case.full):
        ...
"""
import contextlib
import os
from pathlib import Path

from others import run_others, seventy_percent


def keep_on(pid, core):
    """The process, and what it starts from now on."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), {core})


@contextlib.contextmanager
def apart(gateway, wanted=True):
    """The calling thread, and what it starts inside the block, keeps off the gateway's core. With one core there is nothing
    to do."""
    cores = sorted(os.sched_getaffinity(0))
    if not wanted or len(cores) < 2:
        yield
        return
    keep_on(gateway.process.pid, cores[0])
    os.sched_setaffinity(0, {cores[1]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, set(cores))


def busy_seconds(pid):
    """Of processors, by all its threads."""
    seconds = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):
            seconds += int((task / "schedstat").read_text().split()[0]) / 1e9
    return seconds


def rate_of_seventy_percent(gateway):
    """The rate that takes 70 % of the gateway's core. A closed loop alone does not tell: its requests come in bunches, which
    cost less than the same number that come one by one."""
    rate, seconds = seventy_percent(gateway.port), 2
    before = busy_seconds(gateway.process.pid)
    run_others(gateway.port, rate=rate, seconds=seconds)
    used = (busy_seconds(gateway.process.pid) - before) / seconds
    return rate * min(1.0, 0.7 / used)
