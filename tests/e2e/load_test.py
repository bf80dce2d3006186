#!/usr/bin/env python3
"""Many connections at once, so that events are served in groups: every answer is the one to its own request, whatever
happens on the connections beside it."""
import asyncio
import os
import random
import re
import socket
import struct
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway  # noqa: E402

CLIENTS = 150
ROUNDS = 12
PIPELINED = 4

CONFIG = """
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
runtimes:
  python: {{isolation: thread, instances: 1}}
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off}}
routes:
  - {{name: bare, match: {{path: "/bare/*"}}, upstream: origin}}
  - {{name: lua, match: {{path: "/lua/*"}}, chain: [script: {{file: mark.lua, budget: 5s}}], upstream: origin}}
  - {{name: js, match: {{path: "/js/*"}}, chain: [script: {{file: mark.js, budget: 5s}}], upstream: origin}}
  - {{name: python, match: {{path: "/python/*"}}, chain: [script: {{file: mark.py, budget: 5s}}], upstream: origin}}
"""
FILES = {
    "mark.lua": """
local M = {}
function M.request(req, ctx)
  local id = req.headers["X-Id"]
  if id:sub(-1) == "7" then return lingate.respond(403, "refused " .. id) end
  if id:sub(-1) == "5" then lingate.sleep(0.002) end
  req.headers["X-Mark"] = "lua " .. id
  ctx.id = id
end
function M.response(res, req, ctx) res.headers["X-Seen"] = ctx.id end
return M
""",
    "mark.js": """
var lingate = require("lingate");
exports.request = function (req, ctx) {
  var id = req.headers["X-Id"], last = id.slice(-1);
  if (last === "7") return lingate.respond(403, "refused " + id);
  if (last === "5") lingate.sleep(0.002);
  req.headers["X-Mark"] = "js " + id;
  ctx.id = id;
};
exports.response = function (res, req, ctx) { res.headers["X-Seen"] = ctx.id; };
""",
    "mark.py": """
import lingate

async def request(req, ctx):
    id = req.headers["X-Id"]
    if id.endswith("7"):
        return lingate.respond(403, "refused " + id)
    if id.endswith("5"):
        await lingate.sleep(0.002)
    req.headers["X-Mark"] = "python " + id
    ctx["id"] = id

def response(res, req, ctx):
    res.headers["X-Seen"] = ctx["id"]
""",
}


async def read_head(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    fields = {k.lower(): v for k, v in re.findall(r"^([^:\r\n]+): ?(.*?)\r$", head, re.M)}
    return head.split("\r\n")[0], fields


async def read_message(reader):
    line, fields = await read_head(reader)
    if fields.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return line, fields, body
    return line, fields, await reader.readexactly(int(fields.get("content-length", 0)))


async def serve_origin(reader, writer):
    """Answers with what it was asked; the target's second segment says how."""
    try:
        while True:
            line, fields, body = await read_message(reader)
            how = line.split("/")[2].split(" ")[0]
            text = f"{fields['x-id']} {fields.get('x-mark', '-')} ".encode() + body
            if how == "die":
                break
            if how == "slow":
                await asyncio.sleep(0.003)
            if how == "chunked":
                half = len(text) // 2
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                             b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (text[:half], text[half:]) if p) + b"0\r\n\r\n")
                continue
            length = len(text) + (10 if how == "half" else 0)
            close = b"Connection: close\r\n" if how == "close" else b""
            writer.write(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (close, length) + text)
            if how in ("half", "close", "drop"):
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


class Client:
    """One connection after the other; several requests at once on each."""

    def __init__(self, number, port):
        self.random = random.Random(number)
        self.number = number
        self.port = port
        self.sent = 0
        self.answered = 0
        self.wrong = []

    def request(self):
        self.sent += 1
        identity = f"{self.number}-{self.sent}"
        route = self.random.choice(["bare", "lua", "lua", "js", "python"])
        how = self.random.choice(["plain"] * 6 + ["chunked", "chunked", "slow", "close", "drop", "die", "half"])
        body = b"b" * self.random.choice([0, 0, 0, 10, 3000, 70000])
        method = "POST" if body else "GET"
        head = f"{method} /{route}/{how} HTTP/1.1\r\nHost: x\r\nX-Id: {identity}\r\n"
        framed = f"Content-Length: {len(body)}\r\n\r\n".encode() + body if body else b"\r\n"
        return (route, how, identity, body), head.encode() + framed

    def judge(self, asked, line, fields, body):
        route, how, identity, sent = asked
        status = int(line.split()[1])
        mark = "-" if route == "bare" else f"{route} {identity}"
        if route != "bare" and identity.endswith("7"):
            right = status == 403 and body == f"refused {identity}".encode()
        elif how == "die":
            right = status == 502
        else:
            # A connection that the origin dropped may cost whoever is next on it, if that one may not be repeated.
            right = status == 502 and bool(sent) or (
                status == 200 and body == f"{identity} {mark} ".encode() + sent and
                (route == "bare" or fields.get("x-seen") == identity))
        self.answered += 1
        if not right:
            self.wrong.append((asked[:3], line, fields, body[:100]))

    async def run(self):
        for _ in range(ROUNDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            asked, data = zip(*(self.request() for _ in range(PIPELINED)))
            writer.write(b"".join(data))
            if self.random.random() < 0.1:  # goes away at once, with a reset
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
                continue
            try:
                for each in asked:
                    if each[1] == "half" and not (each[0] != "bare" and each[2].endswith("7")):
                        # Cut short: it must not look whole, and the connection ends.
                        try:
                            line, fields, body = await read_message(reader)
                            if line.split()[1] == "200":
                                self.wrong.append((each[:3], "a cut answer that looks whole", fields, body[:100]))
                        except (asyncio.IncompleteReadError, ConnectionError):
                            self.answered += 1
                            break
                        continue
                    self.judge(each, *await read_message(reader))
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                self.wrong.append((asked, f"the connection ended: {error!r}", {}, b""))
            writer.close()


class UnderLoad(unittest.TestCase):
    def test_every_answer_is_the_one_to_its_request(self):
        asyncio.run(self.load())

    async def load(self):
        origin = await asyncio.start_server(serve_origin, "127.0.0.1", 0, backlog=1024)
        port = origin.sockets[0].getsockname()[1]
        with Gateway(CONFIG.format(port=port), FILES) as gateway:
            before = len(os.listdir(f"/proc/{gateway.pid}/fd"))
            clients = [Client(number, gateway.port) for number in range(CLIENTS)]
            await asyncio.wait_for(asyncio.gather(*(client.run() for client in clients)), 100)
            wrong = [each for client in clients for each in client.wrong]
            self.assertEqual(wrong[:3], [], f"{len(wrong)} wrong answers")
            self.assertGreater(sum(client.answered for client in clients), CLIENTS * ROUNDS * PIPELINED // 2)
            origin.close()
            # Nothing of the clients is left; connections to the origin end with it.
            done = asyncio.get_running_loop().run_in_executor(
                None, lambda: gateway.wait_for(lambda: len(os.listdir(f"/proc/{gateway.pid}/fd")) <= before + CLIENTS,
                                               "descriptors given back"))
            await done


if __name__ == "__main__":
    unittest.main()
