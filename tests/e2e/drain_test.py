#!/usr/bin/env python3
"""Targets that an operator takes out of service and back: under load, whatever the worker, and nobody notices."""
import http.client
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.admin import Admin  # noqa: E402
from support.gateway import DEADLINE  # noqa: E402
from support.reloaded import Reloaded, config  # noqa: E402
from support.wire import TIMEOUT, Origin, Stream, ask, connect, problem_code, reply, request_bytes  # noqa: E402

ROUTE = "  - {name: all, match: {path: '/*'}, upstream: u}\n"


def served_by(name):
    return lambda _: reply(200, [("X-By", name)], b"ok")


def gateway(*ports, more=""):
    targets = ", ".join(f"'http://127.0.0.1:{port}'" for port in ports)
    return config(ROUTE, f"admin: {{address: 127.0.0.1:0}}\nupstreams: {{u: {{targets: [{targets}]{more}}}}}\n")


class Load:
    """Clients that ask without a pause, each on a connection of its own."""

    def __init__(self, port, clients=6):
        self.counts, self.failures = {}, []
        self._over, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._ask, args=(port,)) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        while not self._over.is_set():
            try:
                connection.request("GET", "/x")
                response = connection.getresponse()
                body, by = response.read(), response.headers["X-By"]
                with self._lock:
                    if response.status == 200 and body == b"ok":
                        self.counts[by] = self.counts.get(by, 0) + 1
                    else:
                        self.failures.append((response.status, body))
            except OSError as error:
                self.failures.append(error)
        connection.close()

    def served(self, by):
        with self._lock:
            return self.counts.get(by, 0)

    def wait_for_more(self, by, count=200):
        """Until that many more were served, so that whatever was decided before has shown."""
        wanted, deadline = self.served(by) + count, time.monotonic() + DEADLINE
        while self.served(by) < wanted:
            assert time.monotonic() < deadline, (by, self.counts, self.failures[:3])
            time.sleep(0.005)


class Drain(unittest.TestCase):
    def target(self, admin, origin):
        targets = admin.ask("GET", "/upstreams")[1]["upstreams"][0]["targets"]
        return next(each for each in targets if each["address"] == f"127.0.0.1:{origin.port}")

    def change(self, admin, origin, verb):
        status, upstream = admin.ask("POST", f"/upstreams/u/targets/127.0.0.1:{origin.port}/{verb}")
        self.assertEqual((status, upstream["name"]), (200, "u"), upstream)
        return next(each for each in upstream["targets"] if each["address"].endswith(f":{origin.port}"))

    def test_a_target_is_drained_replaced_and_taken_back_under_load_without_a_failure(self):
        with Origin(served_by("a")) as a, Origin(served_by("b")) as b, Reloaded(gateway(a.port, b.port)) as it:
            admin = Admin(it.gateway)
            with Load(it.gateway.port) as load:
                load.wait_for_more("a")
                load.wait_for_more("b")
                self.assertTrue(self.change(admin, a, "drain")["draining"])
                it.gateway.wait_for(lambda: self.target(admin, a)["active"] == 0, "end of what is in flight")
                before = len(a.requests)  # its own count: a client may still be reading the last answer
                load.wait_for_more("b", 1000)
                self.assertEqual(len(a.requests), before)
                it.reload()  # it stays drained
                load.wait_for_more("b", 500)
                self.assertEqual(len(a.requests), before)
                shown = self.target(admin, a)
                self.assertEqual((shown["draining"], shown["healthy"], shown["ejected"]), (True, True, False))
                self.assertFalse(self.change(admin, a, "resume")["draining"])
                load.wait_for_more("a")
            self.assertEqual(load.failures, [])
            self.assertGreater(load.served("b"), 1900)
            it.gateway.wait_log(f"admin: target 127.0.0.1:{a.port} of upstream 'u' is drained")
            it.gateway.wait_log(f"admin: target 127.0.0.1:{a.port} of upstream 'u' is taken back")

    def test_idle_connections_to_it_are_closed_and_those_in_use_are_not_kept(self):
        ended = threading.Semaphore(0)

        def serve(sock, stream):
            while request := stream.request():
                if request.target == "/slow":
                    go_on.wait(TIMEOUT)
                sock.sendall(reply(200, [("X-By", "a")], b"ok"))
            ended.release()

        go_on = threading.Event()
        with Origin(serve=serve) as a, Origin(served_by("b")) as b, \
                Reloaded(gateway(a.port, b.port, more=", pool: {idle: 1h}").replace("workers: 2", "workers: 1")) as it:
            admin = Admin(it.gateway)
            self.change(admin, b, "drain")
            self.assertEqual(ask(it.gateway.port, request_bytes(target="/x")).value("X-By"), "a")  # leaves one idle
            slow = connect(it.gateway.port)
            slow.sendall(request_bytes(target="/slow"))
            it.gateway.wait_for(lambda: self.target(admin, a)["active"] == 1, "the slow request")
            self.assertEqual(ask(it.gateway.port, request_bytes(target="/x")).status, 200)  # another one: two by now
            self.change(admin, b, "resume")
            self.assertEqual(self.change(admin, a, "drain")["active"], 1)
            self.assertTrue(ended.acquire(timeout=DEADLINE), "the idle connection is open")
            self.assertEqual(ask(it.gateway.port, request_bytes(target="/x")).value("X-By"), "b")
            go_on.set()
            self.assertEqual(Stream(slow).response().body, b"ok")
            self.assertTrue(ended.acquire(timeout=DEADLINE), "the connection that was in use is open")
            it.gateway.wait_for(lambda: self.target(admin, a)["active"] == 0, "end of the slow request")
            slow.close()

    def test_with_all_drained_the_answer_is_503_at_once(self):
        with Origin(served_by("a")) as a, Reloaded(gateway(a.port)) as it:
            admin = Admin(it.gateway)
            self.change(admin, a, "drain")
            response = ask(it.gateway.port, request_bytes(target="/x"))
            self.assertEqual((response.status, problem_code(response)), (503, "LG4006"))
            self.change(admin, a, "drain")  # twice is once
            self.change(admin, a, "resume")
            self.assertEqual(ask(it.gateway.port, request_bytes(target="/x")).status, 200)

    def test_a_configuration_without_the_target_forgets_that_it_is_drained(self):
        with Origin(served_by("a")) as a, Origin(served_by("b")) as b, Reloaded(gateway(a.port, b.port)) as it:
            admin = Admin(it.gateway)
            self.change(admin, a, "drain")
            it.reload(gateway(a.port, b.port, more=", pool: {max: 7}"))  # a change of the upstream alone does not
            self.assertTrue(self.target(admin, a)["draining"])
            it.reload(gateway(b.port))
            it.reload(gateway(a.port, b.port))
            self.assertFalse(self.target(admin, a)["draining"])

    def test_what_is_not_there_is_told(self):
        with Origin() as a, Reloaded(gateway(a.port)) as it:
            admin = Admin(it.gateway)
            for path, field in ((f"/upstreams/v/targets/127.0.0.1:{a.port}/drain", "upstream"),
                                ("/upstreams/u/targets/127.0.0.1:1/resume", "target")):
                status, problem = admin.ask("POST", path)
                self.assertEqual((status, problem["code"], problem["field"]), (404, "LG5218", field))


if __name__ == "__main__":
    unittest.main(verbosity=2)
