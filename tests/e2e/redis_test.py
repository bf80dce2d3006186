#!/usr/bin/env python3
"""Gateways on one Redis: what one makes the other knows, limits hold over both, and what happens while Redis is away."""
import json
import signal
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.admin import Admin  # noqa: E402
from support.certificates import authority  # noqa: E402
from support.gateway import Gateway, run_cli  # noqa: E402
from support.redis import Between, Redis  # noqa: E402
from support.wire import Stream, ask, connect, problem_code, request_bytes  # noqa: E402

CONFIG = """
version: 1
workers: 2
listen:
  - address: 127.0.0.1:0
admin: {{address: 127.0.0.1:0}}
store: {{kind: redis, {store}}}
routes:
  - name: known
    match: {{path: /known}}
    chain: [key-auth]
    respond: {{status: 200}}
  - name: own
    match: {{path: /own}}
    chain: [key-auth, rate-limit]
    respond: {{status: 200}}
  - name: rated
    match: {{path: /rated}}
    chain: [rate-limit: {{rate: 1000/1s, burst: 100, by: route}}]
    respond: {{status: 200}}
  - name: few
    match: {{path: /few}}
    chain: [rate-limit: {{rate: 10/1h, by: header.X-Who}}]
    respond: {{status: 200}}
  - name: quota
    match: {{path: /quota}}
    chain: [quota: {{max: 10, every: 1h, by: header.X-Who}}]
    respond: {{status: 200}}
  - {{name: open, match: {{path: /open}}, respond: {{status: 200}}}}
"""
PATIENCE = 10  # seconds for what happens sooner or later; what has a figure is measured


def gateway(store):
    return Gateway(CONFIG.format(store=store))


def get(gw, path, key=None, who=None):
    fields = [pair for pair in (("X-Api-Key", key), ("X-Who", who)) if pair[1]]
    return ask(gw.port, request_bytes(target=path, headers=fields))


def status(*args, **more):
    return get(*args, **more).status


