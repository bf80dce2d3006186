"""Rows 8 and 9: the store's disk is full, broken or read-only; the gateway is killed while it writes."""
import errno
import os
import random
import subprocess
import threading
import time

from shim import Shim
from support.admin import Admin
from support.gateway import Gateway
from support.wire import ask, request_bytes
from table import row

CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
admin: {address: 127.0.0.1:0, token: {file: admin.token}}
store: {path: data}
routes:
  - {name: mine, match: {path: /mine}, chain: [key-auth], respond: {status: 200}}
"""
TOKEN = "row8-" + "t" * 40


def gateway(env=None):
    made = Gateway(CONFIG, {"admin.token": TOKEN + "\n"}, env=env)
    (made.dir / "admin.token").chmod(0o600)
    (made.dir / "data").mkdir(mode=0o700)
    return made


class Asking(Admin):
    """Its token is one that the test has chosen."""

    def __init__(self, gw):
        self.port, self.token = gw.admin_port, TOKEN


def make_key(admin, size=1):
    """(status, key, code): of a session whose metadata has `size` bytes."""
    status, made = admin.ask("POST", "/keys", {"metadata": {"text": "x" * size}})
    return status, made.get("key"), made.get("code")


def opens(gw, key):
    return ask(gw.port, request_bytes(target="/mine", headers=[("X-Api-Key", key)])).status == 200


def until(condition, most=10):
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > most:
            raise AssertionError(f"not within {most} s")
        time.sleep(0.005)
    return time.monotonic() - began


def refuses_and_heals(case, name, gw, word, begin, end):
    """The figures of one fault of the store: `begin` makes it, `end` takes its cause away."""
    admin = Asking(gw)
    kept = [make_key(admin)[1] for _ in range(20)]
    begin(admin, kept)
    refused = [make_key(admin, 2000) for _ in range(20)]
    case.exactly(f"{name}: writes", {(status, code) for status, _, code in refused}, {(503, "LG5101")})
    case.exactly(f"{name}: keys that are there and open nothing", sum(not opens(gw, key) for key in kept), 0)
    lines = [line for line in gw.log_lines() if word in line]
    case.at_least(f"{name}: lines of the log that name it", len(lines), 1)
    end()
    made = []

    def writes():
        made[:] = [make_key(admin)]
        return made[0][0] == 201

    case.at_most(f"{name}: writes go on, after its cause is gone", until(writes), 2, "s")
    kept.append(made[0][1])
    gw.stop()
    gw.start()
    case.exactly(f"{name}: acknowledged keys that are lost", sum(not opens(gw, key) for key in kept), 0)


@row(8, "store: disk full")
def disk_full(case):
    gw = gateway()
    data = gw.dir / "data"
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "lingate-test", str(data)]
    if os.geteuid() != 0 or subprocess.run(mount, stderr=subprocess.DEVNULL).returncode != 0:  # nor may root in a container
        return case.exactly("a small disk may not be mounted here: skipped", "skipped", "skipped")
    filler = data / "filler"

    def fill(admin, kept):
        with open(filler, "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC, error
        for _ in range(500):  # pages that the store has left
            status, key, _ = make_key(admin, 2000)
            if status == 503:
                return
            kept.append(key)
        raise AssertionError("the disk is full, and 500 keys could still be made")

    with gw:
        try:
            refuses_and_heals(case, "full", gw, "No space left on device", fill, filler.unlink)
        finally:
            gw.stop()
            subprocess.run(["umount", "-l", str(data)], check=True)


@row(8, "store: I/O error, read-only")
def broken_disk(case):
    for name, error in (("I/O error", errno.EIO), ("read-only", errno.EROFS)):
        with Shim() as shim, gateway(shim.env) as gw:
            refuses_and_heals(case, name, gw, os.strerror(error), lambda admin, kept, e=error: shim.fail_writes(e),
                              lambda s=shim: s.fail_writes(0))


class Writers:
    """Make keys until the gateway is gone; `acknowledged` is what it said yes to."""

    def __init__(self, gw, count=4):
        self.acknowledged = []
        self.threads = [threading.Thread(target=self._write, args=(Asking(gw),)) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def _write(self, admin):
        while True:
            try:
                status, key, _ = make_key(admin)
            except Exception:  # however an answer looks that is cut
                return
            if status == 201:
                self.acknowledged.append(key)

    def join(self):
        for thread in self.threads:
            thread.join()
        return self.acknowledged


def kill(gw):
    gw.process.kill()
    gw.process.wait()
    for reader in gw._readers:
        reader.join()
    gw.process.stdout.close()
    gw.process.stderr.close()


@row(9, "SIGKILL during store writes")
def killed_while_it_writes(case):
    rounds, lost, slowest, total, choose = case.pick(full=200, small=8), 0, 0.0, 0, random.Random(9)
    with gateway() as gw:
        keys = []
        for _ in range(rounds):
            writers = Writers(gw)
            time.sleep(0.01 + choose.random() * 0.05)  # some moment of the work
            gw.process.kill()
            fresh = writers.join()
            kill(gw)
            keys += fresh
            total += len(fresh)
            began = time.monotonic()
            gw.start()
            slowest = max(slowest, time.monotonic() - began)
            lost += sum(not opens(gw, key) for key in fresh)
        lost += sum(not opens(gw, key) for key in keys)
    case.at_least("keys that were acknowledged, all rounds", total, rounds)
    case.exactly(f"of them lost after {rounds} rounds", lost, 0)
    case.at_most("the slowest start after a kill", slowest, 1, "s")
