"""Rows 4 to 7: clients that vanish, dawdle, or take every descriptor."""
import asyncio
import contextlib
import ctypes
import errno
import functools
import multiprocessing
import os
import re
import resource
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from apart import apart, rate_of_seventy_percent
from others import Others, in_rounds, sum_of
from support.gateway import Gateway
from support.wire import Origin, Stream, ask, connect, reply, request_bytes
from table import row

MIB = 1 << 20
BIG = 10 * MIB
LONG = 64 * MIB  # more than all kernels between hold
DEADLINE = 2  # seconds

CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
limits: {{timeout: {timeouts}}}
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off, pool: {{max: 10000}}}}
routes:
  - {{name: others, match: {{path: /others}}, chain: [script: {{file: mark.lua, budget: 1s}}], respond: {{text: fine}}}}
  - {{name: bounded, match: {{path: "/bounded/*"}}, timeout: {deadline}s, upstream: origin}}
  - {{name: asleep, match: {{path: "/asleep/*"}}, chain: [script: {{file: sleep.lua, budget: 1s}}], upstream: origin}}
  - {{name: all, match: {{path: "/*"}}, upstream: origin}}
"""
FILES = {
    "mark.lua": 'return {request = function(req) req.headers["X-Mark"] = "1" end}',
    "sleep.lua": "return {request = function() lingate.sleep(0.2) end}",
}


def gateway(port, head="1m", body="1m", write="1m", idle="1m", tunnel="1m", deadline=DEADLINE):
    timeouts = f"{{head: {head}, body: {body}, write: {write}, idle: {idle}, tunnel: {tunnel}, drain: 1s}}"
    return Gateway(CONFIG.format(port=port, timeouts=timeouts, deadline=deadline), FILES)


class BigOrigin:
    """An upstream for thousands of connections, in a process of its own. /big and /long answer as much as is taken, /tunnel
    switches protocols, anything else takes a body and answers with its length."""

    def __enter__(self):
        listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)  # what is under way is not in its own kernel
        self.port = listener.getsockname()[1]
        forked = multiprocessing.get_context("fork")
        self.all_sent, self.all_finished = forked.Value("q", 0), forked.Value("q", 0)
        self.process = forked.Process(target=lambda: asyncio.run(self.main(listener)), daemon=True)
        self.process.start()
        listener.close()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.join()

    @property
    def sent(self):
        return self.all_sent.value

    @property
    def finished(self):
        """Bodies that were taken to their end."""
        return self.all_finished.value

    async def main(self, listener):
        give_way()
        async with await asyncio.start_server(self.serve, sock=listener, backlog=4096) as server:
            await server.serve_forever()

    async def serve(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if b"/tunnel " in head:
                    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
                    await reader.read()
                elif b"/big " in head or b"/long " in head:
                    await self.send(writer, BIG if b"/big " in head else LONG)
                else:
                    found = re.search(rb"(?i)content-length: (\d+)", head)
                    body = await reader.readexactly(int(found[1]) if found else 0)
                    writer.write(reply(body=b"%d" % len(body)))
        writer.close()

    async def send(self, writer, size):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        block = bytes(16 * 1024)
        for _ in range(size // len(block)):
            writer.write(block)
            await writer.drain()
            self.all_sent.value += len(block)
        self.all_finished.value += 1


def held_by(gw):
    """Client's port -> bytes that are queued for it, of the connections that the gateway holds: sockets that it has
    closed have no file any more."""
    mine, held = f"{gw.port:04X}", {}
    for line in Path(f"/proc/{gw.pid}/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues, *rest = line.split()
        if local.endswith(mine) and rest[4] != "0" and not remote.endswith(":0000"):
            held[int(remote[-4:], 16)] = int(queues[:8], 16)
    return held


@dataclass
class Hold:
    queued: int = 0
    moved: float = 0  # when what is queued for it last changed
    ended: float = 0


def watch_held(gw, socks, most):
    """How long the gateway holds each of its clients: until none is left, or `most` seconds."""
    began = time.monotonic()
    holds = {sock.getsockname()[1]: Hold(moved=began) for sock in socks}
    left = dict(holds)
    while left and time.monotonic() < began + most:
        held, now = held_by(gw), time.monotonic()
        for port, hold in list(left.items()):
            if port not in held:
                hold.ended = now
                del left[port]
            elif held[port] != hold.queued:
                hold.queued, hold.moved = held[port], now
        time.sleep(0.05)
    for hold in left.values():
        hold.ended = time.monotonic()
    return list(holds.values())


# ---- row 4 ----

AWAY = "10.9.9.9"  # the vanishing clients' address


class Network:
    """A network of its own for what this thread starts, where clients can vanish; where that is not allowed they fall
    silent, which is all that the gateway can see of it as long as it sends nothing."""

    def __init__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        self.own = libc.unshare(0x40000000) == 0  # CLONE_NEWNET
        if not self.own and ctypes.get_errno() not in (errno.EPERM, errno.EINVAL):
            raise OSError(ctypes.get_errno(), "unshare")
        if self.own:
            self.ip("link", "set", "lo", "up")
            self.ip("address", "add", f"{AWAY}/32", "dev", "lo")

    def small_buffers(self):
        """The kernel queues little: not megabytes for each client that takes nothing, which would have to be filled first."""
        for name in ("tcp_wmem", "tcp_rmem"):
            with contextlib.suppress(OSError):
                if self.own:
                    Path(f"/proc/sys/net/ipv4/{name}").write_text("4096 32768 131072")

    @staticmethod
    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    def connect(self, port):
        return socket.create_connection(("127.0.0.1", port), 20, source_address=(AWAY, 0) if self.own else None)

    def vanish(self):
        if self.own:
            self.ip("address", "delete", f"{AWAY}/32", "dev", "lo")


def in_its_network(function):
    """Runs a row, whose second argument is the Network, in a thread: one that has left the network of the process cannot
    come back."""
    @functools.wraps(function)
    def run(case):
        failed = []

        def body():
            try:
                function(case, Network())
            except BaseException as error:  # shown by the row
                failed.append(error)

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]

    return run


UPGRADE = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
STAGES = {
    "before its first request": b"",
    "between two requests": request_bytes(target="/small"),
    "in a request head": b"GET /small HTTP/1.1\r\nHost: gw.t",
    "in a request body": b"POST /small HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 10\r\n\r\nhalf",
    "in a response": request_bytes(target="/big"),
    "in a tunnel": request_bytes(target="/tunnel", headers=UPGRADE),
}


@row(4, "client vanishes without FIN")
@in_its_network
def vanishes(case, network):
    count = case.pick(full=30, small=5)
    after = f"{DEADLINE}s"
    with BigOrigin() as origin, gateway(origin.port, after, after, after, after, after) as gw, contextlib.ExitStack() as open_files:
        clients = {stage: [open_files.enter_context(network.connect(gw.port)) for _ in range(count)] for stage in STAGES}
        for stage, sent in STAGES.items():
            for sock in clients[stage]:
                sock.sendall(sent)
        for stage in ("between two requests", "in a response", "in a tunnel"):
            for sock in clients[stage]:
                sock.recv(100)
        network.vanish()
        vanished = time.monotonic()
        holds = iter(watch_held(gw, [sock for socks in clients.values() for sock in socks], DEADLINE + 5))
        for stage in STAGES:
            slowest = max(next(holds).ended for _ in range(count)) - vanished
            case.at_most(f"let go after the time-out, vanished {stage}", slowest - DEADLINE, 1.0, "s")


@row(4, "client half-closes after its request")
def half_closes(case):
    requests = {
        "a big answer": request_bytes(target="/big"),
        "an answer after a script slept": request_bytes(target="/asleep/x"),
        "a request with a body": request_bytes("POST", "/small", body=b"b" * 100_000),
        "HTTP/1.0": b"GET /big HTTP/1.0\r\n\r\n",
        "two requests at once": request_bytes(target="/small") + request_bytes(target="/big"),
    }
    count = case.pick(full=20, small=2)
    with BigOrigin() as origin, gateway(origin.port) as gw:
        for what, sent in requests.items():
            whole = 0
            for _ in range(count):
                with connect(gw.port) as sock:
                    sock.sendall(sent)
                    sock.shutdown(socket.SHUT_WR)
                    stream = Stream(sock)
                    responses = [stream.response() for _ in range(2 if what.startswith("two") else 1)]
                    whole += all(each.status == 200 for each in responses) and (b"/big" not in sent or len(responses[-1].body) == BIG)
            case.exactly(f"whole, {what}", whole, count)


# ---- row 5 ----

def give_way():
    """The calling thread stands for machines that are elsewhere: it must not take a core from the gateway."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


