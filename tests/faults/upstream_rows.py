"""Rows 1 to 3: upstreams that die or fall silent."""
import contextlib
import select
import socket
import subprocess
import sys
import threading
import time
from statistics import median

from apart import apart, rate_of_seventy_percent
from others import Others, in_rounds, sum_of
from support.gateway import Gateway
from support.runaways import Lateness
from support.wire import Origin, Stream, ask, connect, problem_code, reply, request_bytes, reset
from table import row

CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}]{options}}}
routes:
  - {{name: others, match: {{path: /others}}, chain: [script: {{file: mark.lua, budget: 1s}}], respond: {{text: fine}}}}
  - {{name: whole, match: {{path: "/whole/*"}}, chain: [script: {{file: look.lua, budget: 1s, body: response}}], upstream: origin}}
  - {{name: all, match: {{path: "/*"}}, upstream: origin}}
"""
FILES = {
    "mark.lua": 'return {request = function(req) req.headers["X-Mark"] = "1" end}',
    "look.lua": 'return {response = function(res) res.headers["X-Size"] = tostring(#res.body) end}',
}


def gateway(port, options=", eject: off"):
    return Gateway(CONFIG.format(port=port, options=options), FILES)


class Killable:
    """An upstream in a process of its own: it answers each request with `start` and nothing more, until it is killed."""

    PROGRAM = """
import socket, sys
listener, start, kept = socket.socket(fileno=int(sys.argv[1])), sys.argv[2].encode().decode("unicode_escape").encode(), []
while True:
    kept.append(listener.accept()[0])
    kept[-1].recv(65536)
    kept[-1].sendall(start)
    print(len(kept), flush=True)
