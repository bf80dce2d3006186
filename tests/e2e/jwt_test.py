#!/usr/bin/env python3
"""Signed tokens: keys from a file and from a server that rotates them, fails and comes late; forged tokens."""
import hashlib
import hmac
import json
import signal
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway, run_cli  # noqa: E402
from support.tokens import Key, b64, body  # noqa: E402
from support.upgraded import Upgraded  # noqa: E402
from support.wire import Origin, ask, fields_of, problem_code, reply, request_bytes  # noqa: E402

SECRET = "0123456789abcdef0123456789abcdef"


def by_secret(secret, head=None, **claims):
    text = f"{b64(json.dumps({'alg': 'HS256', **(head or {})}).encode())}.{body(claims)}"
    return f"{text}.{b64(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())}"


ONE, TWO = Key("one"), Key("two")

CONFIG = """
version: 1
workers: 2
listen:
  - address: 127.0.0.1:0
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{origin}"}}], eject: off}}
routes:
  - name: shared
    match: {{path: "/shared"}}
    chain:
      - jwt-auth: {{algorithms: HS256, secret: {{env: JWT_SECRET}}, hide: true, claims: {{org: tenant, tags: scope}}}}
      - script: {{file: who.lua}}
    upstream: origin
  - name: pem
    match: {{path: "/pem"}}
    chain: [jwt-auth: {{algorithms: [RS256], key: {{file: one.pem}}, issuer: issuer, audience: [api, web]}}, rate-limit: {{rate: 3/1h}}]
    respond: {{status: 200}}
  - name: file
    match: {{path: "/file"}}
    chain: [jwt-auth: {{algorithms: [RS256, PS256], jwks: {{file: keys.json}}, skew: 5s}}]
    respond: {{status: 200}}
  - name: published
    match: {{path: "/published"}}
    chain: [jwt-auth: {{algorithms: [RS256], jwks: {{url: "http://127.0.0.1:{issuer}/keys", refresh: 1s}}}}]
    respond: {{status: 200}}
  - name: seldom
    match: {{path: "/seldom"}}
    chain: [jwt-auth: {{algorithms: [RS256], jwks: {{url: "http://127.0.0.1:{issuer}/seldom", refresh: 1h}}}}]
    respond: {{status: 200}}
"""
FILES = {"one.pem": ONE.pem, "keys.json": json.dumps({"keys": [ONE.jwk, {"kty": "oct", "k": "AAAA"}, TWO.jwk]}),
         "who.lua": """
local M = {}
function M.request(req)
  local s = req.session
  req.headers["X-User"] = s.id .. "/" .. s.org .. "/" .. table.concat(s.tags, "+") .. "/" .. s.metadata.tenant
end
return M
"""}


