"""A gateway whose place other processes take (SIGUSR2), each started by the one before."""
import ctypes
import os
import re
import shutil
import signal
import threading
import time
from pathlib import Path

from support.gateway import BINARY, DEADLINE, Gateway
from support.h2 import REFUSED_STREAM, Peer
from support.wire import TIMEOUT, Stream, connect, request_bytes

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
        return self.succeeded(old)

    def succeeded(self, old):
        line = self.wait_log(rf"upgrade: process \d+ serves; this one \({old}\)")
        self.current = int(re.search(r"process (\d+) serves", line)[1])
        return old

    def replace_program(self, text):
        """By something else than lingate."""
        fresh = self.dir / "lingate.new"
        fresh.write_text(text)
        fresh.chmod(0o755)
        os.replace(fresh, self.binary)

    def starting(self):
        """The process that is to take its place."""
        def children():
            for stat in Path("/proc").glob("[0-9]*/stat"):
                try:
                    if int(stat.read_text().rpartition(")")[2].split()[1]) == self.current:
                        yield int(stat.parent.name)
                except OSError:
                    pass  # it has ended
        self.wait_for(lambda: any(children()), "process that starts")
        return next(children())

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


class Load:
    """Clients that ask all the time, on connections that stay and on one for each request, until the block is left."""

    def __init__(self, port, kept=6, fresh=2):
        self.port, self.failures, self.answered = port, [], 0
        self.over = threading.Event()
        self.clients = [threading.Thread(target=self._ask, args=(k < kept,)) for k in range(kept + fresh)]

    def __enter__(self):
        self.began = time.monotonic()
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for client in self.clients:
            client.join()
        self.rate = self.answered / (time.monotonic() - self.began)

    def _ask(self, keeps):
        stream, raw = None, request_bytes(target="/here")
        while not self.over.is_set():
            try:
                if stream is None:
                    stream = Stream(connect(self.port))
                stream.sock.sendall(raw)
                response = stream.response()
                assert (response.status, response.body) == (200, b"here"), response
                self.answered += 1
                if not keeps or response.value("Connection") == "close":
                    stream.sock.close()
                    stream = None
            except (OSError, EOFError, AssertionError) as error:
                self.failures.append(repr(error))
                stream = None
        if stream:
            stream.sock.close()

    def wait_for(self, more):
        """So many answers from now on."""
        wanted, limit = self.answered + more, time.monotonic() + TIMEOUT
        while self.answered < wanted and time.monotonic() < limit:
            time.sleep(0.01)
        assert self.answered >= wanted, self.failures


class LoadOfStreams(Load):
    """The same over HTTP/2 in clear, eight streams at a time on each connection. What the gateway says that it has not
    begun (RFC 9113, section 6.8) is asked for again elsewhere; all else has to be answered."""

    def _ask(self, keeps):
        while not self.over.is_set():
            try:
                with Peer(connect(self.port)) as peer:
                    self._ask_while_open(peer, keeps)
            except (OSError, EOFError, AssertionError) as error:
                self.failures.append(repr(error))

    def _ask_while_open(self, peer, keeps):
        more = True
        while more and not self.over.is_set():
            for stream in [peer.request(path="/here") for _ in range(8)]:
                answer = peer.streams[stream]
                peer.until(lambda: answer.over or peer.goaway and peer.goaway[0] < stream)
                if not answer.over or answer.reset == REFUSED_STREAM:
                    return
                assert (answer.status, answer.body) == (200, b"here"), answer
                self.answered += 1
            peer.streams.clear()
            more = keeps and not peer.goaway
