#!/usr/bin/env python3
"""Traces: a span for the request, for each side of a step and for each try at an upstream, sent to a collector; and what
happens where there is none."""
import re
import socket
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.admin import Admin  # noqa: E402
from support.certificates import authority  # noqa: E402
from support.collector import Collector  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.tls import CA, SITE, WILD  # noqa: E402
from support.wire import Origin, Stream, ask, connect, reply, request_bytes  # noqa: E402

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
admin: {{address: 127.0.0.1:0}}
{trusted}
tracing: {{otlp: {{url: "{url}", headers: {{X-Tenant: acme, Authorization: {{env: LINGATE_TEST_OTLP}}}}}}, sample: {sample}, service: shop}}
upstreams:
  origin:
    targets: [{{url: "http://127.0.0.1:{dead}"}}, {{url: "http://127.0.0.1:{port}"}}]
    eject: off
    retry: {{attempts: 2, on: [connect-failure, 503]}}
  alone: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off, retry: {{attempts: 2, on: [503]}}}}
routes:
  - {{name: bare, match: {{path: "/bare/*"}}, upstream: alone}}
  - {{name: tried, match: {{path: "/tried/*"}}, upstream: origin}}
  - {{name: scripted, match: {{path: "/s/*"}}, chain: [request-id, script: {{file: s.lua}}], upstream: alone}}
  - {{name: refused, match: {{path: /refused}}, chain: [key-auth], upstream: alone}}
  - {{name: hidden, match: {{path: /hidden}}, chain: [access-log, key-auth: {{from: {{query: key}}, hide: true}}], upstream: alone}}
  - {{name: broken, match: {{path: /broken}}, chain: [script: {{file: broken.lua}}], respond: {{status: 200}}}}
