"""What is asked of a gateway, and the proof that it does it: before an arm is timed, its request goes to an upstream that
answers with what it received. While it is timed, status and length of every response are checked (load.cpp).
"""
import http.client
import json
import re
import socket
from dataclasses import dataclass
from pathlib import Path

from gateways import CALLERS, FILLER, SESSIONS, SLOW
from processes import Failed, expect, listeners

ORDER = json.dumps({"kind": "order", "user": "bob", **{
    f"field_{k:02d}": {"id": 7 * k, "name": f"some name {k}", "ok": True, "v": k + 0.5} for k in range(1, 19)}},
    separators=(",", ":")).encode()
KEY = "X-Api-Key: key-00000042"
FIELDS = ["User-Agent: Mozilla/5.0 (X11; Linux x86_64) bench/1.0", "Accept: application/json",
          "Accept-Encoding: gzip, deflate", "Accept-Language: en-US,en;q=0.5",
          "X-Request-Id: 7b3f1c1e-2f61-4a3b-9a52-0d6a7d2f1e11", "Cookie: sid=abcdef0123456789; theme=dark"]
# What a gateway may add or change on the way.
OWN = re.compile(r"host|connection|keep-alive|content-length|transfer-encoding|via|forwarded|x-forwarded-.*")


@dataclass(frozen=True)
class Arm:
    title: str
    proof: str = "forwards"  # a function below
    bytes: int = 128  # of the upstream's answer
    folder: str = "/"
    post: bool = False
    key: str = KEY
    status: int = 200
    forwarded: bool = True
    connections: int = 64
    figure: str = "cpu"

    def request(self, host, leaf=None, extra=(), without_key=False):
        fields = [f"Host: {host}", *FIELDS, *([self.key] if self.key and not without_key else []), *extra]
        if self.post:
            fields += ["Content-Type: application/json", f"Content-Length: {len(ORDER)}"]
        start = f"{'POST' if self.post else 'GET'} {self.folder}{leaf or self.bytes} HTTP/1.1"
        return "\r\n".join([start, *fields, "", ""]).encode() + (ORDER if self.post else b"")


ARMS = {
    "bare": Arm("forwards a GET, 128 bytes come back"),
    "header": Arm("the header job, in a script", "does_the_header_job"),
    "deny": Arm("the header job refuses", "denies", key="", status=401, forwarded=False),
    "early": Arm("a script answers, 128 bytes", "answers_itself", forwarded=False),
    "body": Arm("a script rewrites a JSON body of 1.1 KB", "rewrites_the_body", post=True),
    "r10k": Arm("10 KB come back", "passes_bytes", bytes=10 << 10),
    "r1m": Arm("1 MB comes back", "passes_bytes", bytes=1 << 20, connections=16),
    "lat1": Arm("one connection", connections=1, figure="p50"),
    "idle": Arm("idle keep-alive connections", connections=4000, figure="memory"),
    "workers": Arm("two workers beside one", "has_its_workers"),
    "routes": Arm("10,000 routes beside 10", "finds_its_routes", folder="/r00005/"),
    "chain": Arm("ten native steps beside none", "takes_its_steps"),
    "handover": Arm("an empty script in a worker process beside inline", "has_its_worker"),
    "guarded": Arm("a key, a limit for each caller, and the header job in a script", "guards", key=f"X-Api-Key: {[*CALLERS][41]}"),
    "telemetry": Arm("access log and metrics beside neither", "logs_and_counts"),
}


def exchange(port, request):
    """(status, fields, body) of the response."""
    with socket.create_connection(("127.0.0.1", port), 5) as sock:
        sock.sendall(request)
        response = http.client.HTTPResponse(sock)
        response.begin()
        return response.status, response.headers, response.read()


def end_to_end(fields):
    return sorted((name.lower(), value) for name, value in fields if not OWN.fullmatch(name.lower()))


def parsed(message):
    head, _, body = message.partition(b"\r\n\r\n")
    return [tuple(line.split(": ", 1)) for line in head.decode("latin-1").split("\r\n")[1:]], body


def echoed(gateway, name, added=(), removed=(), **request):
    """The upstream must have received what was sent, but for what is said here. Returns the response's fields, and the body
    that the upstream saw."""
    sent = ARMS[name].request(gateway.host(name), "echo", **request)
    status, fields, body = exchange(gateway.port(name), sent)
    expect(status == 200, f"status {status}, not 200")
    expect(fields["ETag"] == '"abc-123"', "a field of the upstream's response is lost")
    seen, seen_body = parsed(body)
    gone = {each.lower() for each in (*removed, *(field for field, _ in added))}
    wanted = [pair for pair in end_to_end(parsed(sent)[0]) if pair[0] not in gone] + end_to_end(added)
    differing = sorted(set(end_to_end(seen)) ^ set(wanted))
    expect(end_to_end(seen) == sorted(wanted), f"the upstream saw other fields: {differing or 'some twice'}")
    return fields, seen_body


def forwards(gateway, name):
    _, body = echoed(gateway, name)
    expect(body == (ORDER if ARMS[name].post else b""), "the body was changed")


def does_the_header_job(gateway, name):
    for key in ("key-00000042", "key-00000777"):
        added = [("X-User-Id", SESSIONS[key]["user"]), ("X-Tenant", SESSIONS[key]["tenant"])]
        fields, _ = echoed(gateway, name, added, ["X-Api-Key"], without_key=True,
                           extra=[f"X-Api-Key: {key}", "X-User-Id: forged"])
        expect(fields.get_all("X-Gateway") == ["perf"], "the response's X-Gateway is not set")
    denies(gateway, name)