def comes(condition, most=PATIENCE):
    """How long it took to come true."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > most:
            raise AssertionError(f"not within {most} s")
        time.sleep(0.005)
    return time.monotonic() - began


def keys(gw, *words):
    code, out, error = run_cli("keys", *words, "--json", "--admin", f"127.0.0.1:{gw.admin_port}", "--token-file",
                               str(gw.dir / "data/admin.token"))
    if code != 0:
        raise AssertionError(error)
    return json.loads(out) if out.strip() else None


def metric(gw, name):
    page = ask(gw.admin_port, request_bytes(target="/metrics", host="127.0.0.1",
                                            headers=[("Authorization", "Bearer " + (gw.dir / "data/admin.token").read_text().strip())]))
    return next(float(line.split()[-1]) for line in page.body.decode().splitlines() if line.startswith(name))


class Two(unittest.TestCase):
    """Two gateways on one Redis."""

    def setUp(self):
        self.redis = self.enterContext(Redis())
        self.one, self.two = (self.enterContext(gateway(f'url: "{self.redis.url}", budget: 5s')) for _ in range(2))

    def test_a_key_made_on_one_opens_the_other_and_stops_when_it_is_revoked(self):
        made = keys(self.one, "create", "--org", "acme")
        self.assertLess(comes(lambda: status(self.two, "/known", made["key"]) == 200), 1)
        self.assertEqual([status(gw, "/known", made["key"]) for gw in (self.one, self.two) * 4], [200] * 8)
        keys(self.one, "revoke", made["session"]["id"])
        self.assertLess(comes(lambda: status(self.two, "/known", made["key"]) == 401), 1)
        self.assertEqual([status(gw, "/known", made["key"]) for gw in (self.one, self.two) * 4], [401] * 8)

    def test_a_key_that_was_refused_opens_once_it_is_made(self):
        key = "a-key-that-was-brought-along"
        for _ in range(8):
            self.assertEqual(problem_code(get(self.two, "/known", key)), "LG5004")
        self.assertEqual(Admin(self.one).ask("POST", "/keys", {"key": key})[0], 201)
        self.assertLess(comes(lambda: {status(self.two, "/known", key) for _ in range(8)} == {200}), 1)

    def test_a_session_changed_on_one_is_another_on_the_other(self):
        made = keys(self.one, "create", "--rate", "1000/1s")
        self.assertEqual(get(self.two, "/own", made["key"]).value("ratelimit-limit"), "1000")
        keys(self.one, "update", made["session"]["id"], "--rate", "7/1s")
        self.assertLess(comes(lambda: get(self.two, "/own", made["key"]).value("ratelimit-limit") == "7"), 1)

    def test_few_requests_are_counted_exactly_over_both(self):
        for path in ("/few", "/quota"):
            answers = [get(gw, path, who="ann") for gw in (self.one, self.two) * 8]
            self.assertEqual([each.status for each in answers], [200] * 10 + [429] * 6, path)
            self.assertIsNotNone(answers[-1].value("retry-after"))
            self.assertEqual(status(self.two, path, who="bob"), 200)
        self.assertEqual([get(gw, "/few", who="eve").value("ratelimit-remaining") for gw in (self.one, self.two)], ["9", "8"])

    def test_many_at_once_are_counted_exactly_over_both(self):
        passed, lock = [], threading.Lock()

        def flood(gw):
            own = 0
            with connect(gw.port) as sock:
                stream = Stream(sock)
                for _ in range(10):
                    sock.sendall(request_bytes(target="/quota", headers=[("X-Who", "all")]))
                    own += stream.response().status == 200
            with lock:
                passed.append(own)

        threads = [threading.Thread(target=flood, args=(gw,)) for gw in (self.one, self.two) * 8]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sum(passed), 10)

    def test_a_rate_holds_over_both_within_a_hundredth(self):
        ends, passed, lock = time.monotonic() + 3, [], threading.Lock()

        def flood(gw):
            own = 0
            with connect(gw.port) as sock:
                stream = Stream(sock)
                while time.monotonic() < ends:
                    sock.sendall(request_bytes(target="/rated") * 8)
                    own += sum(stream.response().status == 200 for _ in range(8))
            with lock:
                passed.append(own)

        began = time.monotonic()
        threads = [threading.Thread(target=flood, args=(gw,)) for gw in (self.one, self.two) * 3]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - began
        self.assertLessEqual(sum(passed), 1.01 * (100 + 1000 * took))
        self.assertGreater(sum(passed), 0.8 * 1000 * (took - 0.2), "far fewer than may pass")


class Carried(unittest.TestCase):
    def test_what_a_folder_keeps_is_carried_into_redis_and_back(self):
        embedded = CONFIG.replace("{{kind: redis, {store}}}", "{{path: data}}").format()
        lines, back = (Path(self.enterContext(tempfile.TemporaryDirectory())) / "lines" for _ in range(2))
        with Gateway(embedded) as gw, Redis() as redis, gateway(f'url: "{redis.url}", budget: 5s') as shared:
            key = keys(gw, "create", "--meta", "user=ann")["key"]
            self.assertEqual([status(gw, "/quota", who="ann") for _ in range(4)], [200] * 4)
            refused = run_cli("store", "export", "-c", str(gw.dir / "gateway.yaml"))
            self.assertEqual(refused[0], 6)
            self.assertIn("in use by another lingate", refused[2])
            gw.stop()
            self.carry("export", gw, lines)
            self.carry("import", shared, lines)
            comes(lambda: status(shared, "/known", key) == 200)
            self.assertEqual([status(shared, "/quota", who="ann") for _ in range(8)], [200] * 6 + [429] * 2)
            self.carry("export", shared, back)
            self.assertEqual(set(lines.read_text().splitlines()) - set(back.read_text().splitlines()),
                             {line for line in lines.read_text().splitlines() if '"quotas"' in line})
            gw.start()

    def carry(self, verb, gw, lines):
        code, _, error = run_cli("store", verb, "-c", str(gw.dir / "gateway.yaml"), str(lines))
        self.assertEqual(code, 0, error)
        self.assertRegex(error, r"^\d+ record\(s\)")


class Away(unittest.TestCase):
    def setUp(self):
        self.redis = self.enterContext(Redis())
        self.between = self.enterContext(Between(self.redis))
        self.gateway = self.enterContext(gateway(f'url: "{self.between.url}", stale: 1h'))
        self.known = keys(self.gateway, "create")["key"]
        self.strange = keys(self.gateway, "create")["key"]
        comes(lambda: {status(self.gateway, "/known", self.known) for _ in range(16)} == {200})  # whichever worker answers

    def expect_away_and_back(self, comes_back):
        comes(lambda: metric(self.gateway, "lingate_store_breaker_open") == 1, 1)
        self.gateway.wait_log("breaker open")
        self.assertEqual(problem_code(get(self.gateway, "/known", self.strange)), "LG5101")
        self.assertEqual({status(self.gateway, "/known", self.known) for _ in range(8)}, {200})
        self.assertEqual(status(self.gateway, "/open"), 200)
        # Limits go on, counted by this gateway alone.
        for path in ("/few", "/quota"):
            self.assertEqual([status(self.gateway, path, who="away") for _ in range(12)], [200] * 10 + [429] * 2, path)
        comes_back()
        comes(lambda: status(self.gateway, "/known", self.strange) == 200)
        self.assertEqual(metric(self.gateway, "lingate_store_breaker_open"), 0)
        self.gateway.wait_log("redis: in use")
        # What was counted meanwhile is told to Redis.
        comes(lambda: status(self.gateway, "/quota", who="away") == 429)

    def test_it_is_killed(self):
        self.redis.kill()
        self.expect_away_and_back(self.redis.start)

    def test_it_is_stopped(self):
        self.redis.signal(signal.SIGSTOP)
        self.expect_away_and_back(lambda: self.redis.signal(signal.SIGCONT))

    def test_it_is_slow(self):
        self.between.how = "slow"
        self.expect_away_and_back(lambda: setattr(self.between, "how", "passes"))

    def test_it_answers_errors(self):
        self.between.how = "errors"
        self.expect_away_and_back(lambda: setattr(self.between, "how", "passes"))

    def test_a_key_that_was_revoked_while_it_was_away_is_refused_when_it_is_back(self):
        self.redis.kill()
        comes(lambda: metric(self.gateway, "lingate_store_breaker_open") == 1, 1)
        self.assertEqual(status(self.gateway, "/known", self.known), 200)
        self.redis.start()
        self.redis.ask("FLUSHALL")
        comes(lambda: status(self.gateway, "/known", self.known) == 401)


class Start(unittest.TestCase):
    def test_a_gateway_starts_without_redis_and_says_so(self):
        with gateway('url: "redis://127.0.0.1:1"') as gw:
            gw.wait_log("redis: 127.0.0.1:1 cannot be used: Connection refused")
            self.assertEqual(status(gw, "/open"), 200)
            self.assertEqual(problem_code(get(gw, "/known", "some-key-that-is-long")), "LG5101")

    def test_sessions_are_good_for_the_time_stated_only(self):
        with Redis() as redis, gateway(f'url: "{redis.url}", stale: 500ms, budget: 5s') as gw:
            key = keys(gw, "create")["key"]
            self.assertEqual({status(gw, "/known", key) for _ in range(16)}, {200})
            redis.kill()
            comes(lambda: status(gw, "/known", key) == 503, 3)

    def test_a_user_who_may_do_what_the_readme_says_is_enough(self):
        allowed = ("hello auth client|setname select script|load eval evalsha subscribe publish get set del exists pexpireat "
                   "pexpiretime zadd zrem zrange time").split()
        with Redis() as redis:
            made = redis.ask("ACL", "SETUSER", "gateways", "on", ">word", "resetkeys", "~lingate:*", "resetchannels",
                             "&lingate:changes", "-@all", *("+" + each for each in allowed))
            self.assertEqual(made, b"+OK\r\n")
            with gateway(f'url: "{redis.url}", username: gateways, password: word, budget: 5s') as gw:
                key = keys(gw, "create", "--expires", "1h")["key"]
                self.assertEqual([status(gw, path, key) for path in ("/known", "/own", "/few", "/quota")], [200] * 4)
                self.assertEqual(len(keys(gw, "list")), 1)
            self.assertEqual(redis.ask("ACL", "LOG"), b"*0\r\n")

    def test_tls_is_verified_both_ways_and_the_password_asked_for(self):
        ca, other = authority("redis-ca"), authority("other-ca")
        server, own = ca.issue("redis.test", names=["IP:127.0.0.1"]), ca.issue("gateway", names=["gateway"])
        with Redis("--requirepass", "secret-word", tls=(ca, server)) as redis:
            url = f'url: "rediss://127.0.0.1:{redis.port}", password: {{file: password}}, budget: 5s'
            trusted = f"{url}, tls: {{ca: {ca.cert}, cert: {own.cert}, key: {own.key}}}"
            with Gateway(CONFIG.format(store=trusted), {"password": "secret-word"}) as gw:
                key = keys(gw, "create")["key"]
                self.assertEqual(status(gw, "/known", key), 200)
            for store, password, why in (
                    (f"{url}, tls: {{ca: {other.cert}, cert: {own.cert}, key: {own.key}}}", "secret-word", "its certificate is not accepted"),
                    (trusted.replace("tls: {", "tls: {server_name: other.test, "), "secret-word", "its certificate is not accepted"),
                    (f"{url}, tls: {{ca: {ca.cert}}}", "secret-word", "certificate required|hung up"),
                    (trusted, "wrong", "WRONGPASS")):
                with Gateway(CONFIG.format(store=store), {"password": password}) as gw:
                    self.assertRegex(gw.wait_log("breaker open"), why)
                    self.assertNotIn(password + '"', gw.log_text())


if __name__ == "__main__":
    unittest.main()
