"""A gateway whose place other processes take (SIGUSR2), each started by the one before."""
import ctypes
import os
import re
import shutil
import signal
import time
from pathlib import Path

from support.gateway import BINARY, DEADLINE, Gateway

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """Grandchildren whose parent has ended become this process's, so that it hears how they end."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


class Upgraded(Gateway):
    """`binary` is a copy in the gateway's own folder: it can be replaced, or taken away."""

    def __init__(self, config, files=None, args=()):
        super().__init__(config, files, args)
        self.binary = self.dir / "lingate"
        self.install()
        self.command[0] = str(self.binary)
        self.current = None  # the process that serves

    def install(self):
        fresh = self.dir / "lingate.new"
        shutil.copy(BINARY, fresh)
        os.replace(fresh, self.binary)

    def start(self):
        adopt_orphans()
        super().start()
        self.current = self.process.pid

    def ask_for_upgrade(self):
        os.kill(self.current, signal.SIGUSR2)

    def upgrade(self):
        """Waits until another process serves; gives the process that drains."""
        old = self.current
        self.ask_for_upgrade()
        line = self.wait_log(rf"upgrade: process \d+ serves; this one \({old}\)")
        self.current = int(re.search(r"process (\d+) serves", line)[1])
        return old

    def wait_for_end(self, pid):
        """The exit code of one of its processes."""
        if pid == self.process.pid:
            return self.process.wait(DEADLINE)
        limit = time.monotonic() + DEADLINE
        while time.monotonic() < limit:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        raise AssertionError(f"process {pid} did not end:\n{self.log_text()[-4000:]}")

    def stop(self):
        if self.current == self.process.pid:
            return super().stop()
        code = self.process.wait(DEADLINE)  # first: then the current one is this process's to wait for
        os.kill(self.current, signal.SIGTERM)
        return super().stop() or code or self.wait_for_end(self.current)

    @property
    def pid(self):
        return self.current

    def signal(self, number):
        os.kill(self.current, number)

    def program_of(self, pid):
        return Path(f"/proc/{pid}/exe").stat().st_ino