def denies(gateway, name):
    for extra in ([], ["X-Api-Key: key-99999999"]):
        request = ARMS[name].request(gateway.host(name), extra=extra, without_key=True)
        status, _, _ = exchange(gateway.port(name), request)
        expect(status == 401, f"status {status}, not 401, with {extra or 'no key'}")


def answers_itself(gateway, name):
    status, fields, body = exchange(gateway.port(name), ARMS[name].request(gateway.host(name)))
    expect((status, body) == (200, FILLER.encode()), f"status {status} with {len(body)} bytes")
    expect(fields["X-Gateway"] == "perf" and "ETag" not in fields, "the answer is not the script's")


def rewrites_the_body(gateway, name):
    _, body = echoed(gateway, name)
    expect(json.loads(body) == {**json.loads(ORDER), "gateway_user": "user-42"}, "the upstream saw another body")


def passes_bytes(gateway, name):
    forwards(gateway, name)
    status, _, body = exchange(gateway.port(name), ARMS[name].request(gateway.host(name)))
    expect((status, body) == (200, b"x" * ARMS[name].bytes), f"status {status}, {len(body)} bytes, or others")


def has_its_workers(gateway, name):
    forwards(gateway, name)
    wanted = gateway.values["workers"]
    expect(listeners(gateway.port(name)) == wanted, f"{listeners(gateway.port(name))} workers listen, not {wanted}")


def has_its_worker(gateway, name):
    forwards(gateway, name)
    wanted = 2 if gateway.name == "script-process" else 1
    expect(len(gateway.process.ids()) == wanted, f"{len(gateway.process.ids())} processes, not {wanted}")


def finds_its_routes(gateway, name):
    forwards(gateway, name)
    last = gateway.values["routes"].count("\n")  # a line each, from 0 on
    for number, wanted in ((last, 200), (last + 1, 404)):
        request = ARMS[name].request(gateway.host(name)).replace(b"/r00005/", b"/r%05d/" % number)
        status, _, _ = exchange(gateway.port(name), request)
        expect(status == wanted, f"status {status}, not {wanted}, for route {number}")


def takes_its_steps(gateway, name):
    steps = gateway.values["chain"].count("X-Step") // 2
    fields, _ = echoed(gateway, name, [("X-Step", str(steps - 1))] if steps else [])
    expect(fields["X-Step"] == ("0" if steps else None), "the response did not pass the steps backwards")


def guards(gateway, name):
    if "admin" in gateway.description.values:
        make_callers(gateway)
    for key in [*CALLERS][:2]:
        caller = CALLERS[key]
        fields, _ = echoed(gateway, name, [("X-User-Id", caller["user"]), ("X-Tenant", caller["tenant"])], ["X-Api-Key"],
                           without_key=True, extra=[f"X-Api-Key: {key}", "X-User-Id: forged"])
        expect(fields.get_all("X-Gateway") == ["perf"], "the response's X-Gateway is not set")
    denies(gateway, name)
    request = ARMS[name].request(gateway.host(name), extra=[f"X-Api-Key: {SLOW}"], without_key=True)
    statuses = [exchange(gateway.port(name), request)[0] for _ in range(2)]
    expect(statuses == [200, 429], f"statuses {statuses}, not [200, 429], of one who may come once")


def make_callers(gateway):
    """A thousand sessions with keys, and one that may come once an hour, through the admin API."""
    token = (gateway.folder / "data/admin.token").read_text().strip()
    sessions = [{"key": key, "metadata": caller} for key, caller in CALLERS.items()]
    sessions.append({"key": SLOW, "rate": 1, "per": 3600, "burst": 1, "metadata": {"user": "slow", "tenant": "slow"}})
    connection = http.client.HTTPConnection("127.0.0.1", gateway.ports["admin"], timeout=5)
    for session in sessions:
        connection.request("POST", "/keys", json.dumps(session), {"Authorization": f"Bearer {token}",
                                                                  "Content-Type": "application/json"})
        response = connection.getresponse()
        expect(response.status == 201, f"POST /keys: {response.status} {response.read()}")
        response.read()
    connection.close()


def logs_and_counts(gateway, name):
    forwards(gateway, name)
    if not gateway.values["admin"]:
        return
    gateway.process.wait_until(lambda: gateway.log.exists() and '"/echo"' in gateway.log.read_text())
    request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    status, _, page = exchange(gateway.ports["admin"], request)
    expect(status == 200 and re.search(rb"(?m)^lingate_requests\w*\{.* [1-9]", page), "/metrics has not counted requests")


def prove(gateway, name):
    """Raises Failed with what is wrong. Returns the length of the response's body, which is then the same each time."""
    try:
        globals()[ARMS[name].proof](gateway, name)
        status, _, body = exchange(gateway.port(name), ARMS[name].request(gateway.host(name)))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Failed(str(error) or type(error).__name__) from error
    expect(status == ARMS[name].status, f"status {status}, not {ARMS[name].status}")
    return len(body)


def write_request(gateway, name):
    path = Path(gateway.folder, f"{name}.request")
    path.write_bytes(ARMS[name].request(gateway.host(name)))
    return path
