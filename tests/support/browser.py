"""Chromium for tests, spoken to by its DevTools over a pipe: JSON, each message ended by a zero byte.

    sys.exit(run_in_browser(sys.argv[1:2]))   # unittest's tests find it as `support.browser.browser()`

Where there is no Chromium the program exits with 77, which ctest takes for skipped.
"""
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

SKIPPED = 77
PATIENCE = 30  # s, for one answer
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Browser:
    """Chromium without a window; `complaints`: its console's errors, exceptions, and what it asked the network for beyond
    addresses that begin with one of `allowed`."""

    def __init__(self, program, profile, flags=()):
        self.allowed = ("file:", "data:")
        there, ours = os.pipe(), os.pipe()
        words = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
                 "--disable-background-networking", "--remote-debugging-pipe", f"--user-data-dir={profile}", *flags]
        if os.geteuid() == 0:
            words.append("--no-sandbox")  # Chromium has none for root

        def give_pipes():  # where Chromium expects them: 3 to read, 4 to write
            read, write = os.dup(there[0]), os.dup(ours[1])
            os.dup2(read, 3)
            os.dup2(write, 4)

        self.process = subprocess.Popen([program, *words, "about:blank"], preexec_fn=give_pipes, close_fds=False,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(there[0])
        os.close(ours[1])
        self.out, self.into = there[1], ours[0]
        self.rest, self.last, self.session = b"", 0, None
        self.complaints, self.loaded = [], 0
        page = next(t for t in self.ask("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(domain + ".enable")

    def close(self):
        os.close(self.out)
        os.close(self.into)
        self.process.terminate()
        self.process.wait(PATIENCE)

    def ask(self, method, **params):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.message(deadline)
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]

    def message(self, deadline):
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.into], [], [], max(0, deadline - time.monotonic()))
            more = os.read(self.into, 1 << 16) if ready else b""
            if not more:
                raise AssertionError("Chromium " + ("ended" if ready else "does not answer"))
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\0")
        message = json.loads(line)
        self.note(message.get("method"), message.get("params", {}))
        return message

    def note(self, method, params):
        if method == "Page.loadEventFired":
            self.loaded += 1
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(f"console.{params['type']}: {params['args']}")
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{params['entry']['source']}: {params['entry']['text']}")
        elif method == "Network.requestWillBeSent" and not params["request"]["url"].startswith(self.allowed):
            self.complaints.append(f"asked for {params['request']['url']}")

    def open(self, url, width=1400, height=900, scheme="light"):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        before = self.loaded
        self.ask("Page.navigate", url=url)
        deadline = time.monotonic() + PATIENCE
        while self.loaded == before:
            self.message(deadline)

    def value(self, expression):
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def count(self, selector):
        return self.value(f"document.querySelectorAll({json.dumps(selector)}).length")


_browser = None


def browser():
    """The one that run_in_browser() has started."""
    return _browser


def run_in_browser(program=(), flags=(), prepare=lambda folder: None):
    """Runs unittest's tests of the main module with a browser; the exit code. `prepare` is given a folder for as long."""
    global _browser
    found = [*program] or [path for path in map(shutil.which, CHROMIUMS) if path]
    if not found:
        print("skipped: no chromium here ('apt-get install chromium' brings it)")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="lingate-browser-", ignore_cleanup_errors=True) as folder:
        prepare(Path(folder))
        _browser = Browser(found[0], Path(folder) / "profile", flags)
        try:
            done = unittest.main(argv=sys.argv[:1], verbosity=2, exit=False).result
        finally:
            _browser.close()
    return 0 if done.wasSuccessful() else 1