"""

    def __init__(self, start=""):
        self.start = start

    def __enter__(self):
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
            self.port = listener.getsockname()[1]
            self.process = subprocess.Popen([sys.executable, "-c", self.PROGRAM, str(listener.fileno()), self.start],
                                            pass_fds=[listener.fileno()], stdout=subprocess.PIPE, text=True)
        return self

    def wait_for(self, requests):
        while int(self.process.stdout.readline()) < requests:
            pass

    def kill(self):
        self.process.kill()
        return time.monotonic()

    def __exit__(self, *_):
        self.kill()
        self.process.wait()
        self.process.stdout.close()


# ---- row 1 ----

def fin(sock):
    sock.shutdown(socket.SHUT_RDWR)


def reset_within_the_head(sock):
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
    reset(sock)


@row(1, "upstream dies before the response head")
def dies_before_the_head(case):
    seen, moments, lock = {}, [], threading.Lock()
    deaths = [reset, fin, reset_within_the_head]

    def serve(sock, stream):
        request = stream.request()
        with lock:
            seen[request.target] = seen.get(request.target, 0) + 1
            moments.append(time.monotonic())
        deaths[int(request.target.rpartition("/")[2]) % len(deaths)](sock)

    late, statuses, count = 0.0, set(), case.pick(full=3000, small=90)
    with Lateness() as lateness, Origin(serve=serve) as origin, gateway(origin.port) as gw, connect(gw.port) as sock:
        stream = Stream(sock)
        for number in range(count):
            for method, body in (("POST", b"once"), ("PUT", b"once"), ("GET", None), ("DELETE", None)):
                sock.sendall(request_bytes(method, f"/{method}/{number}", body=body))
                response = stream.response()
                late = max(late, time.monotonic() - moments[-1] - lateness.take())
                statuses.add((response.status, problem_code(response)))
    most = {method: max(n for path, n in seen.items() if path.startswith(f"/{method}/")) for method in ("POST", "PUT", "GET", "DELETE")}
    case.exactly(f"answers to {4 * count:,} requests", statuses, {(502, "LG4002")})
    case.at_most("502 after the reset, the slowest, beyond what this machine was late by", late * 1000, case.pick(full=50, small=250), "ms")
    case.exactly("POST, and PUT with a body, sent more than once", max(most["POST"], most["PUT"]) - 1, 0)
    case.at_most("times that a GET or DELETE was sent", max(most["GET"], most["DELETE"]), 2)


@row(1, "upstream dies before the response head: on a connection that has served before")
def dies_on_a_pooled_connection(case):
    seen, lock = {}, threading.Lock()

    def serve(sock, stream):
        for turn in range(2):
            request = stream.request()
            if not request:
                return
            with lock:
                seen[request.target] = seen.get(request.target, 0) + 1
            if turn == 0 and request.target.startswith("/warm/"):
                sock.sendall(reply(body=b"ok"))
            else:
                return reset(sock)

    statuses, count = [], case.pick(full=2000, small=100)
    with Origin(serve=serve) as origin, gateway(origin.port) as gw, connect(gw.port) as sock:
        stream = Stream(sock)
        for number in range(count):
            for target, method in ((f"/warm/{number}", "GET"), (f"/post/{number}", "POST"), (f"/get/{number}", "GET")):
                sock.sendall(request_bytes(method, target, body=b"once" if method == "POST" else None))
                statuses.append((method, stream.response().status))
    case.exactly("POST answered with 502", sum(each == ("POST", 502) for each in statuses), count)
    case.exactly("POST sent more than once", sum(n > 1 for path, n in seen.items() if path.startswith("/post")), 0)
    case.at_most("times that a GET was sent", max(n for path, n in seen.items() if path.startswith("/get")), 2)


@row(1, "upstream dies before the response head: its process is killed")
def killed_before_the_head(case):
    count, slowest, statuses = 50, 0.0, set()
    for _ in range(case.pick(full=10, small=1)):
        with Lateness() as lateness, Killable() as origin, gateway(origin.port) as gw, contextlib.ExitStack() as open_files:
            socks = [open_files.enter_context(connect(gw.port)) for _ in range(count)]
            for sock in socks:
                sock.sendall(request_bytes("POST", body=b"once"))
            origin.wait_for(count)
            lateness.take()
            killed = origin.kill()
            statuses.update(Stream(sock).response().status for sock in socks)
            slowest = max(slowest, time.monotonic() - killed - lateness.take())
    case.exactly("answers", statuses, {502})
    case.at_most(f"{count} clients answered after the kill, beyond that", slowest * 1000, case.pick(full=50, small=250), "ms")


# ---- row 2 ----

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
# What the upstream says before it breaks off, each with something of the body.
CUT_BODIES = {
    "a short length": OK + b"Content-Length: 100\r\n\r\nshort",
    "one byte short": OK + b"Content-Length: 6\r\n\r\nshort",
    "in a chunk": CHUNKED + b"6\r\nshort",
    "before a chunk's end": CHUNKED + b"5\r\nshort",
    "in a chunk's end": CHUNKED + b"5\r\nshort\r",
    "between chunks": CHUNKED + b"5\r\nshort\r\n",
    "in a size": CHUNKED + b"5\r\nshort\r\n1",
    "in the last chunk": CHUNKED + b"5\r\nshort\r\n0",
    "before the trailers' end": CHUNKED + b"5\r\nshort\r\n0\r\n",
    "in the trailers": CHUNKED + b"5\r\nshort\r\n0\r\nX-Sum: 1",
    "in the very last line": CHUNKED + b"5\r\nshort\r\n0\r\n\r",
}
# Without framing a FIN is the end (RFC 9112, 6.3); a reset is not.
UNFRAMED = {"no framing": OK + b"\r\nshort", "1.0, no framing": b"HTTP/1.0 200 OK\r\n\r\nshort"}
# What follows the first chunk is no body any more; the connection stays open.
BROKEN_BODIES = {
    "a size that is none": b"\r\nzz\r\n",
    "a chunk that is too long": b"er\r\n",
    "a trailer that is none": b"\r\n0\r\nno trailer\r\n\r\n",
}


def looks_whole(data, was_reset):
    """Whether a client would take these bytes for a whole 200."""
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        return False
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        return body.endswith(b"0\r\n\r\n")
    if b"content-length: " in lower:
        return len(body) >= int(lower.split(b"content-length: ")[1].split(b"\r\n")[0])
    return not was_reset


def read_to_the_end(sock, data=b""):
    try:
        while more := sock.recv(65536):
            data += more
    except ConnectionResetError:
        return data, True
    return data, False


class Cutting:
    """An upstream that breaks off (`end` says how, or what it says instead of the rest). The client has the beginning by
    then: nothing of it is lost to a reset."""

    def __init__(self, ways):
        self.ways = ways
        self.arrived, self.again, self.left_open = {}, 0, 0

    def serve(self, sock, stream):
        request = stream.request()
        _, kind, number = request.target.rsplit("/", 2)
        start, end = self.ways[int(kind)]
        sock.sendall(start)
        if request.target.startswith("/cut/"):
            self.arrived[number].wait(10)
        if callable(end):
            return end(sock)
        sock.sendall(end)
        try:  # the gateway has to close it
            sock.settimeout(5)
            if stream.request():
                self.again += 1
        except TimeoutError:
            self.left_open += 1

    def ask(self, port, number, version):
        target = f"/cut/{number % len(self.ways)}/{number}"
        arrived = self.arrived[str(number)] = threading.Event()
        with connect(port) as sock:
            sock.sendall(b"GET %s HTTP/%s\r\nHost: gw.test\r\n\r\n" % (target.encode(), version))
            data = b""
            while b"shor" not in data:
                data += sock.recv(65536)
            arrived.set()
            return read_to_the_end(sock, data)


@row(2, "upstream dies mid-body")
def dies_within_the_body(case):
    ways = [(start, end) for start in CUT_BODIES.values() for end in (fin, reset)]
    ways += [(start, reset) for start in UNFRAMED.values()] + [(CHUNKED + b"5\r\nshort", rest) for rest in BROKEN_BODIES.values()]
    upstream, count = Cutting(ways), case.pick(full=10_000, small=len(ways) * 3)
    whole, begun = [], 0
    with Origin(serve=upstream.serve) as origin, gateway(origin.port) as gw:
        for number in range(count):
            version = b"1.0" if number // len(ways) % 3 == 2 else b"1.1"
            data, was_reset = upstream.ask(gw.port, number, version)
            begun += data.startswith(b"HTTP/1.1 200")
            if looks_whole(data, was_reset):
                whole.append((ways[number % len(ways)], data))
    case.exactly(f"cut bodies of {count:,} that looked whole" + (f", such as {whole[0]}" if whole else ""), len(whole), 0)
    case.at_least("of them cut in the middle of a response", begun, count * 0.85)
    case.exactly("requests on a connection whose body broke", upstream.again, 0)
    case.exactly("such connections left open", upstream.left_open, 0)


@row(2, "upstream dies mid-body: a step waits for the whole")
def dies_while_buffered(case):
    ways = [(start, end) for start in CUT_BODIES.values() for end in (fin, reset)]
    ways += [(CHUNKED + b"5\r\nshort", rest) for rest in BROKEN_BODIES.values()]
    upstream, count = Cutting(ways), case.pick(full=2000, small=len(ways) * 2)
    with Origin(serve=upstream.serve) as origin, gateway(origin.port) as gw:
        def status(number):
            target = f"/whole/{number % len(ways)}/{number}"
            return ask(gw.port, request_bytes(target=target, headers=[("Connection", "close")])).status

        statuses = [status(number) for number in range(count)]
    case.exactly(f"answers to {count:,} requests", set(statuses), {502})
    case.exactly("requests on a connection whose body broke", upstream.again, 0)


@row(2, "upstream dies mid-body: its process is killed")
def killed_within_the_body(case):
    whole, count = 0, 50
    starts = (r"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", r"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n")
    for turn in range(case.pick(full=10, small=2)):
        with Killable(starts[turn % 2]) as origin, gateway(origin.port) as gw, contextlib.ExitStack() as open_files:
            socks = [open_files.enter_context(connect(gw.port)) for _ in range(count)]
            for sock in socks:
                sock.sendall(request_bytes())
            origin.wait_for(count)
            begun = [sock.recv(65536) for sock in socks]
            origin.kill()
            whole += sum(looks_whole(*read_to_the_end(sock, data)) for sock, data in zip(socks, begun))
    case.exactly("bodies that looked whole", whole, 0)


@row(2, "upstream dies mid-body: nor does a client's end leave a used connection behind")
def client_leaves_within_the_body(case):
    again, gone, lock = [0], threading.Semaphore(0), threading.Lock()

    def serve(sock, stream):
        stream.request()
        sock.sendall(OK + b"Content-Length: 100\r\n\r\nshort")
        try:
            if stream.request():
                with lock:
                    again[0] += 1
        finally:
            gone.release()

    count = case.pick(full=500, small=30)
    with Origin(serve=serve) as origin, gateway(origin.port) as gw:
        for number in range(count):
            sock = connect(gw.port)
            sock.sendall(request_bytes())
            while b"short" not in sock.recv(65536):
                pass
            reset(sock)
        closed = sum(gone.acquire(timeout=10) for _ in range(count))
    case.exactly("upstream connections closed", closed, count)
    case.exactly("requests on such a connection", again[0], 0)


# ---- row 3 ----

TIME_OUT = 0.3  # seconds
RECOVERY = f", timeout: {{connect: {TIME_OUT * 1000:.0f}ms, response: {TIME_OUT * 1000:.0f}ms}}, eject: {{failures: 5, for: 500ms}}"


def timed(port, **request):
    began = time.monotonic()
    response = ask(port, request_bytes(**request))
    return response, time.monotonic() - began


def hold_recovery(case, gw, heal):
    """Five failures at the time-out, then at once; and healed: taken back at the first probe."""
    times, answers = [], []
    for _ in range(5):
        response, took = timed(gw.port)
        times.append(abs(took - TIME_OUT) * 1000)
        answers.append(response.status)
    case.exactly("answers until it is ejected", answers, [504] * 5)
    case.at_most("away from the time-out", case.pick(full=max, small=median)(times), 100, "ms")
    gw.wait_log("is ejected")
    response, took = timed(gw.port)
    case.exactly("then", (response.status, problem_code(response)), (503, "LG4006"))
    case.at_most("within", took * 1000, case.pick(full=50, small=250), "ms")
    heal()
    gw.wait_for(lambda: ask(gw.port, request_bytes()).status == 200, "an answer after the ejection")
    gw.wait_log("is taken back")
    case.exactly("ten answers after it has healed", {ask(gw.port, request_bytes()).status for _ in range(10)}, {200})


@row(3, "upstream accepts and stays silent")
def stays_silent(case):
    healed = threading.Event()

    def serve(sock, stream):
        while stream.request():
            if not healed.is_set():
                return stream.to_end()
            sock.sendall(reply(body=b"ok"))

    with Origin(serve=serve) as origin, gateway(origin.port, RECOVERY) as gw:
        hold_recovery(case, gw, healed.set)


class Swallowing:
    """A port that swallows SYNs: nobody accepts, and the queue of those who wait for it is full."""

    def __enter__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.waiting = []
        while self.connects():
            pass
        return self

    def connects(self):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", self.port))
        self.waiting.append(sock)
        return bool(select.select([], [sock], [], 0.2)[1])

    def accept(self):
        """Serves from now on."""
        def serve(sock):
            with contextlib.suppress(OSError, EOFError), sock:
                stream = Stream(sock)
                while stream.request():
                    sock.sendall(reply(body=b"ok"))

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(self.listener.accept()[0],), daemon=True).start()

        for sock in self.waiting:
            sock.close()
        self.listener.listen(100)
        threading.Thread(target=accept, daemon=True).start()

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for sock in self.waiting:
            sock.close()


@row(3, "upstream swallows SYNs")
def swallows_syns(case):
    with Swallowing() as origin, gateway(origin.port, RECOVERY) as gw:
        hold_recovery(case, gw, origin.accept)


@row(3, "upstream stays silent: others")
def others_beside_a_silent_one(case):
    """Some 130 requests a second wait for it, all the time: without ejection, which would end the fault. The turns are short,
    so that the host leaves most of them alone."""
    fault = Others(0, measures=False)

    def begin():
        fault.command = Others(gw.port, "/silent", rate=130, connections=64, seconds=3600).command
        fault.__enter__()
        ask(gw.port, request_bytes(target="/silent"))  # once this is given up, as many give up as begin

    options = f", timeout: {{response: {TIME_OUT * 1000:.0f}ms}}, eject: off"
    rounds, turns, seconds = case.pick(full=10, small=1), case.pick(full=6, small=1), 0.25
    calm, beside = [], []
    with (socket.create_server(("127.0.0.1", 0), backlog=4096) as silent, gateway(silent.getsockname()[1], options) as gw,
          apart(gw, case.full)):
        rate = rate_of_seventy_percent(gw) if case.full else 300
        for _ in range(rounds):
            calm += in_rounds(gw.port, rate, turns, seconds=seconds)
            begin()
            beside += in_rounds(gw.port, rate, turns, seconds=seconds)
            fault.end()
        answer = ask(gw.port, request_bytes(target="/silent")).status
    calm, beside = sum_of(calm), sum_of(beside)
    case.exactly("the silent one", answer, 504)
    case.exactly("errors of others", beside.errors, 0)
    case.at_least("answers to others", beside.answers, rate * rounds * turns * seconds * 0.98)
    case.at_most_where_alone("p99 of others, times the undisturbed", beside.p99_ms / calm.p99_ms, 1.2)
