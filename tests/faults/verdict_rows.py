"""Rows 16, 17 and 18: what scripts throw, return and pass on."""
import importlib.util
import json
import re
import sys
from pathlib import Path

from bad_values import bad_values
from support.gateway import Gateway
from support.runaways import ERRORS, EXTENSION, LANGUAGES, script
from support.wire import Origin, ask, problem_code, reply, request_bytes
from table import row

PLACEMENTS = ("inline", "thread", "process")

# ---- 16 ----

FIXED = {"type": "urn:lingate:LG3001", "title": "script failed", "status": 500, "code": "LG3001"}


def error_lines(gateway, request_id):
    """The lines of the log that tell of this request's error, as they were written."""
    return [line for line in gateway.log_lines() if f'"request_id":"{request_id}"' in line and '"code":"LG3001"' in line]


def judge_error(gateway, name, wrong):
    """Returns the length of the line that was logged."""
    response = ask(gateway.port, request_bytes(target=f"/{name}"))
    problem = json.loads(response.body)
    request_id = problem.pop("request_id", "")
    if response.status != 500 or problem != FIXED or not re.fullmatch("[0-9a-f-]{36}", request_id):
        wrong.append((name, "the client sees", response.status, response.body[:200]))
    gateway.wait_for(lambda: error_lines(gateway, request_id), f"line about {name}")
    lines = error_lines(gateway, request_id)
    if len(lines) != 1:
        wrong.append((name, len(lines), "lines"))
    try:
        logged = json.loads(lines[0].encode("utf-8"))
        if not logged["message"] or not logged["file"].endswith(f"{name}.{EXTENSION[name.split('_')[0]]}") or len(logged.get("stack", [])) > 20:
            wrong.append((name, "logged", lines[0][:200]))
    except (ValueError, KeyError) as error:
        wrong.append((name, repr(error), lines[0][:200]))
    if "\ufffd" in lines[0] and "not_utf8" not in name:
        wrong.append((name, "is not UTF-8", lines[0][:200]))
    return len(lines[0].encode()) + 1


@row(16, "exception with a 100 MB message, non-UTF-8 text, cyclic value, error inside the error handler, throw null")
def odd_errors(case):
    longest, wrong, count = 0, [], 0
    for placement in PLACEMENTS[::case.pick(full=1, small=2)]:
        lines = ["version: 1", "workers: 1", "listen:", "  - address: 127.0.0.1:0", "routes:"]
        files, names = {}, []
        for language in LANGUAGES:
            for name, body in ERRORS[language].items():
                name = f"{language}_{name}"
                names.append(name)
                files[f"{name}.{EXTENSION[language]}"] = script(language, body)
                lines += [f"  - name: {name}", f"    match: {{path: /{name}}}",
                          f"    chain: [script: {{file: {name}.{EXTENSION[language]}, isolation: {placement}, budget: 5s, memory: 1GiB, instances: 1}}]",
                          "    respond: {status: 200}"]
        with Gateway("\n".join(lines) + "\n", files) as gateway:
            for name in names:
                longest = max(longest, judge_error(gateway, name, wrong))
                count += 1
    case.exactly(f"of {count} errors, not told as they should be", wrong[:5], [])
    case.at_most("longest line of the log", longest, 4096, "bytes")


# ---- 17 ----


