"""Rows 20 and 21: configurations that come while the gateway serves, good ones a thousand times and bad ones by the
thousands."""
import random
import re
import signal
import threading
import time
from pathlib import Path

from apart import apart
from others import in_rounds, of_quiet_rounds, seventy_percent
from support.admin import Admin
from support.gateway import Gateway
from support.wire import Stream, connect, request_bytes
from table import row

HOOKS = {
    "lua": "return {{request = function(req, ctx) ctx.lua = {turn} end, response = function(res, req, ctx) "
           "res.headers['X-Lua'] = tostring(ctx.lua) .. tostring(lingate.config) end}}\n",
    "py": "import lingate\ndef response(res, req, ctx):\n    res.headers['X-Py'] = '%d%d' % ({turn}, lingate.config)\n",
    "js": "var lingate = require('lingate');\n"
          "exports.response = function (res) {{ res.headers['X-Js'] = '{turn}' + lingate.config; }};\n",
}


def scripts_of(turn):
    return {f"turn.{name}": text.format(turn=turn) for name, text in HOOKS.items()}


def configuration_of(turn):
    """Every second one has a route more; the scripts' own text changes with each turn, and their configuration too. Their
    budget is no part of it: a machine that stops for a tenth of a second spends one."""
    steps = ", ".join(f"script: {{file: turn.{name}, config: {turn}, budget: 1s}}" for name in HOOKS)
    more = "  - {name: odd, match: {path: /odd}, respond: {status: 200, text: odd}}\n" if turn % 2 else ""
    return f"""
version: 1
workers: 2
listen:
  - address: 127.0.0.1:0
routes:
  - {{name: others, match: {{path: /others}}, respond: {{status: 200, text: ok}}}}
  - name: turns
    match: {{path: /turns}}
    chain: [headers: {{response: {{set: {{X-Turn: '{turn}{turn}'}}}}}}, {steps}]
    respond: {{status: 200, text: '{turn}{turn}'}}
{more}"""


class Asking(threading.Thread):
    """Requests whose answer is made by five parts of one configuration, on a connection that stays."""

    def __init__(self, gateway, path):
        super().__init__(daemon=True)
        self.port, self.path, self.served, self.wrong, self.over = gateway.port, path, 0, [], False
        self.start()

    def run(self):
        sock = connect(self.port)
        stream = Stream(sock)
        while not self.over:
            sock.sendall(request_bytes(target=self.path))
            response = stream.response()
            seen = {response.body.decode(), *(response.value(name) for name in ("X-Turn", "X-Lua", "X-Py", "X-Js"))}
            whole = len(seen) == 1 if self.path == "/turns" else response.status in (200, 404)
            if not whole or response.status >= 500:
                self.wrong.append((response.status, sorted(map(str, seen))))
            self.served += 1
        sock.close()


def put(gateway, files):
    """As a deployment does it: each file beside its place first, then moved there; the scripts before what names them."""
    for name, text in files.items():
        draft = gateway.dir / (name + ".draft")
        draft.write_text(text)
        draft.rename(gateway.dir / name)


