"""A real redis-server for tests, on a Unix socket (and with `tls` on a port) in a folder of its own; never the machine's
service. Debian's package redis-tools has the program, which goes by the name that it is called by.

    with Redis() as redis, Between(redis) as between:
        CONFIG.format(url=between.url)
        between.how = "errors"     # "passes", "slow", "errors"
        redis.signal(SIGSTOP); redis.kill(); redis.start()
"""
import collections
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

PROGRAM = "/usr/bin/redis-check-rdb"
TIMEOUT = 30


class Redis:
    def __init__(self, *args, tls=None):
        """`tls`: (authority, pair) of support.certificates; clients must show a certificate of that authority."""
        self.dir = Path(tempfile.mkdtemp(prefix="lingate-redis-"))
        self.path = self.dir / "socket"
        self.url = f"unix:{self.path}"
        self.args = ["--unixsocket", str(self.path), "--save", "", "--appendonly", "yes", "--dir", str(self.dir),
                     "--logfile", str(self.dir / "log"), *args]
        self.tls = tls

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self):
        """Returns when it answers. What it had before kill() is there again."""
        for _ in range(20):
            if self._try():
                return
        raise AssertionError("redis-server does not start: " + (self.dir / "log").read_text(errors="replace")[-2000:])

    def _try(self):
        self.path.unlink(missing_ok=True)
        more = ["--port", "0"]
        if self.tls:  # it cannot be asked for a free port: one that was free a moment ago
            authority, pair = self.tls
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
            more += ["--tls-port", str(self.port), "--tls-cert-file", str(pair.cert), "--tls-key-file", str(pair.key),
                     "--tls-ca-cert-file", str(authority.cert)]
        self.process = subprocess.Popen(["redis-server", *self.args, *more], executable=PROGRAM,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + TIMEOUT
        while time.monotonic() < until and self.process.poll() is None:
            if self._answers():
                return True
            time.sleep(0.002)
        self.kill()
        return False

    def _answers(self):
        try:
            return self.ask("PING").startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    def ask(self, *words):
        """What it answers to a command, as it comes."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(TIMEOUT)
            sock.connect(str(self.path))
            sock.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words))
            return sock.recv(65536)

    def signal(self, number):
        os.kill(self.process.pid, number)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Between:
    """Stands between gateways and a Redis, on a Unix socket of its own, and lets answers pass as they are, or `late` seconds
    after they came, or answers every command with an error."""

    def __init__(self, redis, late=0.5):
        self.redis, self.late, self.how = redis, late, "passes"
        self.path = redis.dir / "between"
        self.url = f"unix:{self.path}"

    def __enter__(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(str(self.redis.path))
            except OSError:
                near.close()
                far.close()
                continue
            threading.Thread(target=self._serve, args=(near, far), daemon=True).start()

    def _serve(self, near, far):
        answers, come = collections.deque(), threading.Semaphore(0)
        with near, far:
            threads = [threading.Thread(target=each[0], args=each[1:], daemon=True)
                       for each in ((self._up, near, far, answers, come), (self._down, far, answers, come),
                                    (self._deliver, near, answers, come))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    def _up(self, near, far, answers, come):
        try:
            while data := near.recv(65536):
                if self.how == "errors":
                    commands = sum(1 for k, byte in enumerate(data) if byte == 0x2A and (k == 0 or data[k - 1] == 0x0A))
                    answers.append((0, b"-ERR broken on purpose\r\n" * commands))
                    come.release()
                else:
                    far.sendall(data)
        except OSError:
            pass
        for sock in (near, far):
            with_no_fault(sock.shutdown, socket.SHUT_RDWR)

    def _down(self, far, answers, come):
        try:
            while data := far.recv(65536):
                due = time.monotonic() + self.late if self.how == "slow" else 0
                answers.append((due, data))
                come.release()
        except OSError:
            pass
        answers.append((0, None))
        come.release()

    def _deliver(self, near, answers, come):
        try:
            while True:
                come.acquire()
                due, data = answers.popleft()
                if data is None:
                    break
                if (left := due - time.monotonic()) > 0:
                    time.sleep(left)  # this is the fault itself
                near.sendall(data)
        except OSError:
            pass
        with_no_fault(near.shutdown, socket.SHUT_RDWR)


def with_no_fault(function, *args):
    try:
        function(*args)
    except OSError:
        pass
