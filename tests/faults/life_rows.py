"""Rows 22, 24 and 27: the gateway's end, its blocked log, and clients that leave at every moment."""
import contextlib
import json
import os
import random
import re
import signal
import subprocess
import threading
import time

from others import p99_in_turns, seventy_percent
from shim import Shim
from support.gateway import BINARY, Gateway
from support.wire import Origin, Stream, ask, connect, reply, request_bytes, reset
from table import row


# ---- row 22 ----

ENDING = """
version: 1
workers: 2
listen:
  - address: 127.0.0.1:0
limits: {{timeout: {{drain: {drain}s}}}}
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off}}
routes:
  - {{name: all, match: {{path: "/*"}}, chain: [script: {{file: mark.lua, budget: 1s}}], upstream: origin}}
"""
MARK = {"mark.lua": 'return {request = function(req) req.headers["X-Mark"] = "1" end}'}
SLOWEST = 1.0  # seconds that an answer of the upstream takes at most


def slow_answers(sock, stream):
    """Each takes as long as the request's path says, half of it between the head and the last byte."""
    while request := stream.request():
        pause = float(request.target.rpartition("/")[2])
        time.sleep(pause / 2)
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        time.sleep(pause / 2)
        sock.sendall(b"6\r\n, last\r\n0\r\n\r\n")


class Asking(threading.Thread):
    """One request after the other, until the gateway is gone: what became of each, and when it had been sent."""

    def __init__(self, port, pause, fresh):
        super().__init__(daemon=True)
        self.port, self.pause, self.fresh = port, pause, fresh
        self.whole, self.cut, self.unanswered = 0, 0, []
        self.start()

    def run(self):
        sock = None
        while True:
            sent = None
            try:
                if not sock:
                    sock = connect(self.port)
                    stream = Stream(sock)
                sock.sendall(request_bytes("POST", f"/{self.pause}", body=b"b" * 2000))
                sent = time.monotonic()
                response = stream.response()
            except (OSError, EOFError):
                if sent and (stream.buffer or stream.interim):
                    self.cut += 1
                elif sent:
                    self.unanswered.append(sent)
                return
            self.whole += response.body == b"first, last"
            self.cut += response.body != b"first, last"
            if self.fresh or (response.value("Connection") or "").lower() == "close":
                sock.close()
                sock = None


@row(22, "SIGTERM under load")
def ends_under_load(case):
    whole, cut, unanswered, codes, times = 0, 0, 0, set(), []
    for turn in range(case.pick(full=12, small=2)):
        with Origin(serve=slow_answers) as origin, Gateway(ENDING.format(port=origin.port, drain=10), MARK) as gw:
            asking = [Asking(gw.port, (0, 0, 0.05, SLOWEST)[k % 4], fresh=k % 8 == 1) for k in range(40)]
            time.sleep(0.4 + 0.037 * turn)
            at = time.monotonic()
            gw.signal(signal.SIGTERM)
            codes.add(gw.wait())
            times.append(time.monotonic() - at)
            for each in asking:
                each.join()
            whole += sum(each.whole for each in asking)
            cut += sum(each.cut for each in asking)
            unanswered += sum(sent < at for each in asking for sent in each.unanswered)
    case.exactly(f"cut, beside {whole:,} whole", cut, 0)
    case.exactly("sent before the signal and never answered", unanswered, 0)
    case.exactly("exit codes", codes, {0})
    case.at_most("ended after the signal, its longest request taking 1 s", max(times), SLOWEST + 1, "s")


def end_with(count, drain, second=False):
    """(seconds until it ended, its code) with requests under way that nobody will answer."""
    with Origin(serve=lambda sock, stream: stream.to_end()) as origin, Gateway(ENDING.format(port=origin.port, drain=drain), MARK) as gw:
        with contextlib.ExitStack() as open_files:
            for _ in range(count):
                open_files.enter_context(connect(gw.port)).sendall(request_bytes())
            gw.wait_for(lambda: len(origin.connections) == count, "requests upstream")
            began = time.monotonic()
            gw.signal(signal.SIGTERM)
            if second:
                gw.wait_log("drain")
                began = time.monotonic()
                gw.signal(signal.SIGTERM)
            code = gw.wait()
            return time.monotonic() - began, code