def conformance():
    """The suite that runs the same case in every language; its list of bad values is the first part of this row's."""
    folder = Path(__file__).resolve().parents[1] / "conformance"
    spec = importlib.util.spec_from_file_location("conformance_run", folder / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path.remove(str(folder))
    sys.path.append(str(folder))  # last: it has a run.py, too
    return module


def routes_told_of(gateway):
    """Those of which the log says why their script failed."""
    lines = [json.loads(line) for line in gateway.log_lines() if '"code":"LG300' in line]
    return {line["route"] for line in lines if line["message"]}


def unsaid(gateway, names):
    try:
        gateway.wait_for(lambda: names <= routes_told_of(gateway), "reasons in the log")
    except AssertionError:
        return sorted(names - routes_told_of(gateway))
    return []


@row(17, "script returns or assigns what may not be")
def bad_returns(case):
    suite = conformance()
    bad_values(sys.modules["case"].case)
    cases = suite.load(r"^bad\.")
    bad = [each for each in cases if not each.name.endswith(".control")]
    controls = {each.name for each in cases} - {each.name for each in bad}
    answers = {suite.host_of(each): each.origin for each in cases}
    wrong, silent, runs = [], [], 0
    for language in LANGUAGES:
        for placement in PLACEMENTS[:case.pick(full=3, small=1)]:
            files = {}
            with Origin(lambda r: answers.get(r.value("Host")) or reply(headers=[("X-Origin", "1")], body=b"ok")) as origin, \
                    Gateway(suite.configuration(cases, language, placement, origin.port, files), files) as gateway:
                for each in cases:
                    runs += 1
                    try:
                        suite.run_case(each, gateway, origin)
                    except AssertionError as error:
                        wrong.append((language, placement, each.name, str(error)[:200]))
                silent += unsaid(gateway, {each.name for each in bad})
    case.at_least("bad values", len(bad), 60)
    case.exactly("of them without a control that passes", [each.name for each in bad if each.name + ".control" not in controls], [])
    case.exactly(f"of {runs:,} runs in {len(LANGUAGES)} languages, with another outcome", wrong[:5], [])
    case.exactly("bad values of which the log does not say why", silent[:5], [])


# ---- 18 ----

EVERY_BYTE = bytes(range(256))
FIELD_BYTES = bytes(b for b in range(256) if b >= 0x20 and b != 0x7F) + b"\t"  # what RFC 9110 lets a value hold, and tab
SIZE = 64 << 10

# What came in goes on by way of the script: header lines, the body both ways, and a text of the size that ctx takes.
COPIES = {
    "lua": """local M = {}
function M.request(req, ctx)
  lingate.log.info("begun")
  req.headers["X-Copy"] = req.headers["X-Value"]
  req.headers["X-All"] = req.headers:values("X-Value")
  req.body = req.body
  ctx.big = string.rep("\\0é", 10000)
end
function M.response(res, req, ctx)
  res.headers["X-Back"] = res.headers["X-Value"]
  res.headers["X-Ctx"] = tostring(ctx.big == string.rep("\\0é", 10000))
  res.body = res.body
end
return M
""",
    "python": """import lingate
def request(req, ctx):
    lingate.log.info("begun")
    req.headers["X-Copy"] = req.headers["X-Value"]
    req.headers["X-All"] = req.headers.values("X-Value")
    req.body = req.body
    ctx["big"] = "\\0é" * 10000
def response(res, req, ctx):
    res.headers["X-Back"] = res.headers["X-Value"]
    res.headers["X-Ctx"] = str(ctx["big"] == "\\0é" * 10000).lower()
    res.body = res.body
""",
    "js": """var lingate = require("lingate");
exports.request = function (req, ctx) {
  lingate.log.info("begun");
  req.headers["X-Copy"] = req.headers["X-Value"];
  req.headers["X-All"] = req.headers.values("X-Value");
  req.body = req.body;
  ctx.big = "\\0\\u00e9".repeat(10000);
};
exports.response = function (res, req, ctx) {
  res.headers["X-Back"] = res.headers["X-Value"];
  res.headers["X-Ctx"] = String(ctx.big === "\\0\\u00e9".repeat(10000));
  res.body = res.body;
};
""",
}
COPY_CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
limits: {{head: 1MiB, field: 256KiB, fields: 100}}
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off}}
routes:
  - name: copies
    match: {{path: "/*"}}
    chain: [script: {{file: copies.{extension}, isolation: {placement}, body: both, max_body: 1MiB, budget: 5s, memory: 256MiB}}]
    upstream: origin
"""


def raw_request(value, body):
    return (b"POST /x HTTP/1.1\r\nHost: gw.test\r\nX-Value: " + value + b"\r\nX-Value: second\r\nContent-Length: " +
            str(len(body)).encode() + b"\r\n\r\n" + body)


def value_of(head, name):
    """The field's bytes as they are; its first line."""
    found = re.search(rb"\r\n" + name + rb": ([^\r\n]*)", head, re.I)
    return found[1] if found else None