class Jwt(unittest.TestCase):
    def setUp(self):
        self.published = reply(body=json.dumps({"keys": [ONE.jwk]}).encode())
        self.origin = self.enterContext(Origin())
        self.issuer = self.enterContext(Origin(lambda request: self.published))
        config = CONFIG.format(origin=self.origin.port, issuer=self.issuer.port)
        self.gateway = self.enterContext(Gateway(config, FILES, env={"JWT_SECRET": SECRET}))

    def get(self, path, token=None):
        fields = [("Authorization", "Bearer " + token)] if token else []
        return ask(self.gateway.port, request_bytes(target=path, headers=fields))

    def until(self, path, token, status):
        """However many workers have to hear of it."""
        self.gateway.wait_for(lambda: {self.get(path, token).status for _ in range(8)} == {status}, f"{status} at {path}")

    def test_a_token_becomes_a_session(self):
        refused = self.get("/shared")
        self.assertEqual((refused.status, problem_code(refused)), (401, "LG5003"))
        self.assertEqual(refused.value("www-authenticate"), 'Bearer realm="lingate"')
        for _ in range(4):
            self.assertEqual(self.get("/shared", by_secret(SECRET, tenant="acme", scope="read write")).status, 200)
            sent = fields_of(self.origin.requests[-1].head)
            self.assertIn(("X-User", "ann/acme/read+write/acme"), sent)
            self.assertNotIn("Authorization", dict(sent))

    def test_limits_count_by_subject(self):
        statuses = [self.get("/pem", ONE.sign(jti=str(k))).status for k in range(5)]
        self.assertEqual(statuses, [200, 200, 200, 429, 429])
        self.assertEqual(self.get("/pem", ONE.sign(sub="bo")).status, 200)

    def test_forged_tokens_stay_outside(self):
        now = int(time.time())
        good = ONE.sign()
        head, claims, signature = good.split(".")
        none = b64(b'{"alg":"none"}')
        forged = [by_secret(ONE.pem), by_secret(ONE.pem.strip()), by_secret(ONE.jwk["n"]), by_secret(""),
                  f"{none}.{claims}.", f"{none}.{claims}.{signature}", f"{head}.{body({'sub': 'root'})}.{signature}",
                  f"{head}.{claims}.", f"{head}.{claims}", good + "=", good[:-8], TWO.sign(), TWO.sign({"kid": "one"}),
                  ONE.sign({"alg": "RS512"}), ONE.sign({"crit": ["exp"]}), ONE.sign(exp=now - 61), ONE.sign(exp="x"),
                  ONE.sign(nbf=now + 120), ONE.sign(iat=now + 120), ONE.sign(iss="other"), ONE.sign(aud="other"),
                  ONE.sign(aud=["x"]), ONE.sign(sub=""), ONE.sign(sub=7), "..", "a.b.c", "é"]
        for token in forged:
            answer = self.get("/pem", token)
            self.assertEqual((answer.status, problem_code(answer)), (401, "LG5004"), token[:200])
            self.assertEqual(answer.value("www-authenticate"), 'Bearer realm="lingate", error="invalid_token"')
        for token in [good, ONE.sign(exp=now - 50, aud=["x", "web"]), ONE.sign({"jku": "http://evil.test/", "jwk": TWO.jwk})]:
            self.assertEqual(self.get("/pem", token).status, 200)

    def test_a_file_may_have_many_keys(self):
        self.assertEqual([self.get("/file", key.sign()).status for key in (ONE, TWO)], [200, 200])
        self.assertEqual(self.get("/file", ONE.sign({"kid": "two"})).status, 401)
        self.assertEqual(self.get("/file", ONE.sign({"kid": "three"})).status, 401)
        self.assertEqual(self.get("/file", ONE.sign(exp=int(time.time()) - 10)).status, 401)

    def test_a_cached_token_ends_when_it_expires(self):
        token = by_secret(SECRET, exp=int(time.time()) - 58, tenant="t", scope="")
        self.assertEqual(self.get("/shared", token).status, 200)
        self.until("/shared", token, 401)

    def test_keys_rotate(self):
        one, two = ONE.sign(), TWO.sign()
        self.until("/published", one, 200)
        self.assertEqual(self.get("/published", two).status, 401)
        self.published = reply(body=json.dumps({"keys": [TWO.jwk]}).encode())
        self.until("/published", two, 200)
        self.until("/published", one, 401)  # was known, and is no longer

    def test_a_failing_issuer_leaves_the_last_keys_in_force(self):
        token = ONE.sign()
        self.until("/published", token, 200)
        for bad in (reply(500), reply(body=b"<html>"), reply(body=b'{"keys":[]}'), reply(body=b"x" * (2 << 20)),
                    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx", b"nonsense\r\n\r\n"):
            before = len(self.issuer.requests)
            self.published = bad
            self.gateway.wait_for(lambda: len(self.issuer.requests) > before + 1, "another try")
            self.assertEqual(self.get("/published", ONE.sign(jti=str(before))).status, 200)
        self.gateway.wait_log("the last ones stay in force")

    def test_an_unknown_key_id_has_the_keys_fetched_early_but_seldom(self):
        one, two = ONE.sign(), TWO.sign()
        self.until("/seldom", one, 200)
        self.published = reply(body=json.dumps({"keys": [ONE.jwk, TWO.jwk]}).encode())
        fetched = lambda: sum(each.target == "/seldom" for each in self.issuer.requests)  # noqa: E731
        for k in range(50):
            self.assertEqual(self.get("/seldom", TWO.sign({"kid": f"x{k}"})).status, 401)
        self.until("/seldom", two, 200)
        self.assertLessEqual(fetched(), 3)
        self.assertEqual(self.get("/seldom", one).status, 200)

    def test_check_names_what_does_not_go_together(self):
        for options, says in [("algorithms: [RS256]", "no key to check tokens with"),
                              ("algorithms: [none], secret: x", "none of the choices"),
                              ("algorithms: [HS256], secret: short", "less than 32 bytes"),
                              ("algorithms: [RS256], secret: {env: JWT_SECRET}", "no key given works with RS256"),
                              ("algorithms: [HS256], key: {file: one.pem}", "no key given works with HS256"),
                              ("algorithms: [RS256], key: {file: one.pem}, secret: {env: JWT_SECRET}", "both give the keys"),
                              ("algorithms: [RS256], jwks: {url: 'ftp://x/y'}", "no URL of keys"),
                              ("algorithms: [RS256], jwks: {url: 'http://x/y', ca: one.pem}", "the URL is not https://"),
                              ("algorithms: [RS256], jwks: {url: 'https://x/y', ca: one.pem}", "no authorities can be read"),
                              ("algorithms: [RS256], jwks: {url: 'https://x/y', ca: none.pem}", "no file or folder 'none.pem'"),
                              ("algorithms: [HS256], jwks: {url: 'http://x/y'}", "no URL publishes"),
                              ("algorithms: [RS256], jwks: {}", "exactly one of"),
                              ("algorithms: [RS256], jwks: {file: gw.yaml}", "no JSON Web Key Set"),
                              ("secret: {env: JWT_SECRET}", "has no 'algorithms'")]:
            config = ("version: 1\nlisten: [{address: \"127.0.0.1:0\"}]\nroutes:\n"
                      f"  - {{match: {{path: /}}, chain: [jwt-auth: {{{options}}}], respond: {{}}}}\n")
            code, out, error = run_cli("check", "gw.yaml", files={"gw.yaml": config, **FILES}, env={"JWT_SECRET": SECRET})
            self.assertEqual(code, 3, options)
            self.assertIn(says, out + error)
            self.assertNotIn(SECRET, out + error)


class LateIssuer(unittest.TestCase):
    def test_fails_closed_until_the_first_keys_come(self):
        state = {"answer": reply(503)}
        with Origin(lambda request: state["answer"]) as issuer, Origin() as origin:
            with Gateway(CONFIG.format(origin=origin.port, issuer=issuer.port), FILES, env={"JWT_SECRET": SECRET}) as gateway:
                get = lambda: ask(gateway.port, request_bytes(  # noqa: E731
                    target="/published", headers=[("Authorization", "Bearer " + ONE.sign())]))
                gateway.wait_log("no token is accepted before they come")
                answer = get()
                self.assertEqual((answer.status, problem_code(answer)), (503, "LG5010"))
                self.assertEqual(ask(gateway.port, request_bytes(target="/published")).status, 401)
                state["answer"] = reply(body=json.dumps({"keys": [ONE.jwk]}).encode())
                gateway.wait_for(lambda: get().status == 200, "the first keys")

    def test_an_issuer_that_hangs_holds_up_neither_requests_nor_the_end(self):
        hanging = []
        with Origin(serve=hangs(hanging)) as issuer, Origin() as origin:
            with Gateway(CONFIG.format(origin=origin.port, issuer=issuer.port), FILES, env={"JWT_SECRET": SECRET}) as gateway:
                gateway.wait_for(lambda: len(hanging) > 2, "a fetch after the first ones, which the start waited for")
                began = time.monotonic()
                for _ in range(20):
                    answer = ask(gateway.port, request_bytes(target="/published",
                                                             headers=[("Authorization", "Bearer " + ONE.sign())]))
                    self.assertEqual(answer.status, 503)
                gateway.stop()
                self.assertLess(time.monotonic() - began, 4)



def hangs(hanging):
    def serve(sock, stream):
        stream.request()
        hanging.append(sock)
        stream.request()

    return serve


PUBLISHED = """
version: 1
workers: 2
listen:
  - address: 127.0.0.1:0
limits: {{timeout: {{drain: 2s}}}}
routes:
{routes}
"""
PUBLISHED_ROUTE = ("  - {{name: r{k}, match: {{path: /{k}}}, respond: {{status: 200}}, chain: [jwt-auth: {{algorithms: [RS256], "
                   "jwks: {{url: 'http://127.0.0.1:{port}/{k}', refresh: 1s}}}}]}}")


def published(*issuers):
    return PUBLISHED.format(routes="\n".join(PUBLISHED_ROUTE.format(k=k, port=each.port) for k, each in enumerate(issuers)))


class FirstKeys(unittest.TestCase):
    """Who comes first finds keys, and no issuer waits for another."""

    def setUp(self):
        self.pause = 1.0
        self.good = self.enterContext(Origin(self.answer))

    def answer(self, _):
        time.sleep(self.pause)  # on its way
        return reply(body=json.dumps({"keys": [ONE.jwk]}).encode())

    def statuses(self, gateway, k=0):
        raw = request_bytes(target=f"/{k}", headers=[("Authorization", "Bearer " + ONE.sign())])
        return {ask(gateway.port, raw).status for _ in range(8)}

    def test_a_start_waits_for_them(self):
        with Gateway(published(self.good)) as gateway:
            self.assertEqual(self.statuses(gateway), {200})

    def test_a_reload_waits_for_those_that_it_brings(self):
        self.pause = 0
        with Gateway(published(self.good)) as gateway:
            self.pause = 1.0
            (gateway.dir / "gateway.yaml").write_text(published(self.good, self.good))
            gateway.signal(signal.SIGHUP)
            gateway.wait_log("generation 2 of the configuration runs")
            self.assertEqual([self.statuses(gateway, k) for k in (0, 1)], [{200}, {200}])

    def test_who_takes_the_place_of_another_waits_before_it_serves(self):
        with Upgraded(published(self.good)) as gateway:
            answers, over = set(), threading.Event()

            def load():
                while not over.is_set():
                    answers.update(self.statuses(gateway))

            client = threading.Thread(target=load)
            client.start()
            try:
                old = gateway.upgrade()
                self.assertEqual(gateway.wait_for_end(old), 0)
                self.assertEqual(self.statuses(gateway), {200})
            finally:
                over.set()
                client.join()
            self.assertEqual(answers, {200})

    def test_an_issuer_that_fails_holds_up_no_start(self):
        self.pause = 0
        with Origin(lambda request: reply(500)) as failing:
            began = time.monotonic()
            with Gateway(published(self.good, failing)) as gateway:
                self.assertLess(time.monotonic() - began, 4)
                self.assertEqual([self.statuses(gateway, k) for k in (0, 1)], [{200}, {503}])

    def test_issuers_that_hang_hold_up_no_other(self):
        self.pause, hanging = 0, []
        with Origin(serve=hangs(hanging)) as silent:
            began = time.monotonic()
            with Gateway(published(silent, silent, silent, self.good)) as gateway:
                self.assertLess(time.monotonic() - began, 9)  # five, and what a start takes
                self.assertEqual(self.statuses(gateway, 3), {200})
                self.assertGreaterEqual(len(self.good.requests), 4)  # one a second, all the while
                gateway.wait_for(lambda: len(hanging) == 6, "the second try of all three")
                before = len(self.good.requests)
                gateway.wait_for(lambda: len(self.good.requests) > before, "a fetch beside them")
                self.assertEqual(len(hanging), 6)  # which hang still

if __name__ == "__main__":
    unittest.main()