@row(22, "SIGTERM while requests wait for ever")
def ends_with_requests_left(case):
    drain, count = case.pick(full=5, small=1), case.pick(full=200, small=20)
    took, code = end_with(count, drain)
    case.at_most("ended after the drain time", took - drain, 1.0, "s")
    case.exactly("exit code", code, 0)
    took, code = end_with(count, drain=60, second=True)
    case.at_most("ended after the second signal", took, 1.0, "s")
    case.exactly("its exit code", code, 0)


LOOPS = {"lua": "while true do end", "py": "while True: pass", "js": "for (;;) {}"}
HANGING = {
    "lua": 'return {request = function() lingate.log.info("hangs") BODY end}',
    "py": "import lingate, time, re\nASYNCdef request(req):\n    lingate.log.info('hangs')\n    BODY\n",
    "js": 'var lingate = require("lingate"); exports.request = function () { lingate.log.info("hangs"); BODY };',
}
HANGS = {
    **{f"a loop in {language}, {placement}": (language, placement, LOOPS[language])
       for language in LOOPS for placement in ("inline", "thread", "process")},
    "time.sleep in Python, thread": ("py", "thread", "time.sleep(1000)"),
    "time.sleep in Python, process": ("py", "process", "time.sleep(1000)"),
    "a pattern in Python, thread": ("py", "thread", "re.match('(a+)+b', 'a' * 60)"),
    "lingate.sleep in Lua": ("lua", "inline", "lingate.sleep(1000)"),
    "lingate.sleep in Python": ("py", "thread", "await lingate.sleep(1000)"),
}
HANGING_CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
limits: {{timeout: {{drain: {drain}s}}}}
routes:
  - name: hangs
    match: {{path: /*}}
    chain: [script: {{file: {file}, isolation: {placement}, budget: 1m, timeout: 1h}}]
    respond: {{text: passed}}
"""


def end_while_hanging(language, placement, body, drain, second):
    text = HANGING[language].replace("ASYNC", "async " if "await" in body else "").replace("BODY", body)
    file = f"hangs.{language}"
    with Gateway(HANGING_CONFIG.format(file=file, placement=placement, drain=drain), {file: text}) as gw, connect(gw.port) as sock:
        sock.sendall(request_bytes())
        gw.wait_log("hangs")
        began = time.monotonic()
        gw.signal(signal.SIGTERM)
        if second:
            gw.wait_log("drain")
            began = time.monotonic()
            gw.signal(signal.SIGTERM)
        try:
            code = gw.wait(drain + 5 if not second else 5)
        except subprocess.TimeoutExpired:
            gw.process.kill()
            gw.wait()
            gw.process.returncode, code = 0, "killed"  # told by the row, not by the end of the block
        return time.monotonic() - began, code


@row(22, "SIGTERM while a script hangs")
def ends_while_scripts_hang(case):
    few = ("a loop in lua, inline", "a loop in js, thread", "time.sleep in Python, process", "lingate.sleep in Python")
    hangs = HANGS if case.full else {name: HANGS[name] for name in few}
    for second in (False, True):
        late, codes = {}, set()
        for name, (language, placement, body) in hangs.items():
            took, code = end_while_hanging(language, placement, body, 30 if second else 1, second)
            late[name] = took - (0 if second else 1)
            codes.add(code)
        slowest = max(late, key=late.get)
        when = "the second signal" if second else "the drain time"
        case.at_most(f"ended after {when}, the last of {len(hangs)} “{slowest}”", late[slowest], 1.0, "s")
        case.exactly("exit codes", codes, {0})


NAMES = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
limits: {{timeout: {{drain: {drain}s}}}}
tracing: {{otlp: "http://collector.test:4318/v1/traces", sample: 100%}}
upstreams:
  named: {{targets: ["http://upstream.test:80"]}}
routes:
  - {{name: fine, match: {{path: /fine}}, respond: {{text: fine}}}}
  - {{name: named, match: {{path: /named}}, upstream: named}}
"""


@row(22, "SIGTERM while a name server is silent")
def ends_while_names_are_sought(case):
    for second in (False, True):
        with Shim() as shim, contextlib.ExitStack() as open_files:
            gw = open_files.enter_context(Gateway(NAMES.format(drain=30 if second else 1), env=shim.env))
            shim.silence_names(20)
            open_files.enter_context(connect(gw.port)).sendall(request_bytes(target="/named"))
            case.exactly("a request that needs no name", ask(gw.port, request_bytes(target="/fine")).status, 200)
            began = time.monotonic()
            gw.signal(signal.SIGTERM)
            if second:
                gw.wait_log("drain")
                began = time.monotonic()
                gw.signal(signal.SIGTERM)
            code = gw.wait()
            took = time.monotonic() - began - (0 if second else 1)
            case.at_most(f"ended after {'the second signal' if second else 'the drain time'}", took, 1.0, "s")
            case.exactly("exit code", code, 0)


# ---- row 24 ----

LOGGING = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
log: {file: own.fifo}
routes:
  - {name: others, match: {path: /others}, chain: [access-log: {file: access.fifo}, access-log], respond: {text: fine}}
  - {name: noisy, match: {path: /noisy}, chain: [script: {file: noisy.lua, budget: 1s}], respond: {text: fine}}
"""
NOISY = {"noisy.lua": 'return {request = function() lingate.log.info(string.rep("x", 1000)) end}'}


class Fifo:
    """A log's target with a reader that can stop; it counts lines, and those that the log says are missing."""

    def __init__(self, path):
        os.mkfifo(path)
        self.file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.lines, self.missing, self.rest = 0, 0, b""
        self.reading, self.ended = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ended.is_set():
            if self.reading.wait(0.01) and not self.read():
                self.ended.wait(0.005)
        while self.read():
            pass

    def read(self):
        try:
            data = os.read(self.file, 1 << 20)
        except BlockingIOError:
            return False
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            if b" lines are missing: " in line:
                self.missing += int(json.loads(line)["message"].split(" ")[0])
            else:
                self.lines += 1
        return bool(data)

    def end(self):
        self.ended.set()
        self.thread.join()
        os.close(self.file)


@row(24, "log target blocked: a pipe that nobody reads, as stdout and as files")
def log_blocked(case):
    rounds = case.pick(full=9, small=1)
    gw = Gateway(LOGGING, NOISY)
    fifos = {name: Fifo(gw.dir / f"{name}.fifo") for name in ("stdout", "access", "own")}
    gw.command = ["sh", "-c", 'exec "$@" > "$0"', str(gw.dir / "stdout.fifo"), *gw.command]
    for fifo in fifos.values():
        fifo.reading.set()
    with gw:
        rate = seventy_percent(gw.port) if case.full else 2000

        def block():
            for fifo in fifos.values():
                fifo.reading.clear()

        def read_on():
            for fifo in fifos.values():
                fifo.reading.set()
            wait_for_logs(fifos)

        calm, beside = p99_in_turns(gw.port, rate, rounds, block, read_on)
        block()
        statuses, flood = set(), case.pick(full=20_000, small=10_000)
        with connect(gw.port) as sock:
            stream = Stream(sock)
            for _ in range(flood // 100):
                sock.sendall(request_bytes(target="/noisy") * 100)
                statuses.update(stream.response().status for _ in range(100))
        read_on()
    for fifo in fifos.values():
        fifo.end()
    case.exactly("errors of others", beside.errors, 0)
    case.exactly("answers to requests that log", statuses, {200})
    case.at_least("lines that were dropped and told", min(fifo.missing for fifo in (fifos.values() if case.full else [fifos["own"]])), 1)
    own = fifos["own"]  # beside those of the scripts it has one about the end
    case.exactly("lines of the log, those that it says are missing included", own.lines + own.missing, flood + 1)
    case.at_most_where_alone("p99, times that while the log flows", beside.p99_ms / calm.p99_ms, 1.1)


def wait_for_logs(fifos):
    """Until nothing more comes."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 0.5:
        time.sleep(0.02)
        if (now := sum(fifo.lines + fifo.missing for fifo in fifos.values())) != last:
            last, since = now, time.monotonic()


# ---- row 27 ----

# Each script sleeps in the hook that X-When names, so that the client can leave in the middle of it.
LEAVING = {
    "lua": """
local function hook(name)
  return function(a, b, c)
    local req = name == "request" and a or b
    if req.headers["X-When"] == name then lingate.sleep(0.02) end
    if name == "request" then req.headers["X-Mark"] = "1" end
    if name == "response" then a.headers["X-Mark"] = "1" end
  end
end
return {request = hook("request"), response = hook("response"), log = hook("log")}
""",
    "py": """
import lingate

async def request(req, ctx):
    if req.headers.get("X-When") == "request":
        await lingate.sleep(0.02)
    req.headers["X-Mark"] = "1"

async def response(res, req, ctx):
    if req.headers.get("X-When") == "response":
        await lingate.sleep(0.02)
    res.headers["X-Mark"] = "1"

async def log(res, req, ctx):
    if req.headers.get("X-When") == "log":
        await lingate.sleep(0.02)
""",
    "js": """
var lingate = require("lingate");
function maybe(name, req) { if (req.headers["X-When"] === name) lingate.sleep(0.02); }
exports.request = function (req, ctx) { maybe("request", req); req.headers["X-Mark"] = "1"; };
exports.response = function (res, req, ctx) { maybe("response", req); res.headers["X-Mark"] = "1"; };
exports.log = function (res, req, ctx) { maybe("log", req); };
""",
}
PLACEMENTS = ("inline", "thread", "process")
BODY = b"b" * 20_000


def leaving_config(port):
    lines = ["version: 1", "workers: 2", "listen:", "  - address: 127.0.0.1:0", "upstreams:",
             f'  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off}}', "routes:"]
    for language in LEAVING:
        for placement in PLACEMENTS:
            for body in ("request", "both"):
                name = f"{language}-{placement}-{body}"
                lines += [f"  - name: {name}", f"    match: {{path: /{name}/*}}",
                          f"    chain: [access-log, script: {{file: leave.{language}, isolation: {placement}, instances: 2, budget: 1s, body: {body}}}]",
                          "    upstream: origin"]
    return "\n".join(lines) + "\n"


def leave(sock, when, route, moment):
    """Sends what the moment needs, and goes with a reset."""
    request = request_bytes("POST", f"/{route}/x", [("X-When", when)], body=BODY)
    if when == "in the head":
        sock.sendall(request[:40])
    elif when == "in the body":
        sock.sendall(request[:-len(BODY) // 2])
    else:
        sock.sendall(request)
    if when in ("log", "in the answer"):  # it has begun to come
        sock.recv(100)
    elif moment:
        time.sleep(moment)
    reset(sock)


@row(27, "client aborts at each hook")
def leaves_at_each_hook(case):
    whens = ("in the head", "in the body", "request", "response", "log", "in the answer", "at once")
    routes = [f"{language}-{placement}-{body}" for language in LEAVING for placement in PLACEMENTS for body in ("request", "both")]
    answer = reply(body=bytes(1 << 18))
    dice, left = random.Random(27), 0
    environment = {"ASAN_OPTIONS": "detect_leaks=0:halt_on_error=0:" + os.environ.get("ASAN_OPTIONS", "")}
    with Origin(lambda request: answer) as origin:
        gw = Gateway(leaving_config(origin.port), {f"leave.{language}": text for language, text in LEAVING.items()}, env=environment)
        gw.command[0] = os.environ.get("LINGATE_ASAN", BINARY)
        with gw:
            for _ in range(case.pick(full=40, small=1)):
                for route in routes:
                    socks = [connect(gw.port) for _ in whens]
                    threads = [threading.Thread(target=leave, args=(sock, when, route, 0 if when == "at once" else dice.random() * 0.025))
                               for sock, when in zip(socks, whens)]
                    for thread in threads:
                        thread.start()
                    for thread in threads:
                        thread.join()
                    left += len(whens)
            served = set()
            for route in routes:
                with connect(gw.port) as sock:
                    sock.sendall(request_bytes("POST", f"/{route}/x", body=BODY))
                    served.add(Stream(sock).response().status)
            log = gw.log_text()
    reports = re.findall(r"ERROR: \w+Sanitizer|runtime error:", log)
    case.exactly(f"reports after {left:,} aborts" + (" (address sanitizer)" if "LINGATE_ASAN" in os.environ else ""), len(reports), 0)
    case.exactly("answers on every route afterwards", served, {200})