"""
FILES = {"s.lua": "local M = {}\nfunction M.request(req) req.headers['X-Seen'] = 'yes' end\n"
                  "function M.response(res) res.headers['X-Back'] = 'yes' end\nreturn M\n",
         "broken.lua": "return {request = function() error('no') end}\n"}

STRANGERS = authority("strangers")


def dead_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def config(collector, origin_port=1, sample="100%", trusted="trusted: [127.0.0.0/8]"):
    url = collector if isinstance(collector, str) else collector.url
    return CONFIG.format(url=url, port=origin_port, dead=dead_port(), sample=sample, trusted=trusted)


def parent_header(trace=TRACE, sampled=True):
    return [("traceparent", f"00-{trace}-{PARENT}-{'01' if sampled else '00'}")]


def gateway_of(text):
    return Gateway(text, FILES, env={"LINGATE_TEST_OTLP": "Bearer t0k3n"})


def metric(admin, name):
    return int(re.search(rf"^{name} (\d+)$", admin.raw("GET", "/metrics")[2].decode(), re.M)[1])


class Spans(unittest.TestCase):
    def test_a_request_its_steps_and_its_try_are_a_tree_under_who_asked(self):
        with Collector() as collector, Origin() as origin, gateway_of(config(collector, origin.port)) as gateway:
            response = ask(gateway.port, request_bytes(target="/s/a?b=c", headers=parent_header()))
            self.assertEqual(response.status, 200)
            spans = collector.of_trace(TRACE, 6)
            whole = next(span for span in spans if span.kind == "server")
            self.assertEqual((whole.parent, whole.name, whole.failed), (PARENT, "GET scripted", False))
            self.assertEqual(whole.resource["service.name"], "shop")
            expected = {"http.request.method": "GET", "url.path": "/s/a", "url.query": "b=c", "url.scheme": "http",
                        "server.address": "gw.test", "client.address": "127.0.0.1", "http.route": "scripted",
                        "network.protocol.version": "1.1", "http.response.status_code": 200}
            self.assertEqual({k: v for k, v in whole.attributes.items() if k in expected}, expected)
            self.assertEqual(whole.attributes["lingate.request_id"], response.value("X-Request-Id"))
            below = [span for span in spans if span is not whole]
            self.assertEqual([(span.name, span.kind, span.parent) for span in below],
                             [("request-id request", "internal", whole.id), ("s.lua request", "internal", whole.id),
                              ("GET", "client", whole.id), ("s.lua response", "internal", whole.id),
                              ("request-id response", "internal", whole.id)])
            self.assertEqual({(span.attributes["lingate.runtime"]) for span in below if "s.lua" in span.name}, {"lua"})
            tried = below[2]
            self.assertEqual((tried.attributes["server.port"], tried.attributes["lingate.upstream"],
                              tried.attributes["http.response.status_code"]), (origin.port, "alone", 200))
            for span in spans:
                self.assertLessEqual(span.begin, span.end)
                # The request begins by the clock of the loop, which may be a turn behind.
                self.assertTrue(whole.begin <= span.begin and span.end <= whole.end + 1_000_000, (whole, span))
            # What the upstream sees as its parent is the try.
            self.assertEqual(origin.requests[0].value("traceparent"), f"00-{TRACE}-{tried.id}-01")
            path, headers = collector.requests[0]
            self.assertEqual((path, headers["Content-Type"], headers["X-Tenant"], headers["Authorization"]),
                             ("/v1/traces", "application/x-protobuf", "acme", "Bearer t0k3n"))
            admin = Admin(gateway)
            gateway.wait_for(lambda: metric(admin, "lingate_otlp_spans_exported_total") == 6, "count of spans")
            self.assertEqual(metric(admin, "lingate_otlp_spans_dropped_total"), 0)

    def test_each_try_has_a_span_and_what_failed_says_so(self):
        answers = [reply(503), reply(200)]
        with Collector() as collector, Origin(lambda _: answers.pop(0)) as origin, \
                gateway_of(config(collector, origin.port)) as gateway:
            self.assertEqual(ask(gateway.port, request_bytes(target="/bare/a", headers=parent_header())).status, 200)
            whole, first, second = collector.of_trace(TRACE, 3)
            self.assertEqual((whole.kind, whole.failed), ("server", False))
            self.assertEqual((first.attributes["http.response.status_code"], first.failed, first.attributes["error.type"]),
                             (503, True, "503"))
            self.assertEqual((second.attributes["http.response.status_code"], second.failed,
                              second.attributes["http.request.resend_count"]), (200, False, 1))
            self.assertEqual([r.value("traceparent")[36:52] for r in origin.requests], [first.id, second.id])

    def test_a_target_that_is_away_is_a_try_that_failed(self):
        with Collector() as collector, Origin() as origin, gateway_of(config(collector, origin.port)) as gateway:
            for number in range(2):  # each of both targets is first once
                trace = f"{number + 1:032x}"
                self.assertEqual(ask(gateway.port, request_bytes(target="/tried/a", headers=parent_header(trace))).status, 200)
            first = collector.of_trace(f"{1:032x}", 2) + collector.of_trace(f"{2:032x}", 2)
            failed = [span for span in first if span.kind == "client" and span.failed]
            self.assertEqual({span.attributes["error.type"] for span in failed}, {"LG4001"})

    def test_a_hidden_key_of_the_query_is_told_to_no_collector_and_no_log(self):
        with Collector() as collector, gateway_of(config(collector)) as gateway:
            raw = request_bytes(target="/hidden?a=1&key=hunter2", headers=parent_header())
            self.assertEqual(ask(gateway.port, raw).status, 401)
            whole = next(span for span in collector.of_trace(TRACE, 2) if span.kind == "server")
            self.assertEqual(whole.attributes["url.query"], "a=1&key=***")
            self.assertEqual(gateway.wait_access(lambda line: line["url.path"] == "/hidden")["url.query"], "a=1&key=***")

    def test_refusals_and_errors_have_their_status(self):
        with Collector() as collector, gateway_of(config(collector)) as gateway:
            cases = {"/refused": (401, False, None), "/broken": (500, True, "LG3001"), "/nowhere": (404, False, "LG1011")}
            for k, (path, (status, failed, error)) in enumerate(cases.items()):
                trace = f"{k + 16:032x}"
                self.assertEqual(ask(gateway.port, request_bytes(target=path, headers=parent_header(trace))).status, status)
                spans = collector.of_trace(trace, 1 if path == "/nowhere" else 2)
                whole = next(span for span in spans if span.kind == "server")
                self.assertEqual((whole.attributes["http.response.status_code"], whole.failed), (status, failed), path)
                if error:
                    self.assertEqual(whole.attributes["error.type"], error)


class Sampling(unittest.TestCase):
    def test_a_trusted_proxy_decides_and_a_stranger_does_not(self):
        never, always = f"{7:032x}", f"{8:032x}"
        for trusted, sample, flag, recorded in (("trusted: [127.0.0.0/8]", "0%", True, True),
                                                ("trusted: [127.0.0.0/8]", "100%", False, False),
                                                ("", "0%", True, False), ("", "100%", False, True)):
            with Collector() as collector, Origin() as origin, \
                    gateway_of(config(collector, origin.port, sample, trusted)) as gateway:
                raw = request_bytes(target="/bare/a", headers=parent_header(always if recorded else never, flag))
                self.assertEqual(ask(gateway.port, raw).status, 200)
                self.assertEqual(origin.requests[0].value("traceparent")[-2:], "01" if recorded else "00")
                if recorded:
                    self.assertEqual({span.trace for span in collector.of_trace(always, 2)}, {always})
            self.assertEqual([span for span in collector.spans if span.trace == never], [])  # the end has sent what was left

    def test_nothing_is_sent_at_0(self):
        with Collector() as collector, Origin() as origin:
            with gateway_of(config(collector, origin.port, "0%", "")) as gateway:
                with connect(gateway.port) as sock:
                    stream = Stream(sock)
                    for _ in range(200):
                        sock.sendall(request_bytes(target="/bare/a"))
                        self.assertEqual(stream.response().status, 200)
            self.assertEqual(collector.requests, [])

    def test_a_share_is_about_that_share(self):
        with Collector() as collector, Origin() as origin:
            with gateway_of(config(collector, origin.port, "20%", "")) as gateway:
                with connect(gateway.port) as sock:
                    stream = Stream(sock)
                    for _ in range(1000):
                        sock.sendall(request_bytes(target="/bare/a"))
                        self.assertEqual(stream.response().status, 200)
            whole = [span for span in collector.spans if span.kind == "server"]
            self.assertTrue(130 < len(whole) < 280, len(whole))  # five standard deviations


class Https(unittest.TestCase):
    def gateway(self, collector):
        env = {"LINGATE_TEST_OTLP": "Bearer t0k3n", "SSL_CERT_FILE": str(CA.cert)}  # the system's authorities, for OpenSSL
        return Gateway(config(collector), FILES, env=env)

    def test_a_collector_that_proves_who_it_is_gets_the_spans(self):
        with Collector(pair=SITE) as collector, self.gateway(collector) as gateway:
            ask(gateway.port, request_bytes(target="/broken", headers=parent_header()))
            self.assertEqual(len(collector.of_trace(TRACE, 2)), 2)

    def test_authorities_of_its_own_count_instead_of_the_systems(self):
        for ca, exported in ((CA.cert, 2), (STRANGERS.cert, 0)):
            with self.subTest(ca), Collector(pair=SITE) as collector:
                text = config(collector).replace("otlp: {", f"otlp: {{ca: {ca}, ")
                with Gateway(text, FILES, env={"LINGATE_TEST_OTLP": "Bearer t0k3n", "SSL_CERT_FILE": str(STRANGERS.cert)}) as gateway:
                    ask(gateway.port, request_bytes(target="/broken", headers=parent_header()))
                    if not exported:
                        gateway.wait_log("spans are dropped.*the certificate is not believed")
                    self.assertEqual(len(collector.of_trace(TRACE, exported)), exported)

    def test_another_gets_nothing(self):
        for pair, why in ((WILD, "IP address mismatch"), (STRANGERS.issue("s", names=["IP:127.0.0.1"]), "certificate")):
            with self.subTest(why), Collector(pair=pair) as collector, self.gateway(collector) as gateway:
                ask(gateway.port, request_bytes(target="/broken", headers=parent_header()))
                gateway.wait_log("spans are dropped.*the certificate is not believed.*" + why)
                self.assertEqual(collector.requests, [])


class Away(unittest.TestCase):
    def test_a_collector_that_is_away_costs_spans_and_nothing_else(self):
        with Origin() as origin, gateway_of(config(f"http://127.0.0.1:{dead_port()}/v1/traces", origin.port)) as gateway:
            admin = Admin(gateway)
            with connect(gateway.port) as sock:
                stream = Stream(sock)
                for _ in range(100):
                    sock.sendall(request_bytes(target="/bare/a"))
                    self.assertEqual(stream.response().status, 200)
            gateway.wait_for(lambda: metric(admin, "lingate_otlp_spans_dropped_total") == 200, "dropped spans")
            self.assertEqual(metric(admin, "lingate_otlp_spans_exported_total"), 0)
            gateway.wait_log("tracing: spans are dropped: 127.0.0.1:[0-9]+: Connection refused")

    def test_one_that_refuses_is_told_once_and_taken_back(self):
        with Collector(status=400) as collector, Origin() as origin, gateway_of(config(collector, origin.port)) as gateway:
            ask(gateway.port, request_bytes(target="/bare/a"))
            gateway.wait_log("tracing: spans are dropped: .*: the answer's status is 400")
            collector.status = 200
            ask(gateway.port, request_bytes(target="/bare/a"))
            gateway.wait_log("tracing: the collector takes spans again")
            admin = Admin(gateway)
            self.assertEqual((metric(admin, "lingate_otlp_spans_dropped_total"),
                              metric(admin, "lingate_otlp_spans_exported_total")), (2, 2))

    def test_one_that_never_answers_does_not_hold_up_the_end(self):
        listener = socket.create_server(("127.0.0.1", 0))
        with Origin() as origin:
            with gateway_of(config(f"http://127.0.0.1:{listener.getsockname()[1]}/v1/traces", origin.port)) as gateway:
                ask(gateway.port, request_bytes(target="/bare/a"))
                asked, _ = listener.accept()
                self.assertTrue(asked.recv(1))
        asked.close()
        listener.close()


if __name__ == "__main__":
    unittest.main()
