"""Row 23: the calendar jumps while the gateway serves."""
import random
import threading
import time

from shim import Shim
from support.admin import Admin
from support.gateway import Gateway
from support.wire import Origin, Stream, ask, connect, request_bytes
from table import row

HOUR = 3600
CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
admin: {{address: 127.0.0.1:0}}
limits: {{timeout: {{idle: 700ms, drain: 1s}}}}
upstreams:
  silent: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off, timeout: {{response: 500ms}}}}
routes:
  - {{name: silent, match: {{path: /silent}}, upstream: silent}}
  - {{name: here, match: {{path: /here}}, respond: {{status: 200}}}}
  - {{name: sleeps, match: {{path: /sleeps}}, chain: [script: {{file: sleep.lua}}], respond: {{status: 200}}}}
  - {{name: hourly, match: {{path: /hourly}}, chain: [rate-limit: {{rate: 3/1h, by: route}}], respond: {{status: 200}}}}
  - {{name: quick, match: {{path: /quick}}, chain: [rate-limit: {{rate: 2/1s, burst: 2, by: route}}], respond: {{status: 200}}}}
  - {{name: quota, match: {{path: /quota}}, chain: [quota: {{max: 3, every: 96h, by: route}}], respond: {{status: 200}}}}
  - {{name: short, match: {{path: /short}}, chain: [quota: {{max: 2, every: 1s, by: route}}], respond: {{status: 200}}}}
  - {{name: mine, match: {{path: /mine}}, chain: [key-auth], respond: {{status: 200}}}}
"""
FILES = {"sleep.lua": "return {request = function() lingate.sleep(0.5) end}\n"}


def took(work):
    began = time.monotonic()
    result = work()
    return time.monotonic() - began, result


def statuses(gw, path, count):
    return [ask(gw.port, request_bytes(target=path)).status for _ in range(count)]


def idle_lasts(sock):
    """How long the gateway keeps a connection that asks for nothing."""
    seconds, end = took(lambda: sock.recv(1))
    assert end == b"", end
    return seconds


def one_jump(case, name, jump):
    """Everything that waits is begun before the jump, and everything that counts has counted."""
    silence = Origin(serve=lambda sock, stream: (stream.head(), stream.to_end()))
    with Shim() as shim, silence as origin, Gateway(CONFIG.format(port=origin.port), FILES, env=shim.env) as gw:
        admin = Admin(gw)
        key = admin.ask("POST", "/keys", {"expires": time.time() + 30 * 24 * HOUR})[1]["key"]
        mine = request_bytes(target="/mine", headers=[("X-Api-Key", key)])
        case.exactly(f"{name}: before it", (ask(gw.port, mine).status, statuses(gw, "/hourly", 4), statuses(gw, "/quota", 4)),
                     (200, [200] * 3 + [429], [200] * 3 + [429]))
        waiting = {path: Stream(connect(gw.port)) for path in ("/silent", "/sleeps")}
        idle = connect(gw.port)
        idle.sendall(request_bytes(target="/here"))
        Stream(idle).response()
        for path, stream in waiting.items():
            stream.sock.sendall(request_bytes(target=path))
        began = time.monotonic()
        shim.jump(jump)
        answers = {}
        for path, stream in waiting.items():
            answers[path] = stream.response().status
            case.at_most(f"{name}: {path}, off the 500 ms that it takes", abs(time.monotonic() - began - 0.5) * 1000, 150, "ms")
            stream.sock.close()
        case.exactly(f"{name}: their answers", answers, {"/silent": 504, "/sleeps": 200})
        idle_lasts(idle)
        case.at_most(f"{name}: an idle connection, off its 700 ms", abs(time.monotonic() - began - 0.7) * 1000, 150, "ms")
        idle.close()
        seconds, status = took(lambda: ask(gw.port, request_bytes(target="/silent")).status)
        case.at_most(f"{name}: a time-out begun after it, off its 500 ms", abs(seconds - 0.5) * 1000, 150, "ms")
        case.exactly(f"{name}: what was used up stays used up", (status, statuses(gw, "/hourly", 1), statuses(gw, "/quota", 1)),
                     (504, [429], [429]))
        case.exactly(f"{name}: a rate of 2/1s, and a quota of 2 a second", (statuses(gw, "/quick", 3), statuses(gw, "/short", 3)),
                     ([200, 200, 429], [200, 200, 429]))
        time.sleep(1.1)  # the second that they renew in
        case.exactly(f"{name}: and a second later", (statuses(gw, "/quick", 3), statuses(gw, "/short", 3)),
                     ([200, 200, 429], [200, 200, 429]))
        case.exactly(f"{name}: a key for 30 days", ask(gw.port, mine).status, 200)
        case.exactly(f"{name}: and one that is made now", admin.ask("POST", "/keys", {})[0], 201)
        seconds, code = took(gw.stop)
        case.at_most(f"{name}: the end of it all takes", seconds, 2, "s")
        case.exactly(f"{name}: exit code", code, 0)


@row(23, "clock jumps ±1 h, ±1 day")
def calendar_jumps(case):
    jumps = {"+1 h": HOUR, "−1 h": -HOUR, "+1 day": 24 * HOUR, "−1 day": -24 * HOUR}
    for name, jump in jumps.items() if case.full else [("+1 day", jumps["+1 day"]), ("−1 h", -HOUR)]:
        one_jump(case, name, jump)


@row(23, "the clock is set back while a configuration is read")
def set_back_during_a_reload(case):
    choose, slowest, statuses_seen = random.Random(23), 0.0, set()
    with Shim() as shim, Gateway(CONFIG.format(port=1), FILES, env=shim.env) as gw:
        admin = Admin(gw)
        for _ in range(case.pick(full=100, small=20)):
            shim.jump(HOUR)
            set_back = threading.Timer(choose.random() * 0.005, shim.jump, [0])
            set_back.start()
            seconds, (status, _) = took(lambda: admin.ask("POST", "/config/reload"))
            statuses_seen.add(status)
            slowest = max(slowest, seconds)
            set_back.join()
    case.exactly("answers to the reloads", statuses_seen, {200})
    case.at_most("the slowest reload", slowest, 2, "s")
