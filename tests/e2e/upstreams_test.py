#!/usr/bin/env python3
"""Upstreams that misbehave, and a gateway that is busy: what a client gets must be whole, its own, or an error."""
import signal
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway  # noqa: E402
from support.wire import Origin, Stream, ask, connect, problem_code, reply, request_bytes, reset  # noqa: E402

CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
limits: {{head: {head}}}
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], timeout: {{response: {response}}}{options}}}
routes:
  - {{name: plain, match: {{path: /plain}}, respond: {{text: here}}}}
  - {{name: busy, match: {{path: "/busy/*"}}, chain: [script: {{file: busy.lua, budget: 200ms}}], upstream: origin}}
  - {{name: asleep, match: {{path: "/asleep/*"}}, chain: [access-log, script: {{file: asleep.lua}}], upstream: origin}}
  - {{name: all, match: {{path: "/*"}}, chain: [access-log], upstream: origin}}
"""
FILES = {
    # 4 ms of the worker's time; the response tells when they were over.
    "busy.lua": """
return {
  request = function(req, ctx)
    local stop = lingate.now() + 0.004
    while lingate.now() < stop do end
    ctx.ended = lingate.now()
  end,
  response = function(res, req, ctx) res.headers["X-Ended"] = string.format("%.6f", ctx.ended) end,
}
""",
    "asleep.lua": "return {request = function() lingate.log.info('asleep') lingate.sleep(1) end}",
}


def gateway(origin, head="32KiB", response="10s", options=", eject: off"):
    return Gateway(CONFIG.format(port=origin.port, head=head, response=response, options=options), FILES)


def everything(sock):
    """(all bytes until the end, whether it ended with a reset)"""
    data = b""
    try:
        while more := sock.recv(65536):
            data += more
        return data, False
    except ConnectionResetError:
        return data, True


class Upstreams(unittest.TestCase):
    def test_a_reset_never_looks_like_the_end_of_a_response_without_framing(self):
        arrived = threading.Event()  # the client has the first bytes: the reset cannot drop them any more

        def serve(sock, stream):
            stream.head()
            sock.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello ")
            arrived.wait()
            reset(sock)

        def ask_until_the_end(gw, request):
            arrived.clear()
            with connect(gw.port) as sock:
                sock.sendall(request)
                data = b""
                while b"hello " not in data:
                    data += sock.recv(65536)
                arrived.set()
                rest, was_reset = everything(sock)
                return data + rest, was_reset

        with Origin(serve=serve) as origin, gateway(origin) as gw:
            data, _ = ask_until_the_end(gw, request_bytes())
            self.assertTrue(data.endswith(b"6\r\nhello \r\n"), data)  # no last chunk
            data, was_reset = ask_until_the_end(gw, b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
            self.assertTrue(was_reset, data)

    def test_bytes_behind_a_response_are_nobody_elses_response(self):
        evil = reply(body=b"EVIL")
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %5d\r\n\r\n"
        size = 65536 - len(head % 0)

        def serve(sock, stream):
            while request := stream.request():
                if request.target == "/fill":
                    sock.sendall(head % size + b"x" * size + evil)
                else:
                    sock.sendall(reply(body=b"good"))

        with Origin(serve=serve) as origin, gateway(origin) as gw:
            for _ in range(20):
                self.assertEqual(len(ask(gw.port, request_bytes(target="/fill")).body), size)
                self.assertEqual(ask(gw.port, request_bytes(target="/next")).body, b"good")

    def test_a_bad_first_chunk_is_a_502_while_nothing_was_sent(self):
        with Origin(lambda _: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n") as origin, gateway(origin) as gw:
            response = ask(gw.port, request_bytes())
            self.assertEqual((response.status, problem_code(response)), (502, "LG4003"))

    def test_a_large_head_before_a_tunnel(self):
        received = []

        def serve(sock, stream):
            stream.head()
            sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            received.append(stream.take(100_000))

        with Origin(serve=serve) as origin, gateway(origin, head="128KiB") as gw, connect(gw.port) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-A: " + b"a" * 10_000 +
                         b"\r\nX-B: " + b"b" * 10_000)
            self.assertEqual(ask(gw.port, request_bytes(target="/plain")).status, 200)  # the head has grown its block by now
            sock.sendall(b"\r\n\r\n" + b"t" * 100_000)
            self.assertEqual(Stream(sock).response().status, 101)
            gw.wait_for(lambda: received, "the tunnel's bytes")
            self.assertEqual(received[0], b"t" * 100_000)

    def test_a_response_head_up_to_the_limit(self):
        fields = [(f"X-{n}", "v" * 10_000) for n in range(10)]
        with Origin(lambda _: reply(headers=fields, body=b"ok")) as origin, gateway(origin, head="128KiB") as gw:
            self.assertEqual(ask(gw.port, request_bytes()).body, b"ok")

    def test_the_response_time_out_is_for_the_whole_head(self):
        stop = threading.Event()

        def serve(sock, stream):
            stream.head()
            for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"v" * 1000:
                sock.sendall(bytes([byte]))
                if stop.wait(0.02):
                    return

        with Origin(serve=serve) as origin, gateway(origin, response="200ms") as gw:
            self.assertEqual(problem_code(ask(gw.port, request_bytes())), "LG4005")
            stop.set()

    def test_a_health_check_looks_at_the_final_answer(self):
        asked = []

        def serve(sock, stream):
            stream.head()
            asked.append(1)
            good = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
            for byte in good if len(asked) % 2 else [good]:
                sock.sendall(bytes([byte]) if len(asked) % 2 else byte)

        health = ", eject: off, health: {path: /, every: 20ms, timeout: 5s, unhealthy: 1}"
        with Origin(serve=serve) as origin, gateway(origin, options=health) as gw:
            gw.wait_for(lambda: len(asked) > 6, "health checks")
            self.assertNotIn("unhealthy", gw.log_text())

    def test_a_health_check_does_not_read_without_end(self):
        def serve(sock, stream):
            stream.head()
            sock.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: ")
            while True:
                sock.sendall(b"x" * 65536)

        health = ", eject: off, health: {path: /, every: 20ms, timeout: 60s, unhealthy: 1}"
        with Origin(serve=serve) as origin, gateway(origin, options=health) as gw:
            gw.wait_log("no answer behind its interim responses")

    def test_a_reset_is_noticed_while_a_script_sleeps_and_the_body_waits(self):
        with Origin() as origin, gateway(origin) as gw:
            sock = connect(gw.port)
            sock.sendall(request_bytes("POST", "/asleep/x", body=b"abc"))
            gw.wait_log("asleep")
            begin = time.monotonic()
            reset(sock)
            gw.wait_access(lambda line: line["http.response.status_code"] == 499)
            self.assertLess(time.monotonic() - begin, 0.7)
            self.assertEqual(origin.requests, [])


class Busy(unittest.TestCase):
    def burst(self, gw, first=(), count=60):
        """Writes all before it reads any; the responses in the order of the connections."""
        socks = [connect(gw.port) for _ in range(len(first) + count)]
        for sock, target in zip(socks, [*first, *(f"/busy/{n}" for n in range(count))]):
            sock.sendall(request_bytes(target=target))
        return socks

    def test_a_neighbour_does_not_wait_for_every_script_of_a_burst(self):
        with Origin() as origin, gateway(origin) as gw:
            ask(gw.port, request_bytes(target="/busy/warm"))
            starter = self.burst(gw, count=1)  # makes the worker busy, so that the rest is one turn
            socks = self.burst(gw, first=["/plain"])
            self.assertEqual(Stream(socks[0]).response().body, b"here")
            answered = time.time()
            ended = [float(Stream(sock).response().value("X-Ended")) for sock in [*starter, *socks[1:]]]
            self.assertGreater(sum(at > answered for at in ended), 20, ended)  # of 61: it did not wait for all of them
            for sock in [*starter, *socks]:
                sock.close()

    def test_the_upstream_is_not_blamed_for_a_busy_worker(self):
        with Origin() as origin, gateway(origin, response="150ms", options="") as gw:
            for _ in range(3):
                for sock in self.burst(gw):
                    self.assertEqual(Stream(sock).response().status, 200)
                    sock.close()

    def test_who_is_let_in_before_the_end_is_served(self):
        with Origin() as origin, gateway(origin) as gw:
            socks = self.burst(gw, count=40)
            late = self.burst(gw, count=40)
            gw.signal(signal.SIGTERM)
            for sock in [*socks, *late]:
                self.assertEqual(Stream(sock).response().status, 200)
                sock.close()
            self.assertEqual(gw.wait(), 0)


if __name__ == "__main__":
    unittest.main()
