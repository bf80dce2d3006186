"""Row 25: the admin API is abused."""
import http.client
import random
import socket
import statistics
import time

from apart import apart, rate_of_seventy_percent
from others import Others, p99_in_turns
from support.admin import Admin
from support.gateway import Gateway
from support.wire import TIMEOUT, Stream, request_bytes
from table import row

CONFIG = """
version: 1
workers: 2
listen:
  - address: 127.0.0.1:0
admin: {address: 127.0.0.1:0}
routes:
  - {name: others, match: {path: /others}, respond: {text: fine}}
"""
LARGE = 100_000_000


class Flood:
    """So many requests a second that anybody may make."""

    def __init__(self, port, rate, seconds):
        self.asking = Others(port, "/healthz", rate=rate, seconds=seconds, measures=False)

    def begin(self):
        self.asking.__enter__()
        self.began = time.monotonic()

    def end(self):
        self.asking.__exit__()
        self.rate = self.asking.figures.answers / (time.monotonic() - self.began)


def send(admin, method, path, headers, body=b""):
    connection = http.client.HTTPConnection("127.0.0.1", admin.port, timeout=TIMEOUT)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def large_body(admin, token):
    """(status, bytes that were taken) of a body of 100 MB."""
    with socket.create_connection(("127.0.0.1", admin.port), TIMEOUT) as sock:
        sock.sendall(f"PUT /config HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nIf-Match: *\r\n"
                     f"Content-Type: application/yaml\r\nContent-Length: {LARGE}\r\n\r\n".encode())
        sent = 0
        try:
            while sent < LARGE:
                sent += sock.send(b"x" * 65536)
        except OSError:  # it was refused, and nobody reads on
            pass
        try:
            return Stream(sock).response().status, sent
        except (OSError, EOFError):  # the reset came before the answer was read
            return 0, sent


def state(admin):
    return admin.ask("GET", "/config")[1], admin.ask("GET", "/keys")[1]


@row(25, "admin API abused: changes without the right to them")
def unauthorised_changes(case):
    with Gateway(CONFIG) as gateway:
        admin = Admin(gateway)
        admin.ask("POST", "/keys", {"id": "ann"})
        before = state(admin)
        right = {"Authorization": "Bearer " + admin.token}
        tokens = ["", admin.token[:-1], admin.token + "x", admin.token[::-1], admin.token.upper() + "!", "x" * 8000]
        changes = [("DELETE", "/keys/ann", b""), ("POST", "/keys", b"{}"), ("PUT", "/config?save=true", b"version: 1\n"),
                   ("POST", "/reload", b"{}"), ("PATCH", "/keys/ann", b"{}"), ("POST", "/config/rollback", b'{"generation": 1}')]
        statuses = []
        for method, path, body in changes:
            kind = {"Content-Type": "application/yaml" if path.startswith("/config?") else "application/json", "If-Match": "*"}
            statuses += [send(admin, method, path, {**kind, "Authorization": "Bearer " + token}, body) for token in tokens]
            statuses.append(send(admin, method, path, kind, body))
            statuses += [send(admin, method, path, {**kind, **right, **page}, body)
                         for page in ({"Origin": "http://evil.test"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.test"})]
        case.exactly(f"of {len(statuses)} attempts, by no or a wrong token, by pages and names of others, that were let in",
                     [status for status in statuses if status not in (401, 403, 404, 405, 421)], [])
        memory = gateway.memory()
        large = [large_body(admin, token) for token in ("wrong", admin.token) for _ in range(case.pick(full=8, small=2))]
        case.exactly("bodies of 100 MB that were let in", [status for status, _ in large if status not in (0, 401, 413)], [])
        case.at_most("and the most that was taken of one", max(sent for _, sent in large) / 1e6, 10, "MB")
        case.at_most("memory that they cost", (gateway.memory() - memory) / 1e6, 16, "MB")
        case.exactly("what is there is what was there", state(admin) == before, True)


@row(25, "admin API abused: 10,000 requests/s")
def flood(case):
    with Gateway(CONFIG) as gateway, apart(gateway, case.full):
        admin = Admin(gateway)
        before = state(admin)
        rate = rate_of_seventy_percent(gateway) if case.full else 300
        rounds, wanted, floods = case.pick(full=12, small=1), case.pick(full=10_000, small=1000), []

        def begin():
            floods.append(Flood(admin.port, wanted, 2))
            floods[-1].begin()

        calm, beside = p99_in_turns(gateway.port, rate, rounds, begin, lambda: floods[-1].end())
        answered = statistics.mean(each.rate for each in floods)
        case.at_least("of them answered a second, who have no token", answered, wanted * 0.05)
        case.at_most("and at most", answered, 1500)
        case.exactly("errors of others", calm.errors + beside.errors, 0)
        case.at_most_where_alone("p99 of others, times the undisturbed", beside.p99_ms / calm.p99_ms, 1.2)
        case.exactly("what is there is what was there", state(admin) == before, True)


@row(25, "admin API abused: how long a wrong token takes")
def constant_time(case):
    """A token that is right but for its last letter, and one that is wrong from the first, in turns."""
    with Gateway(CONFIG) as gateway:
        admin = Admin(gateway)
        last = "a" if admin.token[-1] != "a" else "b"
        tokens = {"nearly": admin.token[:-1] + last, "not at all": "x" * len(admin.token)}
        took = {name: [] for name in tokens}
        with socket.create_connection(("127.0.0.1", admin.port), TIMEOUT) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream, choose = Stream(sock), random.Random(25)
            for _ in range(case.pick(full=20_000, small=500)):
                for name in choose.sample(list(tokens), 2):
                    raw = request_bytes(target="/keys", host="127.0.0.1", headers=[("Authorization", "Bearer " + tokens[name])])
                    began = time.perf_counter()
                    sock.sendall(raw)
                    status = stream.response().status
                    took[name].append(time.perf_counter() - began)
                    assert status == 401, status
        median = {name: statistics.median(times) * 1e6 for name, times in took.items()}
        case.exactly("answers of both", {len(times) for times in took.values()}, {case.pick(full=20_000, small=500)})
        case.at_most_where_alone("medians apart", abs(median["nearly"] - median["not at all"]), 2, "µs")