@row(20, "reloads under load: scripts swapped, routes removed in flight")
def reloads_under_load(case):
    reloads, pause = case.pick(full=1000, small=20), case.pick(full=0.5, small=0.05)
    with Gateway(configuration_of(1), scripts_of(1)) as gw, apart(gw, case.full):
        rate = 0.5 * seventy_percent(gw.port)  # the scripts and who checks them take their part
        asking = [Asking(gw, path) for path in ("/turns", "/turns", "/odd")]
        generation, memory, p99 = 1, [], {"calm": [], "beside": []}
        begun = time.monotonic()
        while generation < reloads:
            p99["calm"] += in_rounds(gw.port, rate, 1, seconds=case.pick(full=2, small=1))
            load = threading.Thread(target=lambda: p99["beside"].extend(
                in_rounds(gw.port, rate, case.pick(full=10, small=1), seconds=2)))
            load.start()
            while load.is_alive():
                generation += 1
                put(gw, {**scripts_of(generation), "gateway.yaml": configuration_of(generation)})
                gw.signal(signal.SIGHUP)
                gw.wait_log(rf"generation {generation} of the configuration runs|is not applied")
                time.sleep(pause)
            load.join()
            memory.append(gw.memory())
        for each in asking:
            each.over = True
            each.join()
        others = p99["beside"]
        case.at_least("reloads", generation - 1, reloads - 1)
        case.exactly("configurations refused", len([line for line in gw.log_lines() if "is not applied" in line]), 0)
        case.exactly("others that failed", sum(each.errors for each in others), 0)
        case.at_least("others and requests through scripts", sum(each.answers for each in others)
                      + sum(each.served for each in asking), case.pick(full=1_000_000, small=1000))
        case.exactly("answers made of two generations, or 5xx", [each for one in asking for each in one.wrong][:3], [])
        ratio = of_quiet_rounds(each.p99_ms for each in others) / of_quiet_rounds(each.p99_ms for each in p99["calm"])
        case.at_most_where_alone("p99 of others, times that between the reloads", ratio, 2)
        if case.full:
            case.at_most("memory at the end, of what it was after a quarter", memory[-1] / memory[len(memory) // 4] * 100, 105, "%")
        case.at_most("seconds", time.monotonic() - begun, 1800, "s")


# ---- row 21 ----

GOOD = (Path(__file__).resolve().parents[1] / "faults" / "reload_good.yaml")
BROKEN_SCRIPTS = ["syntax error here", "return 1", "return {}", "error('at load')", "while true do end",
                  "return {request = 5}", "local t = {} for i = 1, 1e9 do t[i] = i end", "return {init = function() error('no') end, request = function() end}",
                  "\x1bLJ\x02", "return {request = function() end", "\x00" * 100]


def mutations(random_, text, count):
    """Texts that differ from a good one by a few edits: bytes, lines, words of the other lines."""
    lines, words = text.splitlines(keepends=True), re.findall(r"\w+", text)
    for _ in range(count):
        new = list(lines)
        for _ in range(random_.randint(1, 3)):
            k = random_.randrange(len(new))
            kind = random_.randrange(7)
            if kind == 0:
                del new[k]
            elif kind == 1:
                new.insert(k, new[random_.randrange(len(new))])
            elif kind == 2:
                new[k] = new[k].replace(random_.choice(words), random_.choice(words), 1)
            elif kind == 3:
                at = random_.randrange(len(new[k]))
                new[k] = new[k][:at] + random_.choice("{}[]:,&*!|>'\"%@`#\t\x00\x7fé0-") + new[k][at + 1:]
            elif kind == 4:
                new[k] = " " * random_.randrange(12) + new[k].lstrip()
            elif kind == 5:
                new[k] = new[k][:random_.randrange(len(new[k]))] + "\n"
            else:
                new[k] = new[k].replace("1", random_.choice(["-1", "99999999999999999999", "1e9", "1.5", "~", "0x1"]), 1)
            if not new:
                new = ["\n"]
        yield "".join(new)


@row(21, "bad configurations: mutations, 10 MB, cycles, broken scripts")
def bad_configurations(case):
    good = GOOD.read_text()
    random_ = random.Random(21)
    with Gateway(good, {"ok.lua": "return {request = function() end}\n"}) as gw:
        admin = Admin(gw)
        asking = Asking(gw, "/others")
        wrong, refused, applied = [], 0, 0

        def apply(text, bad):
            nonlocal refused, applied
            before = admin.ask("GET", "/config")[1]["generation"]
            status, fields, body = admin.raw("PUT", "/config?save=false", text.encode("utf-8", "surrogateescape"),
                                             {"Authorization": "Bearer " + admin.token, "If-Match": "*",
                                              "Content-Type": "application/yaml"})
            said = body.decode(errors="replace")
            after = admin.ask("GET", "/config")[1]["generation"]
            if status == 200:
                applied += 1
                if after != before + 1 or bad:
                    wrong.append(("applied", text[:200]))
                # Back to the good one, so that each mutation is one of the same text.
                admin.raw("PUT", "/config?save=false", good, {"Authorization": "Bearer " + admin.token, "If-Match": "*",
                                                              "Content-Type": "application/yaml"})
                return
            refused += 1
            placed = re.search(r"(gateway\.yaml|\.lua):\d+(:\d+)?", said) or "cannot listen" in said
            if status not in (413, 422) or after != before or (status == 422 and not placed):
                wrong.append((status, said[:300], text[:200]))

        # The last line, a route that is asked meanwhile, stays: what a mutation that is good says of it would be served.
        mutable, asked = good[:good.rindex("  - {")], good[good.rindex("  - {"):]
        for text in mutations(random_, mutable, case.pick(full=5000, small=150)):
            apply(text + asked, bad=False)
        mutated = (refused, applied)
        anchors = "x-a: &a0 [1]\n" + "".join(f"x-a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 20)}]\n" for k in range(1, 12))
        hard = [anchors + good, good + "x-a: &a {b: *a}\n", good + "x-big: '" + "y" * 900_000 + "'\n", "[" * 100_000,
                "{" * 100_000, "\xff\xfe" * 1000, "--- a\n--- b\n", good + good, "- " * 50_000, "&a " * 10_000 + "x"]
        for text in hard:
            apply(text, bad=text not in (hard[2],))
        # 10 MB come by file: the API takes 1 MiB.
        (gw.dir / "gateway.yaml").write_text("x-big: '" + "y" * 10_000_000 + "'\nroutes: 5\n" + good)
        status, answer = admin.ask("POST", "/config/reload")
        case.exactly("10 MB with a mistake, by file", (status, bool(re.search(r"gateway\.yaml:2:\d+", str(answer)))), (422, True))
        for script in BROKEN_SCRIPTS:
            (gw.dir / "broken.lua").write_text(script)
            apply(good.replace("ok.lua", "broken.lua"), bad=True)
        asking.over = True
        asking.join()
        case.at_least("mutations refused", mutated[0], case.pick(full=2000, small=60))
        case.at_least("mutations that were good, and ran", mutated[1], 1)
        case.exactly("applied though bad, or refused without a place", wrong[:3], [])
        case.exactly("requests meanwhile that failed", asking.wrong[:3], [])
        case.at_least("requests meanwhile", asking.served, 100)
        case.exactly("the gateway lives", gw.process.poll(), None)