class Dawdlers(threading.Thread):
    """Clients on `socks`: every `pause` seconds each reads `read` bytes and sends `send`, until stopped. They take turns,
    so that what they cost comes evenly, as it would from clients that know nothing of each other."""

    TURN = 0.01

    def __init__(self, socks, pause, read=0, send=b""):
        super().__init__(daemon=True)
        self.socks, self.pause, self.read, self.send = socks, pause, read, send
        self.ended = threading.Event()
        for sock in socks:
            sock.setblocking(False)
        self.start()

    def run(self):
        give_way()
        turns = max(1, round(self.pause / self.TURN))
        while True:
            for turn in range(turns):
                if self.ended.wait(self.pause / turns):
                    return
                for sock in self.socks[turn::turns]:
                    with contextlib.suppress(OSError):
                        if self.send:
                            sock.send(self.send)
                        if self.read:
                            sock.recv(self.read)

    def stop(self, after=0):
        time.sleep(after)
        self.ended.set()
        self.join()


def small_reader(port):
    """A client whose kernel takes little for it."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    sock.settimeout(20)
    sock.connect(("127.0.0.1", port))
    return sock


def wait_until_still(value, quiet=0.5, most=30):
    """Until it has not changed for a while."""
    last, since, end = value(), time.monotonic(), time.monotonic() + most
    while time.monotonic() - since < quiet and time.monotonic() < end:
        time.sleep(0.05)
        if (now := value()) != last:
            last, since = now, time.monotonic()
    return last


@row(5, "1,000 clients read 10 MiB slowly")
@in_its_network
def read_slowly(case, network):
    network.small_buffers()
    count, turns = case.pick(full=1000, small=100), case.pick(full=8, small=1)
    calm, beside, grown, finished = [], [], 0, 0
    with BigOrigin() as origin, gateway(origin.port) as gw, apart(gw, case.full):
        rate = rate_of_seventy_percent(gw) if case.full else 300
        for _ in range(turns):  # undisturbed and beside them in turns: what the machine does meanwhile is in both
            calm += in_rounds(gw.port, rate, case.pick(full=4, small=1))
            before, finished_before = gw.memory(), origin.finished
            with contextlib.ExitStack() as open_files:
                socks = [open_files.enter_context(small_reader(gw.port)) for _ in range(count)]
                for sock in socks:
                    sock.sendall(request_bytes(target="/long"))
                wait_until_still(lambda: origin.sent)
                Dawdlers(socks, 0.1, read=4096).stop(after=1.5)  # 60 KiB: more than kernels hold; from now on the gateway has to act
                readers = Dawdlers(socks, 1.0, read=4096)
                beside += in_rounds(gw.port, rate, case.pick(full=4, small=1))
                grown = max(grown, gw.memory() - before)
                readers.stop()
                finished += origin.finished - finished_before
        others = sum_of(beside)
    case.at_most(f"memory a client, of {count:,}", grown / count / 1024, 96, "KiB")
    case.exactly("bodies that the upstream could send to their end", finished, 0)
    case.exactly("errors of others", others.errors, 0)
    case.at_least("answers to others", others.answers, rate * len(beside) * 0.98)
    case.at_most_where_alone("p99 of others, times the undisturbed", others.p99_ms / sum_of(calm).p99_ms, 1.2)


# ---- row 6 ----

SLOW = {
    "head, byte by byte": (b"GET /small HTTP/1.1\r\nHost: gw.test\r\nX-Slow: ", b"a"),
    "head, nothing more": (b"GET /small HTTP/1.1\r\nHost: gw.te", b""),
    "body, byte by byte": (b"POST /bounded/x HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 100000\r\n\r\n", b"a"),
    "body, nothing more": (b"POST /small HTTP/1.1\r\nHost: gw.test\r\nContent-Length: 100000\r\n\r\n", b""),
    "response, byte by byte": (request_bytes(target="/bounded/long"), b""),
    "response, nothing taken": (request_bytes(target="/long"), b""),
}


@row(6, "slowloris: head, body and response")
@in_its_network
def slowloris(case, network):
    network.small_buffers()
    counts = dict.fromkeys(SLOW, case.pick(full=667, small=40))
    deadline = case.pick(full=5, small=2)  # long enough to begin them all
    after = f"{deadline}s"
    with BigOrigin() as origin, gateway(origin.port, after, after, after, deadline=deadline) as gw, contextlib.ExitStack() as open_files:
        rate, seconds = case.pick(full=2000, small=200), deadline + 6
        with Others(gw.port, rate=rate, seconds=seconds) as others:
            clients = {kind: [open_files.enter_context(small_reader(gw.port)) for _ in range(counts[kind])] for kind in SLOW}
            begun = {}
            for kind, (start, _) in SLOW.items():
                for sock in clients[kind]:
                    sock.sendall(start)
                begun[kind] = time.monotonic()
            for kind in ("response, byte by byte", "response, nothing taken"):
                for sock in clients[kind]:
                    sock.recv(1)  # it has begun
            dawdlers = [Dawdlers(clients[kind], 0.5, read=1 if kind == "response, byte by byte" else 0, send=sent)
                        for kind, (_, sent) in SLOW.items()]
            holds = iter(watch_held(gw, [sock for socks in clients.values() for sock in socks], deadline + 4))
            for dawdler in dawdlers:
                dawdler.stop()
    for kind in SLOW:
        each = [next(holds) for _ in range(counts[kind])]
        # Who takes nothing is late from when the kernel took no more for it either.
        slowest = max(hold.ended - (hold.moved if kind == "response, nothing taken" else begun[kind]) for hold in each)
        case.at_most(f"closed after the deadline: {kind}, {counts[kind]} connections", slowest - deadline, 1.0, "s")
    case.exactly("errors of others " + others.figures.fault, others.figures.errors, 0)
    case.at_least("others served", 100.0 * others.figures.answers / (rate * seconds), 99.9, "%")  # the last ones are under way


# ---- row 7 ----

def cpu_seconds(gw):
    """Of all its threads that still run."""
    tasks = Path(f"/proc/{gw.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def descriptors(gw):
    return len(os.listdir(f"/proc/{gw.pid}/fd"))


def request_on(sock, target, **request):
    sock.sendall(request_bytes(target=target, **request))
    return Stream(sock).response()


@row(7, "file descriptors exhausted")
def no_descriptors(case):
    room, idle = 60, case.pick(full=5, small=1)  # seconds
    with Origin() as origin, gateway(origin.port) as gw, contextlib.ExitStack() as open_files:
        kept = [open_files.enter_context(connect(gw.port)) for _ in range(20)]
        for sock in kept:
            request_on(sock, "/small")
        resource.prlimit(gw.pid, resource.RLIMIT_NOFILE, (descriptors(gw) + room,) * 2)
        hogs = [connect(gw.port) for _ in range(room + 50)]
        gw.wait_log("cannot accept connections")
        waiting = [open_files.enter_context(connect(gw.port)) for _ in range(5)]
        for sock in waiting:
            sock.sendall(request_bytes(target="/others"))
        used, began = cpu_seconds(gw), time.monotonic()
        time.sleep(idle)
        busy = 100 * (cpu_seconds(gw) - used) / (time.monotonic() - began)
        served = [request_on(sock, target).status for sock in kept for target in ("/others", "/small", "/others")]
        lines = sum("cannot accept" in line for line in gw.log_lines())

        released = time.monotonic()
        for hog in hogs:
            hog.close()
        first = ask(gw.port, request_bytes(target="/others")).status
        first_after = time.monotonic() - released
        late = {Stream(sock).response().status for sock in waiting}
        all_after = time.monotonic() - released
        more = {ask(gw.port, request_bytes(target="/small")).status for _ in range(50)}
    case.at_most("processor used without work", busy, 20, "%")
    case.exactly("answers on connections that were there", (set(served), len(served)), ({200}, 60))
    case.at_most("lines in the log about it", lines, 1 + idle)
    case.exactly("a new client after the release", first, 200)
    case.at_most("answered after", first_after, 1.0, "s")
    case.exactly("those who waited meanwhile", late, {200})
    case.at_most("all answered after", all_after, 1.0, "s")
    case.exactly("fifty more", more, {200})