def copied_rightly(gateway, origin, value, body):
    """What is not byte-exact, by name."""
    response = ask(gateway.port, raw_request(value, body))
    if response.status != 200:
        return [("status", response.status, problem_code(response))]
    sent, stripped = origin.requests[-1], value.strip(b" \t")
    places = {"X-Value": value_of(sent.head, b"X-Value"), "X-Copy": value_of(sent.head, b"X-Copy"),
              "X-All": value_of(sent.head, b"X-All"), "X-Back": value_of(response.head, b"X-Back")}
    wrong = [name for name, got in places.items() if got != stripped]
    wrong += [name for name, got in (("request", sent.body), ("response", response.body)) if got != body]
    if value_of(response.head, b"X-Ctx") != b"true":
        wrong.append("ctx")
    return wrong


VALUES = {
    "every byte that a value may hold": FIELD_BYTES.strip(b" \t"),
    "no UTF-8": b"\xff\xfe\xc0\x80\xed\xa0\x80",
    "64 KiB of text": b"v" * SIZE,
    "64 KiB of bytes above 0x7f": bytes(0x80 + n % 128 for n in range(SIZE)),
    "empty": b"",
}
BODIES = {"every byte": EVERY_BYTE * 4, "NUL": b"\0" * 100, "64 KiB": EVERY_BYTE * (SIZE // 256), "no UTF-8": b"\xff\xfe\xed\xa0\x80",
          "1 MiB, the limit": EVERY_BYTE * 4096, "empty": b""}
# Refused before the script starts: name -> (request, status).
REFUSED = {
    "a value with NUL": (raw_request(b"a\0b", b""), 400),
    "a name with NUL": (b"GET / HTTP/1.1\r\nHost: x\r\nX-\0: 1\r\n\r\n", 400),
    "a value over `limits.field`": (raw_request(b"v" * (257 << 10), b""), 431),
    "a head over `limits.head`": (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: %b\r\n" % (n, b"v" * 60000) for n in range(20)) + b"\r\n", 431),
    "too many fields": (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: 1\r\n" * 101 + b"\r\n", 431),
    "a body over `max_body`": (raw_request(b"v", b"b" * ((1 << 20) + 1)), 413),
}


def begun_in(gateway):
    return len(re.findall('"begun"', gateway.log_text()))


@row(18, "header or body with NUL, non-UTF-8, 64 KiB values")
def odd_bytes(case):
    wrong, passed, refused, began = [], 0, [], 0
    for language in LANGUAGES:
        for placement in PLACEMENTS[::case.pick(full=1, small=2)]:
            def answer(request):
                return b"HTTP/1.1 200 OK\r\nX-Value: " + (value_of(request.head, b"X-Value") or b"") + \
                    b"\r\nContent-Length: %d\r\n\r\n" % len(request.body) + request.body

            with Origin(answer) as origin, Gateway(
                    COPY_CONFIG.format(port=origin.port, extension=EXTENSION[language], placement=placement),
                    {f"copies.{EXTENSION[language]}": COPIES[language]}) as gateway:
                for value in VALUES:
                    for body in BODIES:
                        if bad := copied_rightly(gateway, origin, VALUES[value], BODIES[body]):
                            wrong.append((language, placement, value, body, bad))
                        passed += 1
                # The log comes by itself: each call must have come before others may be missed in it.
                calls = len(VALUES) * len(BODIES)
                gateway.wait_for(lambda: begun_in(gateway) >= calls, "a line for each call")
                for name, (raw, status) in REFUSED.items():
                    if (got := ask(gateway.port, raw).status) != status:
                        refused.append((language, placement, name, got))
                copied_rightly(gateway, origin, VALUES[value], BODIES[body])
                gateway.wait_for(lambda: begun_in(gateway) > calls, "the line of one more call")
                began += begun_in(gateway) - calls - 1
    case.exactly(f"of {passed} values and bodies, not byte-exact", wrong[:5], [])
    case.exactly(f"of {len(REFUSED)} over a limit or malformed, not refused", refused[:5], [])
    case.exactly("scripts that began for one of these", began, 0)
