"""The cost gate: no request of at most 64 KiB costs more than 1 MiB or 10 ms of the processor outside scripts."""
import contextlib
import re
import time
from pathlib import Path

from support.gateway import Gateway
from support.wire import Origin, Stream, connect, reply
from table import row

MOST = 64 * 1024

# Every step that looks at what a client chose; the script is there for what it costs to hand a request over.
CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
trusted: [{trusted}]
{limits}
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}, {{url: "http://localhost:{port}"}}], eject: off, balance: hash, hash_by: cookie.zz}}
chains:
  all:
    - request-id
    - access-log: {{file: {log}}}
    - cors: {{origins: ["https://a.test"], headers: "*"}}
    - headers: {{request: {{set: {{X-A: a}}, add: {{X-B: b}}, remove: [X-C]}}, response: {{remove: [Server], set: {{X-D: d}}}}}}
    - body-limit: 1MiB
routes:
  - name: query
    match: {{path: "/query/*", query: {{version: "2", other: true, none: false}}}}
    chain: [use: all]
    respond: {{text: fine}}
  - {{name: headers, match: {{path: "/*", headers: {{X-Version: "2"}}}}, respond: {{text: fine}}}}
  - name: rewritten
    match: {{path: "/rewrite/{{a}}/{{b}}/*"}}
    chain: [use: all, rewrite: {{path: "/{{a}}/{{b}}/{{a}}/{{*}}"}}]
    upstream: origin
  - name: buffered
    match: {{path: "/buffered/*"}}
    chain: [use: all, script: {{file: touch.lua, budget: 1s, body: both}}]
    upstream: origin
  - name: every
    match: {{path: "/*"}}
    chain: [use: all, script: {{file: touch.lua, budget: 1s}}]
    upstream: origin
