"""Processes on one core: started, counted in nanoseconds of processor time, and stopped as a whole, by their ids."""
import contextlib
import ctypes
import os
import random
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

PATIENCE = float(os.environ.get("LINGATE_TEST_DEADLINE", "10"))  # s, for a start and for an end
GIVEN = set()  # ports


class Failed(Exception):
    """Something did not do what it is there for; the text says what."""


def expect(condition, complaint):
    if not condition:
        raise Failed(complaint)


def free_ports(count):
    """Ports that were free a moment ago, for programs that cannot be asked which one they took. Each is given once, and
    none is from the range in which the kernel chooses for port 0: who listens with SO_REUSEPORT there would share it."""
    chosen_by_kernel = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found = []
    while len(found) < count:
        port = random.randrange(10_000, max(chosen_by_kernel, 20_000))
        if port in GIVEN:
            continue
        GIVEN.add(port)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
    return found


def listeners(port):
    """How many sockets listen on a port of 127.0.0.1."""
    wanted = f"0100007F:{port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()
    return sum(line.split()[1] == wanted and line.split()[3] == "0A" for line in lines)


def spent(before, after):
    """Nanoseconds between two answers of Process.cpu(). Threads that end take theirs along."""
    expect(before.keys() <= after.keys(), "threads ended while they were measured")
    return sum(after.values()) - sum(before.values())


class Process:
    def __init__(self, command, core, output, **options):
        def prepare():
            os.sched_setaffinity(0, {core})
            ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: ends with the runner, whatever ends that

        self.output = Path(output)
        with self.output.open("wb") as out:
            self.popen = subprocess.Popen([str(word) for word in command], start_new_session=True, preexec_fn=prepare,
                                          **{"stdout": out, "stderr": out, "stdin": subprocess.DEVNULL, **options})

    def ids(self):
        """The process and what it started: all that is in its session."""
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                state, _, _, session = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()[:4]
                if int(session) == self.popen.pid and state != "Z":
                    found.append(int(entry))
        return found

    def said(self):
        return self.output.read_text(errors="replace").strip()[-300:] or "nothing"

    def wait_until(self, ready):
        deadline = time.monotonic() + PATIENCE
        while not (found := ready()):
            expect(self.popen.poll() is None, f"ended; it said: {self.said()}")
            expect(time.monotonic() < deadline, f"does not come up; it said: {self.said()}")
            time.sleep(0.01)
        return found

    def cpu(self):
        """Processor time of every thread so far, in ns."""
        times = {}
        for process in self.ids():
            for task in Path(f"/proc/{process}/task").iterdir():
                times[task.name] = int((task / "schedstat").read_text().split()[0])
        return times

    def memory(self):
        """Bytes; pages that several processes share count in parts."""
        found = [re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{process}/smaps_rollup").read_text(), re.M)
                 for process in self.ids()]
        return sum(int(each[1]) for each in found if each) * 1024

    def stop(self):
        for how in (signal.SIGTERM, signal.SIGKILL):
            for process in self.ids():
                with contextlib.suppress(OSError):
                    os.kill(process, how)
            deadline = time.monotonic() + 2
            while self.ids() and time.monotonic() < deadline:
                self.popen.poll()
                time.sleep(0.01)
        self.popen.wait()
