"""A gateway with a route for each script of a language in one placement, and how it is asked."""
import time

from support.gateway import Gateway
from support.runaways import EXTENSION, script
from support.wire import ask, request_bytes

PLACEMENTS = ("inline", "thread", "process")
CALM = [("X-Calm", "1")]


def gateway_of(language, placement, bodies, options, workers="auto"):
    """A route for each script, and /others."""
    lines = ["version: 1", f"workers: {workers}", "listen:", "  - address: 127.0.0.1:0", "routes:",
             '  - {name: others, match: {path: /others}, respond: {status: 200, text: "fine"}}']
    files = {}
    for name, body in bodies.items():
        file = f"script_{name}.{EXTENSION[language]}"
        files[file] = script(language, body)
        lines += [f"  - name: {name}", f"    match: {{path: /{name}}}",
                  f"    chain: [script: {{file: {file}, isolation: {placement}, {options}}}]", "    respond: {status: 200, text: passed}"]
    return Gateway("\n".join(lines) + "\n", files)


def timed(gateway, name, headers=()):
    began = time.monotonic()
    response = ask(gateway.port, request_bytes(target=f"/{name}", headers=headers))
    return response, time.monotonic() - began
