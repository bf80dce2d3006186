"""Row 14: native crashes in worker processes. And what processes are for: Python on every core."""
import json
import os
import signal
import statistics
import threading
import time

from others import Others, run_others
from support.gateway import Gateway
from support.runaways import KILLED, script
from support.wire import Stream, ask, connect, problem_code, request_bytes
from table import row

CALM = [("X-Calm", "1")]


def gateway_of(bodies, options="instances: 1, budget: 2s, memory: 128MiB", workers="auto"):
    lines = ["version: 1", f"workers: {workers}", "listen:", "  - address: 127.0.0.1:0", "routes:",
             '  - {name: others, match: {path: /others}, respond: {status: 200, text: "fine"}}']
    for name in bodies:
        lines += [f"  - name: {name}", f"    match: {{path: /{name}}}",
                  f"    chain: [script: {{file: script_{name}.py, isolation: process, {options}}}]", "    respond: {status: 200, text: passed}"]
    return Gateway("\n".join(lines) + "\n", {f"script_{name}.py": script("python", body) for name, body in bodies.items()})


def call(gateway, name, headers=()):
    return ask(gateway.port, request_bytes(target=f"/{name}", headers=headers))


# ---- 14 ----


@row(14, "native crash in a worker process")
def crashes(case):
    rounds = case.pick(full=4, small=1)  # five within 10 s would be a loop of crashes
    wrong, respawn, deaths = [], [], 0
    with gateway_of(KILLED["python"], workers=1) as gateway:  # one process for each script: the next call waits for it
        for name in KILLED["python"]:
            call(gateway, name, CALM)
        with Others(gateway.port, rate=1000, seconds=case.pick(full=12, small=4)) as others:
            for _ in range(rounds):
                for name in KILLED["python"]:
                    response = call(gateway, name)
                    died = time.monotonic()  # the answer tells of it
                    if (response.status, problem_code(response)) != (503, "LG3005"):
                        wrong.append((name, response.status, problem_code(response)))
                    calm = call(gateway, name, CALM)
                    respawn.append(time.monotonic() - died)
                    if calm.body != b"calm":
                        wrong.append((name, "next call", calm.status))
                    deaths += 1
    case.exactly(f"wrong answers of {deaths} crashes and the calls after them", wrong, [])
    case.at_most("from a crash to the next call answered, half of them", statistics.median(respawn) * 1000, case.pick(full=100, small=1000), "ms")
    case.at_most_where_alone("at most", max(respawn) * 1000, 100, "ms")
    case.exactly(f"errors of {others.figures.answers:,} others at 1,000/s", others.figures.errors, 0)


PID = "import os\nreturn lingate.respond(200, str(os.getpid()))"


@row(14, "a worker process is killed")
def killed_from_outside(case):
    respawn, wrong = [], []
    with gateway_of({"pid": PID}, workers=1) as gateway, Others(gateway.port, rate=1000, seconds=case.pick(full=8, small=2)) as others:
        for _ in range(4):
            pid = int(call(gateway, "pid").body)
            os.kill(pid, signal.SIGKILL)
            died = time.monotonic()
            response = call(gateway, "pid")  # it may be given to the dying one and is then served by the next
            respawn.append(time.monotonic() - died)
            if response.status != 200 or int(response.body) == pid:
                wrong.append((response.status, response.body[:60]))
    case.exactly("wrong answers", wrong, [])
    case.at_most("from the signal to a call answered, half of them", statistics.median(respawn) * 1000, case.pick(full=100, small=1000), "ms")
    case.at_most_where_alone("at most", max(respawn) * 1000, 100, "ms")
    case.exactly("errors of others", others.figures.errors, 0)


@row(14, "a crash costs the calls that were in it")
def only_its_own_calls(case):
    bodies = {"crashing": "if 'X-Crash' in req.headers:\n    import os\n    os._exit(1)\nreturn lingate.respond(200, 'fine')",
              "neighbour": "return lingate.respond(200, 'fine')"}
    statuses = {"crashing": {}, "neighbour": {}}

    def ask_all_the_time(gateway, name, ended):
        with connect(gateway.port) as sock:
            stream = Stream(sock)
            while not ended.is_set():
                sock.sendall(request_bytes(target=f"/{name}"))
                status = stream.response().status
                statuses[name][status] = statuses[name].get(status, 0) + 1

    with gateway_of(bodies) as gateway:
        ended = threading.Event()
        threads = [threading.Thread(target=ask_all_the_time, args=(gateway, name, ended)) for name in ("crashing", "crashing", "neighbour")]
        for thread in threads:
            thread.start()
        lost = 0
        for _ in range(4):
            lost += call(gateway, "crashing", [("X-Crash", "1")]).status == 503
            while call(gateway, "crashing").status != 200:
                pass
        ended.set()
        for thread in threads:
            thread.join()
    case.exactly("crashes told to their own callers", lost, 4)
    # One call runs at a time, so beside each crash there is none that had begun.
    case.exactly("calls of the same script that were lost", {s: n for s, n in statuses["crashing"].items() if s != 200}, {})
    case.exactly("calls of another script that were lost", {s: n for s, n in statuses["neighbour"].items() if s != 200}, {})


@row(14, "a loop of crashes")
def crash_loop(case):
    with gateway_of({"exit": KILLED["python"]["exit"]}, workers=1) as gateway, \
            Others(gateway.port, rate=1000, seconds=case.pick(full=5, small=3)) as others:
        for _ in range(5):
            call(gateway, "exit")
        said = json.loads(gateway.wait_log("cannot be kept running"))["message"].split(": ", 1)[-1]
        refused, slowest = [], 0
        for _ in range(20):
            began = time.monotonic()
            refused.append(call(gateway, "exit", CALM).status)
            slowest = max(slowest, time.monotonic() - began)
        opened = time.monotonic()
        while call(gateway, "exit", CALM).status != 200 and time.monotonic() < opened + 20:
            time.sleep(0.01)
        recovered = time.monotonic() - opened
    case.exactly(f"the log says “{said}”", "cannot be kept running" in said, True)
    case.exactly("answers while the breaker is open", set(refused), {503})
    case.at_most("refused after, at most", slowest * 1000, 50, "ms")
    case.at_most("serves again by itself after", recovered, 5, "s")
    case.exactly("errors of others", others.figures.errors, 0)


# ---- Python on every core ----

CPU_BOUND = "x = 0\nfor i in range(150000): x += i * i % 7\nreturn lingate.respond(200, str(x))"


@row("cores", "one Python process on two cores")
def two_processes(case):
    """A closed loop of a few clients on a script of some 20 ms of pure computing: two processes against one."""
    seconds, rates = case.pick(full=5, small=1), {}
    for round_ in range(case.pick(full=3, small=1)):  # A B A B: what the machine does meanwhile hits both
        for instances in (1, 2):
            with gateway_of({"cpu": CPU_BOUND}, f"instances: {instances}, budget: 10s, wait: 10s", workers=1) as gateway:
                figures = run_others(gateway.port, "/cpu", 0, seconds, 4)
                case.exactly(f"errors with {instances}, round {round_ + 1}", figures.errors, 0)
                rates.setdefault(instances, []).append(figures.rate)
    one, two = max(rates[1]), max(rates[2])
    if case.full:
        case.at_least(f"two processes, {two:.1f} calls/s, against one, {one:.1f}", two / one, 1.7, "×")
