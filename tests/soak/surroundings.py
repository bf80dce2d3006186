"""What stands around the gateways, and goes wrong: the calendar, the disk under the store, the Redis of a second gateway."""
import contextlib
import errno
import os
import signal
import threading
import time

from shim import Shim
from support.admin import Admin
from support.gateway import CRASHES_AS_USUAL, Gateway
from support.redis import Between, Redis
from support.wire import ask, request_bytes

from faults import STORE, Odd, expect

HOUR, DAY = 3600, 86400
WELL_AGAIN = 3  # seconds

SECOND = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
admin: {{address: 127.0.0.1:0}}
log: {{level: error}}
store: {{kind: redis, url: "{url}", stale: 10s}}
routes:
  - {{name: others, match: {{path: /others/fixed}}, respond: {{text: here}}}}
  - {{name: limited, match: {{path: /others/limited}}, chain: [rate-limit: {{rate: 1000000/1s}}], respond: {{text: here}}}}
  - {{name: keyed, match: {{path: /keyed}}, chain: [key-auth], respond: {{text: here}}}}
"""


def until(condition, what):
    end = time.monotonic() + WELL_AGAIN
    while not condition():
        if time.monotonic() > end:
            raise Odd(f"{what}: not within {WELL_AGAIN} s")
        time.sleep(0.02)


class Surroundings:
    """`env` is for the first gateway, whose calendar and disk these are."""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.shim = stack.enter_context(Shim())
            self.redis = stack.enter_context(Redis())
            self.between = stack.enter_context(Between(self.redis))
            self.second = stack.enter_context(Gateway(SECOND.format(url=self.between.url), env=CRASHES_AS_USUAL))
            self.env = {**CRASHES_AS_USUAL, **self.shim.env}
            self.env["ASAN_OPTIONS"] += ":verify_asan_link_order=0"  # the shim is loaded before all else
            self.key = Admin(self.second).ask("POST", "/keys", {})[1]["key"]
            self.redis_lock = threading.Lock()
            self.faults = (self.calendar_jumps, self.disk_breaks, self.redis_fails)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *what):
        return self._stack.__exit__(*what)

    def calendar_jumps(self, gateway, random):
        self.shim.jump(random.choice((-DAY, -HOUR, 0, HOUR, DAY)))
        expect(ask(gateway.port, request_bytes(target="/upstream/ok")), {200}, "a request after the jump")

    def disk_breaks(self, gateway, random):
        admin = Admin(gateway)
        with STORE:
            kind = random.choice((errno.ENOSPC, errno.EIO, errno.EROFS))
            self.shim.fail_writes(kind)
            try:
                status = admin.ask("POST", "/keys", {})[0]
            finally:
                self.shim.fail_writes(0)
            if status != 503:
                raise Odd(f"a key is made while the disk says {os.strerror(kind)}: {status}")
            made = []

            def writes():
                status, key = admin.ask("POST", "/keys", {})
                made.append(key)
                return status == 201

            until(writes, "the store is well again")
            admin.ask("DELETE", "/keys/" + made[-1]["session"]["id"])

    def keyed(self, key):
        return ask(self.second.port, request_bytes(target="/keyed", headers=[("X-Api-Key", key)]))

    def redis_fails(self, gateway, random):
        kind = random.choice(("killed", "stopped", "slow", "errors"))
        with self.redis_lock:
            until(lambda: self.keyed(self.key).status == 200, "a key before Redis fails")
            self.redis_becomes(kind)
            try:
                for _ in range(5):
                    expect(self.keyed(self.key), {200}, f"a key that is known, Redis {kind}")
                    # Refused in either way: an answer that was under way when the errors began may come after them.
                    expect(self.keyed(f"nobody-{random.random()}"), {401, 503}, f"a key that is not known, Redis {kind}")
            finally:
                self.redis_becomes("well", kind)
            until(lambda: self.keyed(f"nobody-{random.random()}").status == 401, f"Redis is back, which was {kind}")

    def redis_becomes(self, kind, before=None):
        if kind == "killed":
            self.redis.kill()
        elif before == "killed":
            self.redis.start()
        elif "stopped" in (kind, before):
            self.redis.signal(signal.SIGCONT if before else signal.SIGSTOP)
        else:
            self.between.how = "passes" if before else kind
