#!/usr/bin/env python3
"""Runs every conformance case in one language and one placement through the real gateway.

    run.py LANGUAGE PLACEMENT [PATTERN]

One gateway has a route for every case; requests name their case by host. The last line is "N passed, N failed".
"""
import importlib
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
sys.dont_write_bytecode = True
from case import CASES, LANGUAGES, wrap  # noqa: E402
from support.gateway import SANITIZED, Gateway, batches  # noqa: E402
from support.wire import Origin, ask, problem_code, reply, request_bytes  # noqa: E402

EXTENSION = {"lua": "lua", "python": "py", "js": "js"}
BUDGET = "10s" if SANITIZED else "2s"  # a busy machine is no case's subject
# What the gateway adds to a forwarded request; cases about these fields look at them by name.
ADDED = {"host", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "via", "content-length", "traceparent"}


def load(pattern):
    for path in sorted(HERE.glob("cases_*.py")):
        importlib.import_module(path.stem)
    return [c for c in CASES if re.search(pattern, c.name)]


def host_of(case):
    return re.sub(r"[^a-z0-9]+", "-", case.name.lower()).strip("-") + ".test"


def configuration(cases, language, placement, port, files):
    """YAML with one route a case; fills `files` with the scripts."""
    lines = ["version: 1", "workers: 1", "listen:", "  - address: 127.0.0.1:0", "log: {level: debug}", "upstreams:", "  origin:",
             f'    targets: [{{url: "http://127.0.0.1:{port}"}}]', "    eject: off", "routes:"]
    for number, case in enumerate(cases):
        steps = []
        for index, text in enumerate(case.scripts(language)):
            folder = f"c{number}/{index}"
            name = f"{folder}/script.{EXTENSION[language]}"
            files[name] = wrap(language, text)
            for module, texts in case.files.items():
                if language in texts:
                    files[f"{folder}/{module}.{EXTENSION[language]}"] = texts[language]
            options = [f"file: {name}", f"isolation: {placement}"]
            options += [case.options] if case.options else []
            if "budget" not in (case.options or ""):
                options += [f"budget: {BUDGET}"]
            options += [f"config: {case.config}"] if case.config is not None else []
            steps.append("{script: {" + ", ".join(options) + "}}")
        lines += [f"  - name: {json.dumps(case.name)}", f'    match: {{host: {host_of(case)}, path: "{case.path}"}}',
                  f"    chain: [access-log, {', '.join(steps)}]", "    upstream: origin"]
    return "\n".join(lines) + "\n"


def same(name, got, wanted):
    if got != wanted:
        raise AssertionError(f"{name}: got {got!r}, wanted {wanted!r}")


def judge(case, response, forwarded, gateway):
    if response.status != case.status:
        raise AssertionError(f"status {response.status}, wanted {case.status}: {response.body[:300]!r}")
    if case.code is not None:
        same("code", problem_code(response) or "", case.code)
    if isinstance(case.reply, bytes):
        same("reply", response.body, case.reply)
    elif case.reply is not None:
        same("reply", json.loads(response.body), case.reply)
    for name, value in (case.reply_headers or {}).items():
        wanted = [] if value is None else [value] if isinstance(value, str) else value
        same(f"reply header {name}", response.values(name), wanted)
    wanted_forward = case.forwarded if case.forwarded is not None else case.upstream is not None or None
    if wanted_forward is not None:
        same("forwarded", bool(forwarded), wanted_forward)
    if case.upstream is not None:
        kept = [f for f in forwarded[0].fields if f[0].lower() not in ADDED]
        same("fields at the upstream", kept, [tuple(f) for f in case.upstream])
    if case.upstream_line is not None:
        same("request line at the upstream", forwarded[0].start_line, case.upstream_line)
    if case.upstream_body is not None:
        same("body at the upstream", forwarded[0].body, case.upstream_body)
    for text in case.not_in_reply:
        if text.encode() in response.head + response.body:
            raise AssertionError(f"the client sees {text!r}")
    for pattern in case.log:
        gateway.wait_log(pattern)
    for pattern in case.not_in_log:
        if re.search(pattern, gateway.log_text()):
            raise AssertionError(f"the log has {pattern!r}")
    if case.session is not None:
        line = gateway.wait_access(lambda a: a.get("http.route") == case.name or a.get("lingate.route") == case.name)
        same("session in the access line", line.get("lingate.session.id"), case.session)


def run_case(case, gateway, origin):
    before = len(origin.requests)
    raw = request_bytes(case.method, case.target, case.headers, case.body, host_of(case))
    response = ask(gateway.port, raw)
    judge(case, response, origin.requests[before:], gateway)


def run_together(cases, language, placement, origin):
    """One gateway, a route for each case. How many failed."""
    failed, files = 0, {}
    config = configuration(cases, language, placement, origin.port, files)
    with Gateway(config, files) as gateway:
        for case in cases:
            try:
                run_case(case, gateway, origin)
            except (AssertionError, OSError, EOFError, ValueError, IndexError) as error:
                failed += 1
                print(f"FAILED {language} {placement} {case.name}: {error}\n  {case.says}")
        if failed:
            print(gateway.log_text()[-6000:])
    return failed


def main():
    if len(sys.argv) not in (3, 4) or sys.argv[1] not in LANGUAGES:
        sys.exit(f"usage: {sys.argv[0]} {'|'.join(LANGUAGES)} inline|thread|process [PATTERN]")
    language, placement = sys.argv[1:3]
    cases = load(sys.argv[3] if len(sys.argv) == 4 else "")
    answers = {host_of(c): c.origin for c in cases}

    def answer(request):
        return answers.get(request.value("Host")) or reply(headers=[("X-Origin", "1")], body=b"ok")

    with Origin(answer) as origin:
        failed = sum(run_together(some, language, placement, origin) for some in batches(cases, placement))
    print(f"{len(cases) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not cases else 0)


if __name__ == "__main__":
    main()
