"""Starts the real binary with a configuration written in the test, and stops it again.

    with Gateway(CONFIG, files={"a.lua": SCRIPT}) as gateway:
        response = ask(gateway.port, b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")

Every listener binds port 0; the ports come from the `listening` lines. Leaving the block sends SIGTERM and asserts that
the gateway ended with 0.
"""
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

BINARY = os.environ.get("LINGATE", str(Path(__file__).resolve().parents[2] / "build" / "lingate"))
DEADLINE = float(os.environ.get("LINGATE_TEST_DEADLINE", "30"))  # seconds for anything that must happen at all
SANITIZED = bool(os.environ.get("LINGATE_SANITIZE"))
# Times the memory that is the program's own: the thread sanitizer notes beside every byte who has touched it.
SHADOW = 4 if os.environ.get("LINGATE_SANITIZE") == "thread" else 1
# Steps of one gateway that have worker processes, which all start before it serves; under a sanitizer each of them takes
# some 100 MB and a second.
PROCESSES_AT_ONCE = 12 if SANITIZED else 60


# Where crashes are made on purpose: under a sanitizer they end as they do without it, not in a long report.
CRASHES_AS_USUAL = {name: os.environ.get(name, "") + ":handle_segv=0:handle_abort=0:handle_sigbus=0"
                    for name in ("ASAN_OPTIONS", "TSAN_OPTIONS")}


class Gateway:
    def __init__(self, config, files=None, args=(), env=None, binary=BINARY):
        self._dir = tempfile.TemporaryDirectory(prefix="lingate-test-")
        self.dir = Path(self._dir.name)
        for name, text in {"gateway.yaml": config, **(files or {})}.items():
            path = self.dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.command = [binary, "run", "-c", str(self.dir / "gateway.yaml"), *args]
        self.env = {**os.environ, "NO_COLOR": "1", **(env or {})}
        self.ports = []
        self.process = None
        self._changed = threading.Condition()
        self._stderr, self._stdout = [], []

    def __enter__(self):
        try:
            self.start()
        except BaseException:  # nobody would end it, nor its worker processes
            self.process.kill()
            self.process.wait()
            raise
        return self

    def __exit__(self, kind, *_):
        code = self.stop()
        self._dir.cleanup()
        if kind is None and code != 0:
            raise AssertionError(f"the gateway ended with {code}:\n" + self.log_text()[-4000:])

    def start(self):
        """Also again, after stop(): the ports are then those of the new process, the log goes on."""
        self._before = len(self._stderr)
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env)
        self._readers = [threading.Thread(target=self._read, args=pair, daemon=True)
                         for pair in ((self.process.stderr, self._stderr), (self.process.stdout, self._stdout))]
        for reader in self._readers:
            reader.start()
        wanted = len(re.findall(r"^\s*-\s*\{?\s*address:", self._listen_section(), re.M)) or 1
        self.wait_for(lambda: len(self._listening()) >= wanted or self.process.poll() is not None, "listening")
        if self.process.poll() is not None:
            for reader in self._readers:  # to the end of what it said
                reader.join()
            raise AssertionError(f"the gateway did not start ({self.process.returncode}):\n{self.log_text()}")
        self.ports = self._listening()

    def _listen_section(self):
        text = (self.dir / "gateway.yaml").read_text(errors="replace")
        found = re.search(r"^listen:(.*?)(?=^\S)", text + "\nend", re.M | re.S)
        return found[1] if found else ""

    def _listening(self):
        with self._changed:
            lines = [re.match(r"listening https?://.*:(\d+)$", line) for line in self._stderr[self._before:]]
        return [int(m[1]) for m in lines if m]

    @property
    def admin_port(self):
        own = lambda: [m[1] for line in self._stderr[self._before:] if (m := re.match(r"admin http://.*:(\d+)$", line))]  # noqa: E731
        self.wait_for(own, "admin listener")
        return int(own()[-1])

    def _read(self, stream, into):
        for line in stream:
            with self._changed:
                into.append(line.decode(errors="replace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    @property
    def port(self):
        return self.ports[0]

    @property
    def pid(self):
        return self.process.pid

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=DEADLINE):
        """The exit code, once it ended by itself."""
        return self.process.wait(timeout)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the gateway did not end on SIGTERM:\n" + self.log_text()[-4000:]) from None
        for reader in self._readers:
            reader.join(DEADLINE)
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    # ---- what it printed ----

    def log_lines(self):
        with self._changed:
            return list(self._stderr)

    def log_text(self):
        return "\n".join(self.log_lines())

    def access_lines(self):
        with self._changed:
            return [json.loads(line) for line in self._stdout if line.startswith("{")]

    def wait_for(self, condition, what):
        """Waits until condition() is true, and returns what it was; woken by every line that the gateway prints."""
        deadline = time.monotonic() + DEADLINE
        while not (found := condition()):
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"no {what} within {DEADLINE} s; the log says:\n{self.log_text()[-4000:]}")
            with self._changed:
                self._changed.wait(min(left, 0.05))
        return found

    def wait_log(self, pattern):
        """The first line of the log that matches."""
        found = []

        def look():
            found[:] = [line for line in self.log_lines() if re.search(pattern, line)]
            return found

        self.wait_for(look, f"log line like {pattern!r}")
        return found[0]

    def wait_access(self, match):
        """The first access-log line (a dict) for which match(line) holds."""
        found = []

        def look():
            found[:] = [line for line in self.access_lines() if match(line)]
            return found

        self.wait_for(look, "such an access line")
        return found[0]

    def peak_memory(self):
        """The most that it ever held, in bytes."""
        return int(re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text(), re.M)[1]) * 1024

    def rss(self):
        """Resident bytes."""
        return int(re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text(), re.M)[1]) * 1024

    def memory(self):
        """Bytes that are the process's own: anonymous pages, files it has mapped left out."""
        return int(re.search(r"^RssAnon:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text(), re.M)[1]) * 1024


def batches(things, placement):
    """`things`, each of which is a step in that placement, as lists that one gateway has at once."""
    things = list(things)
    size = PROCESSES_AT_ONCE if placement == "process" else max(1, len(things))
    return [things[at:at + size] for at in range(0, len(things), size)]


def run_cli(*args, files=None, env=None, cwd=None):
    """Runs the binary to its end: (exit code, stdout, stderr)."""
    with tempfile.TemporaryDirectory(prefix="lingate-test-") as folder:
        for name, text in (files or {}).items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        done = subprocess.run([BINARY, *args], cwd=cwd or folder, capture_output=True, timeout=DEADLINE,
                              env={**os.environ, "NO_COLOR": "1", **(env or {})})
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
