#!/usr/bin/env python3
"""Runs an instrumented lingate through what gateways do, so that it counts which ways are walked (`./dev profile`).

    train.py LINGATE

Scripts in chains first, by `bench round`; then whole gateways under load: forwarding, edits, scripts, bodies both ways.
"""
import itertools
import json
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

PEERS = Path(__file__).resolve().parent / "peers"
JOBS = {"echo": ["empty", "header", "early"], "lua": [], "python": [], "js": []}
ALL_JOBS = ["empty", "header", "body", "early", "compute"]

UPSTREAM = """
version: 1
workers: 1
listen: [{{address: 127.0.0.1:0}}]
routes:
  - {{name: large, match: {{path: /large}}, respond: {{status: 200, text: "{large}"}}}}
  - {{name: small, match: {{path: "/*"}}, respond: {{status: 200, text: "{small}"}}}}
"""
PLAIN = """
version: 1
workers: 1
listen: [{{address: 127.0.0.1:0}}]
upstreams:
  up: {{targets: [{{url: "http://127.0.0.1:{port}"}}]}}
chains:
  base: [request-id, access-log: {{file: {folder}/access.log}}]
routes:
  - name: users
    match: {{path: "/users/{{id}}", methods: [GET, POST]}}
    chain: [use: base, headers: {{request: {{set: {{X-Gateway: lingate}}}}, response: {{remove: [Server]}}}}]
    upstream: up
  - name: all
    match: {{path: "/*"}}
    upstream: up
"""


class Gateway:
    def __init__(self, lingate, folder, name, config):
        path = Path(folder) / name
        path.write_text(config)
        self.process = subprocess.Popen([lingate, "run", "-c", str(path)], stderr=subprocess.PIPE, text=True)
        said = ""
        for line in self.process.stderr:  # warnings may come first
            said += line
            if found := re.match(r"listening http://[^:]*:(\d+)", line):
                self.port = int(found[1])
                return
        sys.exit(f"train.py: the gateway did not start: {said}")

    def stop(self):  # counts are written at a regular end
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)


def train_scripts(lingate):
    arms = [["native", "", job] for job in ALL_JOBS]
    for runtime, jobs in JOBS.items():
        arms += [[runtime, place, job] for place, job in itertools.product(["inline", "thread"], jobs or ALL_JOBS)]
    plan = {"arms": arms, "slice_ms": 4, "length_ms": 4000, "sweeps": 3, "seed": 0, "parts": False, "curves": False}
    subprocess.run([lingate, "bench", "round", "--plan", json.dumps(plan)], check=True, stdout=subprocess.DEVNULL)


def load(lingate, port, target, *words):
    subprocess.run([lingate, "bench", "http", f"http://127.0.0.1:{port}{target}", "--seconds", "2", "-c", "32", *words],
                   check=True, stdout=subprocess.DEVNULL)


def train_plain(lingate, folder, upstream):
    body = Path(folder) / "body"
    body.write_bytes(b"x" * 5000)
    gateway = Gateway(lingate, folder, "plain.yaml", PLAIN.format(port=upstream.port, folder=folder))
    for target in ["/", "/users/42?verbose=1", "/large"]:
        load(lingate, gateway.port, target, "-H", "User-Agent: train", "-H", "Accept: */*", "-H", "Cookie: a=b; c=d")
    load(lingate, gateway.port, "/users/42", "-X", "POST", "--body", str(body))
    gateway.stop()


def train_language(lingate, folder, upstream, language):
    config = (PEERS / f"lingate-{language}.yaml").read_text()
    config = config.replace("{port}", "0").replace("{upstream_port}", str(upstream.port))
    for script in PEERS.glob("*.*"):
        if script.suffix in (".lua", ".py", ".js"):
            (Path(folder) / script.name).write_text(script.read_text())
    body = Path(folder) / "order.json"
    body.write_text(json.dumps({"order": 1, "items": [{"sku": str(k), "price": k * 1.5} for k in range(40)]}))
    gateway = Gateway(lingate, folder, f"{language}.yaml", config)
    load(lingate, gateway.port, "/", "-H", "Host: header.bench", "-H", "X-Api-Key: key-00000500")
    load(lingate, gateway.port, "/", "-H", "Host: early.bench")
    load(lingate, gateway.port, "/", "-X", "POST", "-H", "Host: body.bench", "--body", str(body))
    gateway.stop()


def main():
    lingate = sys.argv[1]
    train_scripts(lingate)
    with tempfile.TemporaryDirectory(prefix="lingate-train-") as folder:
        upstream = Gateway(lingate, folder, "upstream.yaml", UPSTREAM.format(small="x" * 128, large="y" * 60000))
        train_plain(lingate, folder, upstream)
        for language in ["lua", "js", "python"]:
            train_language(lingate, folder, upstream, language)
        upstream.stop()


if __name__ == "__main__":
    main()
