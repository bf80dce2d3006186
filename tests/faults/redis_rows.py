"""Row 10: Redis is gone, stopped, slow, or answers errors."""
import re
import signal
import time

from others import p99_in_turns, seventy_percent
from support.admin import Admin
from support.gateway import Gateway
from support.redis import Between, Redis
from support.runaways import Lateness
from support.wire import Stream, ask, connect, problem_code, request_bytes
from table import row

STALE = 4  # seconds
CONFIG = """
version: 1
workers: 2
listen:
  - address: 127.0.0.1:0
admin: {{address: 127.0.0.1:0}}
store: {{kind: redis, url: "{url}", stale: {stale}s}}
routes:
  - {{name: known, match: {{path: /known}}, chain: [key-auth], respond: {{status: 200}}}}
  - {{name: few, match: {{path: /few}}, chain: [rate-limit: {{rate: 5/1h, by: header.X-Who}}], respond: {{status: 200}}}}
  - {{name: quota, match: {{path: /quota}}, chain: [quota: {{max: 5, every: 1h, by: header.X-Who}}], respond: {{status: 200}}}}
  - {{name: others, match: {{path: /others}}, respond: {{text: fine}}}}
"""
FAULTS = {
    "gone": (lambda redis, between: redis.kill(), lambda redis, between: redis.start()),
    "stopped": (lambda redis, between: redis.signal(signal.SIGSTOP), lambda redis, between: redis.signal(signal.SIGCONT)),
    "500 ms slow": (lambda redis, between: setattr(between, "how", "slow"), lambda redis, between: setattr(between, "how", "passes")),
    "answering errors": (lambda redis, between: setattr(between, "how", "errors"), lambda redis, between: setattr(between, "how", "passes")),
}


def gateway(between, stale=STALE):
    return Gateway(CONFIG.format(url=between.url, stale=stale))


def get(gw, path, **fields):
    return ask(gw.port, request_bytes(target=path, headers=[(name.replace("_", "-"), text) for name, text in fields.items()]))


def is_open(admin):
    page = admin.raw("GET", "/metrics", headers={"Authorization": "Bearer " + admin.token})[2].decode()
    return re.search(r"^lingate_store_breaker_open\S* (\d)", page, re.M)[1] == "1"


def until(condition, most=15):
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > most:
            raise AssertionError(f"not within {most} s")
        time.sleep(0.005)
    return time.monotonic() - began


def one_fault(case, name, begin, end):
    with Redis() as redis, Between(redis) as between, gateway(between) as gw, Lateness() as lateness:
        admin = Admin(gw)
        key = admin.ask("POST", "/keys", {})[1]["key"]
        before = {get(gw, "/known", X_Api_Key=key).status for _ in range(16)}  # by each worker
        lateness.take()
        begin(redis, between)
        began, slowest, codes, number = time.monotonic(), {"/known": 0, "/few": 0, "/quota": 0}, set(), 0
        with connect(gw.port) as sock:
            stream = Stream(sock)
            away = False
            while not away and time.monotonic() - began < 10:
                away = is_open(admin)
                opened = time.monotonic() - began  # with one more round after that
                for path in slowest:
                    number += 1
                    fields = [("X-Api-Key", f"nobody-has-this-key-{number}"), ("X-Who", f"caller-{number}")]
                    asked = time.monotonic()
                    sock.sendall(request_bytes(target=path, headers=fields))
                    response = stream.response()
                    slowest[path] = max(slowest[path], time.monotonic() - asked)
                    codes.add((path, response.status))
        late = lateness.take()
        for path, took in slowest.items():
            case.at_most(f"{name}: the slowest answer of {path}, beyond what this machine was late by", max(0.0, took - late) * 1000, 50, "ms")
        case.exactly(f"{name}: answers", codes, {("/known", 503), ("/few", 200), ("/quota", 200)})
        case.at_most(f"{name}: the breaker opens after", opened, 1, "s")
        gw.wait_log("breaker open")
        case.exactly(f"{name}: a key that is not known", problem_code(get(gw, "/known", X_Api_Key="nobody-has-this-key")), "LG5101")
        case.exactly(f"{name}: a key that is known, before and then", before | {get(gw, "/known", X_Api_Key=key).status for _ in range(16)}, {200})
        for path in ("/few", "/quota"):
            case.exactly(f"{name}: {path} is counted here", [get(gw, path, X_Who="here").status for _ in range(7)], [200] * 5 + [429] * 2)
        until(lambda: get(gw, "/known", X_Api_Key=key).status == 503)
        case.at_most(f"{name}: the known key ends, away from the time stated", abs(time.monotonic() - began - STALE), 1, "s")
        end(redis, between)
        case.at_most(f"{name}: it is well again after", until(lambda: get(gw, "/known", X_Api_Key=key).status == 200), 2, "s")


@row(10, "Redis gone, stopped, 500 ms slow, answering errors")
def redis_is_away(case):
    for name, (begin, end) in FAULTS.items():
        one_fault(case, name, begin, end)


@row(10, "Redis away: others")
def others_beside_it(case):
    for name, (begin, end) in list(FAULTS.items()) if case.full else [("stopped", FAULTS["stopped"])]:
        with Redis() as redis, Between(redis) as between, gateway(between) as gw:
            rate = seventy_percent(gw.port) if case.full else 300
            calm, beside = p99_in_turns(gw.port, rate, case.pick(full=15, small=1), lambda: begin(redis, between), lambda: end(redis, between))
            case.exactly(f"{name}: errors of others", calm.errors + beside.errors, 0)
            case.at_most_where_alone(f"{name}: p99 of others, times the undisturbed", beside.p99_ms / calm.p99_ms, 1.1)
