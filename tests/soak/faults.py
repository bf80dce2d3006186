"""One function a fault. Each gets the gateway and a random number generator, makes its fault, and raises Odd where what
came of it is not what must come."""
import os
import signal
import socket
import threading
import time
from pathlib import Path

from support.wire import Stream, ask, connect, request_bytes, reset

import gateway as setup


STORE = threading.Lock()  # has who writes keys, and who breaks what keeps them


class Odd(Exception):
    """The gateway answered what it must not."""


def expect(response, wanted, what):
    if response.status not in wanted:
        raise Odd(f"{what}: {response.status}, wanted {' or '.join(map(str, sorted(wanted)))}")
    return response


# What a neighbour's misdeed may do to a call of the same instance: it may be lost with it, or wait too long for it.
NEIGHBOURLY = {503}
WANTED = {"spin": {504}, "hoard": {500}, "throw": {500}, "bad": {500}, "fine": {200}}


def script(gateway, random):
    language = random.choice(list(setup.SCRIPTS))
    placement = random.choice(setup.PLACEMENTS)
    what = random.choice(setup.MISDEEDS)
    identity = str(random.random())
    wanted = set(WANTED[what])
    if what in ("hoard", "throw"):
        wanted |= {504}  # a busy machine, or a sanitizer, may come to the budget first
    wanted |= NEIGHBOURLY  # also inline: a step that spends its budget again and again moves to threads
    path = f"/{language}/{placement}/{what}"
    response = expect(ask(gateway.port, request_bytes(target=path, headers=[("X-Id", identity)])), wanted, path)
    if response.status == 200 and response.value("X-Id") != identity:
        raise Odd(f"{path}: an answer to somebody else: {response.value('X-Id')}")


def crash(gateway, random):
    what = random.choice(["exit", "abort", "segfault", "sleep"])
    path = f"/python/process/{what}"
    # On a busy machine a process may take longer to die than the call has.
    expect(ask(gateway.port, request_bytes(target=path)), {503, 504}, path)


def kill_a_worker(gateway, random):
    workers = children(gateway.pid)
    if workers:
        os.kill(random.choice(workers), random.choice([signal.SIGKILL, signal.SIGSEGV]))


def upstream(gateway, random):
    how, wanted = random.choice([("reset", {502}), ("broken", {502}), ("silent", {504})])
    expect(ask(gateway.port, request_bytes(target=f"/upstream/{how}")), wanted, how)


def upstream_is_gone(gateway, random):
    expect(ask(gateway.port, request_bytes(target="/gone")), {502}, "no upstream")


def cut_response(gateway, random):
    how = random.choice(["cut", "cut-chunked"])
    try:
        response = ask(gateway.port, request_bytes(target=f"/upstream/{how}"))
    except (EOFError, ConnectionError):
        return
    raise Odd(f"{how}: a cut response looks whole: {response.status}, {len(response.body)} bytes")


def answered_early(gateway, random):
    """The upstream answers while the request's body still comes: well, malformed, or no further; a hook waits meanwhile."""
    path = f"/{random.choice(list(setup.SCRIPTS))}/{random.choice(setup.PLACEMENTS)}/early"
    identity = str(random.random())
    framing = {"well": ("Content-Length", "2000"), "malformed": ("Transfer-Encoding", "chunked"), "no further": ("Content-Length", "2000")}
    how = random.choice(list(framing))
    wanted = {"well": {200}, "malformed": {200, 400}, "no further": {200, 408}}[how] | NEIGHBOURLY
    with connect(gateway.port) as sock:
        sock.sendall(request_bytes("POST", path, [("X-Id", identity), framing[how]]))
        time.sleep(random.random() / 10)  # so that the rest comes at any moment of the answer
        sock.sendall({"well": b"x" * 2000, "malformed": b"no chunk\r\n", "no further": b"x"}[how])
        try:
            response = expect(Stream(sock).response(), wanted, f"{path}, {how}")
        except (EOFError, ConnectionError):
            if how == "well":
                raise
            return  # the answer had begun
    if response.value("X-Id") not in ({identity} if response.status == 200 else {identity, None}):
        raise Odd(f"{path}, {how}: an answer to somebody else: {response.value('X-Id')}")


def client_vanishes(gateway, random):
    with connect(gateway.port) as sock:
        path = random.choice(["/upstream/big", "/upstream/silent", "/lua/thread/spin", "/python/process/spin", "/others/ok"])
        body = b"x" * 100_000
        raw = request_bytes("POST", path, body=body)
        sock.sendall(raw[: random.choice([10, len(raw) - 50_000, len(raw)])])
        if random.random() < 0.5:
            time.sleep(random.random() / 20)  # so that it leaves at any moment of the exchange
        reset(sock)


def client_trickles(gateway, random):
    with connect(gateway.port) as sock:
        raw = request_bytes("POST", "/others/ok", body=b"x" * 1000)
        sock.sendall(raw[: random.choice([20, len(raw) - 500])])
        response = Stream(sock).to_end()  # it is told, and closed
        if response and not response.startswith(b"HTTP/1.1 408"):
            raise Odd(f"a client that stopped sending: {response[:60]!r}")


def client_reads_slowly(gateway, random):
    with connect(gateway.port) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(request_bytes(target="/upstream/big"))
        for _ in range(20):
            sock.recv(4096)
            time.sleep(0.02)  # that is what makes it slow


MALFORMED = [b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET  / HTTP/1.1\r\n\r\n",
             b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n X: y\r\n\r\n",
             b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/9.9\r\nHost: a\r\n\r\n"]


def malformed(gateway, random):
    with connect(gateway.port) as sock:
        sock.sendall(random.choice(MALFORMED))
        sock.shutdown(socket.SHUT_WR)
        response = Stream(sock).to_end()
        if not response.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5")):
            raise Odd(f"malformed: {response[:60]!r}")


def many_connections(gateway, random):
    held = [connect(gateway.port) for _ in range(100)]
    for sock in held:
        sock.close()


FAULTS = (script, script, script, crash, kill_a_worker, upstream, upstream_is_gone, cut_response, answered_early, client_vanishes,
          client_vanishes, client_trickles, client_reads_slowly, malformed, many_connections)


def children(pid):
    text = "".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return [int(each) for each in text.split()]