"""
TOUCH = """
return {
  request = function(req) req.headers["X-Touched"] = "1" end,
  response = function(res) res.headers["X-Touched"] = "1" end,
}
"""
WIDE = "limits: {head: 1MiB, field: 1MiB, target: 1MiB, fields: 5000}"


def request(target="/x", fields=(), body=b"", method=None, size=MOST):
    method = method or ("POST" if body else "GET")
    lines = [f"{method} {target} HTTP/1.1", "Host: gw.test", *fields]
    raw = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
    assert len(raw) <= size, (len(raw), raw[:100])
    return raw


def up_to(size, one):
    """As many of one(0), one(1) … as fit."""
    made, used = [], 0
    while used + (length := len(text := one(len(made))) + 2) <= size:
        made.append(text)
        used += length
    return made


def chunked(target, body):
    return request(target, ["Transfer-Encoding: chunked"], method="POST") + body


def heads(size, fields, line=MOST):
    """Heads of `size` bytes with at most so many fields, each at most one `line`."""
    room = size - 300
    line = min(room, line - 100)
    names = up_to(room // 3, lambda k: f"x{k:x}:")[:fields - 12]
    return {
        "plain": request(),
        "many fields": request(fields=up_to(room, lambda k: "a:")[:fields - 12]),
        "many names": request(fields=up_to(room, lambda k: f"x{k:x}: {k}")[:fields - 12]),
        "a name many times": request(fields=up_to(room, lambda k: "X-A: a")[:fields - 12]),
        "Connection names all": request(fields=["Connection: " + ",".join(n[:-1] for n in names)[:line]] + names),
        "many Connection": request(fields=up_to(room, lambda k: f"Connection: x{k:x}, y{k:x}")[:fields - 12]),
        "Connection of commas": request(fields=["Connection: x" + "," * (room // 2), *up_to(room // 3, lambda k: "a:")[:fields - 12]]),
        "Connection of spaces": request(fields=["Connection: " + " " * min(room // 2, line) + ",x", *up_to(room // 3, lambda k: "a:")[:fields - 12]]),
        "hop after hop": request(fields=["X-Forwarded-For: " + ",".join(["10.0.0.1"] * (line // 9))]),
        "hops over lines": request(fields=up_to(room, lambda k: "X-Forwarded-For: ::1,10.0.0.1, ,x")[:fields - 12]),
        "claims": request(fields=up_to(room, lambda k: f"X-Forwarded-{k:x}:")[:fields - 12]),
        "cookies": request(fields=["Cookie: " + "a=1; " * (line // 5)]),
        "cookies without value": request(fields=["Cookie: " + "z;" * (line // 2)]),
        "preflight": request(method="OPTIONS", fields=["Origin: https://a.test", "Access-Control-Request-Method: PUT",
                                                        "Access-Control-Request-Headers: " + "x," * (line // 2) + "x"]),
        "bytes above ASCII": request(fields=["X-Bytes: " + "\xff" * line]),
        "refused at its end": request(fields=up_to(room, lambda k: f"x{k:x}: {k}")[:fields - 12] + ["bad line"]),
        "websocket": request(fields=["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: " + "k" * (line - 50)]),
    }


def targets(size):
    room = size - 200
    return {
        "up and down": request("/" + "a/../" * (room // 5)),
        "encoded dots": request("/" + "%2e%2E/a/" * (room // 9)),
        "slashes": request("/" * room),
        "segments": request("/rewrite" + "/a" * (room // 2)),
        "a long parameter": request("/rewrite/" + "%41" * (room // 9) + "/" + "%2F" * (room // 9) + "/" + "b" * (room // 9)),
        "needless triplets": request("/" + "%61" * (room // 3)),
        "query, many": request("/query/x?" + "a&" * (room // 2)),
        "query, nearly": request("/query/x?" + "versio=2&" * (room // 9)),
        "query, encoded": request("/query/x?" + "%76ersion=%32&" * (room // 14)),
        "a long authority": request("http://" + "a." * (room // 4) + "test/" + "b" * (room // 4)),
    }


def bodies():
    room = MOST - 300
    nested = b"[" * (room // 2) + b"]" * (room // 2)
    return {
        "chunks of a byte": chunked("/x", b"1\r\nx\r\n" * (room // 6) + b"0\r\n\r\n"),
        "chunks of a byte, buffered": chunked("/buffered/x", b"1\r\nx\r\n" * (room // 6) + b"0\r\n\r\n"),
        "extensions": chunked("/x", (b"1;" + b"a" * 1000 + b"\r\nx\r\n") * (room // 1010) + b"0\r\n\r\n"),
        "quoted extensions": chunked("/x", (b'1;a="' + b'\\"' * 490 + b'"\r\nx\r\n') * (room // 1000) + b"0\r\n\r\n"),
        "short extensions": chunked("/x", (b"1" + b";a" * 500 + b"\r\nx\r\n") * (room // 1010) + b"0\r\n\r\n"),
        "zeros before a size": chunked("/x", b"000000000000001\r\nx\r\n" * (room // 21) + b"0\r\n\r\n"),
        "trailers": chunked("/x", b"0\r\n" + b"a:\r\n" * 95 + b"\r\n"),
        "a long trailer": chunked("/x", b"0\r\na: " + b"b" * 30_000 + b"\r\n\r\n"),
        "a broken last chunk": chunked("/buffered/x", b"1\r\nx\r\n" * (room // 6) + b"z\r\n"),
        "nested JSON": request("/buffered/x", [f"Content-Length: {len(nested)}", "Content-Type: application/json"], nested),
        "zeros": request("/buffered/x", [f"Content-Length: {room}"], bytes(room)),
        "an unwanted body": request("/query/x?version=2&other=1", [f"Content-Length: {room}"], bytes(room)),
        "more than it says": request("/x", ["Content-Length: 1"], bytes(room)),
        "empty lines": b"\r\n" * 4 + request(),
    }


def processor_time(gw):
    tasks = Path(f"/proc/{gw.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def let_settle(gw):
    """Until the gateway has used no processor for a moment: it has read what there is."""
    used = -1.0
    while (now := processor_time(gw)) - used > 0.0002:
        used = now
        time.sleep(0.02)


def exchange(port, raw):
    with connect(port) as sock, contextlib.suppress(EOFError, ConnectionError):
        sock.sendall(raw)
        return Stream(sock).response(raw.split(b" ", 1)[0].decode("latin-1").strip()).status


def cost_of(gw, raw, repeats):
    """(seconds of the processor a request, its status)"""
    exchange(gw.port, raw)
    let_settle(gw)
    before = processor_time(gw)
    statuses = {exchange(gw.port, raw) for _ in range(repeats)}
    let_settle(gw)
    return (processor_time(gw) - before) / repeats, statuses


def peak_of(gw, raw):
    """Bytes by which one such request raises what the gateway has resident, at its worst moment."""
    Path(f"/proc/{gw.pid}/clear_refs").write_text("5")  # the peak is now
    before = gw.rss()
    exchange(gw.port, raw)
    let_settle(gw)
    return int(re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{gw.pid}/status").read_text(), re.M)[1]) * 1024 - before


def held_of(gw, raw, count):
    """Bytes for each of `count` requests that lack their last byte."""
    with contextlib.ExitStack() as open_files:
        socks = [open_files.enter_context(connect(gw.port)) for _ in range(count)]
        let_settle(gw)
        before = gw.memory()
        for sock in socks:
            sock.sendall(raw[:-1])
        let_settle(gw)
        return (gw.memory() - before) / count


def measure(case, what, requests, limits="", trusted="127.0.0.1"):
    repeats, held = case.pick(full=100, small=3), case.pick(full=64, small=16)
    times, sizes, odd = {}, {}, {}
    config = CONFIG.format(port="{port}", limits=limits, trusted=trusted, log="/dev/null")
    with Origin(lambda request: reply(body=b"ok")) as origin, Gateway(config.replace("{port}", str(origin.port)), {"touch.lua": TOUCH}) as gw:
        exchange(gw.port, request())  # the first one ever is not it
        for name, raw in requests.items():
            sizes[name] = max(peak_of(gw, raw), held_of(gw, raw, held))
            times[name], statuses = cost_of(gw, raw, repeats)
            if not statuses or None in statuses or max(statuses) >= 500:
                odd[name] = statuses
            origin.requests.clear()
    most = max(times, key=times.get)
    case.exactly(f"{len(requests)} {what} that were neither served nor refused", odd, {})
    case.at_most(f"processor for the dearest, “{most}”", times[most] * 1000, 10, "ms")
    most = max(sizes, key=sizes.get)
    case.at_most(f"memory for the largest, “{most}”", sizes[most] / 1024, 1024, "KiB")


@row("cost", "requests that cost much: heads and targets within the limits as shipped")
def heads_as_shipped(case):
    measure(case, "heads", {**heads(32 * 1024, 100, 16 * 1024), **targets(8 * 1024)})


@row("cost", "requests that cost much: heads and targets of 64 KiB, limits raised")
def heads_with_limits_raised(case):
    measure(case, "heads", {**heads(MOST, 5000), **targets(MOST)}, WIDE)


@row("cost", "requests that cost much: the same from clients that nobody trusts")
def heads_of_strangers(case):
    measure(case, "heads", heads(MOST, 5000), WIDE, trusted="10.0.0.1")


@row("cost", "requests that cost much: bodies")
def costly_bodies(case):
    measure(case, "bodies", bodies())
