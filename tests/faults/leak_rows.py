"""Row 19: nothing of one request is seen by another."""
import itertools
import json
import multiprocessing
import random
import re
import time

from support.gateway import Gateway
from support.wire import connect
from table import row

# Each script takes hold of what it should not and looks for what others left: it answers "leak: …" where it finds any.
# Routes of one script differ in their config, so that each has instances of its own.
SCRIPTS = {
    "leak.lua": """
local M = {}
local kept, kept_headers, whose, scratch
function M.request(req, ctx)
  local id = req.headers["X-Id"]
  local function leak(what) return lingate.respond(500, "leak: " .. what .. " in " .. id) end
  if whose and whose ~= lingate.config.name then return leak("a module's state") end
  whose = lingate.config.name
  if lingate.config.first then
    if next(ctx) ~= nil then return leak("ctx") end
    if req.session ~= nil then return leak("session") end
    req.session = {id = id, metadata = {mine = id}}
  end
  if req.session.metadata.mine ~= id then return leak("metadata") end
  if kept and pcall(function() return kept.path end) then return leak("kept request") end
  if kept_headers and pcall(function() return kept_headers["X-Id"] end) then return leak("kept headers") end
  kept, kept_headers = req, req.headers
  pcall(function() getmetatable("").__index.leaked = id end)
  pcall(function() string.leaked = id end)
  pcall(function() lingate.leaked = id end)
  pcall(function() getmetatable(req).leaked = id end)
  pcall(function() leaked = id end)
  pcall(table.insert, string, id)
  if ("x").leaked or string.leaked or string[1] then return leak("library") end
  if leaked then return leak("global") end
  if pcall(function() return lingate.leaked end) or pcall(function() return req.leaked end) then return leak("member") end
  scratch = id
  if id:sub(-1) == "5" then lingate.sleep(0.001) else
    local copy = {} for part in id:gmatch("%w+") do copy[#copy + 1] = part end
    if scratch ~= id or table.concat(copy, "-") ~= id then return leak("scratch") end
  end
  if req.headers["X-Id"] ~= id then return leak("headers") end
  ctx[lingate.config.name] = id
  req.headers["X-Mark-" .. lingate.config.name] = id
  if lingate.config.last then return lingate.respond(200, id .. " " .. req.session.id .. " " .. ctx[lingate.config.name]) end
end
function M.response(res, req, ctx)
  local id = ctx[lingate.config.name]
  if req.headers["X-Mark-" .. lingate.config.name] ~= id or req.session.metadata.mine ~= id then
    return lingate.respond(500, "leak: response side in " .. id)
  end
  res.headers["X-Seen"] = id
end
return M
""",
    "leak.py": """
import lingate
kept = kept_headers = whose = scratch = None

def leak(what, id):
    return lingate.respond(500, "leak: " + what + " in " + id)

def readable(action):
    try:
        action()
    except Exception:
        return False
    return True

async def request(req, ctx):
    global kept, kept_headers, whose, scratch
    id = req.headers["X-Id"]
    name = lingate.config["name"]
    if whose and whose != name: return leak("a module's state", id)
    whose = name
    if lingate.config["first"]:
        if len(ctx): return leak("ctx", id)
        if req.session is not None: return leak("session", id)
        req.session = {"id": id, "metadata": {"mine": id}}
    if req.session.metadata["mine"] != id: return leak("metadata", id)
    if kept is not None and readable(lambda: kept.path): return leak("kept request", id)
    if kept_headers is not None and readable(lambda: kept_headers["X-Id"]): return leak("kept headers", id)
    kept, kept_headers = req, req.headers
    try: req.leaked = id
    except Exception: pass
    try: type(req).leaked = id
    except Exception: pass
    if hasattr(req.headers, "leaked") or hasattr(type(req), "leaked"): return leak("type", id)
    scratch = id
    if id.endswith("5"):
        await lingate.sleep(0.001)
    elif scratch != id or "-".join(part for part in id.split("-")) != id:
        return leak("scratch", id)
    if req.headers["X-Id"] != id: return leak("headers", id)
    ctx[name] = id
    req.headers["X-Mark-" + name] = id
    if lingate.config["last"]:
        return lingate.respond(200, id + " " + req.session.id + " " + ctx[name])

def response(res, req, ctx):
    name = lingate.config["name"]
    id = ctx[name]
    if req.headers["X-Mark-" + name] != id or req.session.metadata["mine"] != id:
        return leak("response side", id)
    res.headers["X-Seen"] = id
""",
    "leak.js": """
var lingate = require("lingate");
var kept, keptHeaders, whose, scratch;
function leak(what, id) { return lingate.respond(500, "leak: " + what + " in " + id); }
function readable(action) { try { action(); } catch (e) { return false; } return true; }
exports.request = function (req, ctx) {
  var id = req.headers["X-Id"], name = lingate.config.name;
  if (whose && whose !== name) return leak("a module's state", id);
  whose = name;
  if (lingate.config.first) {
    if (Object.keys(ctx).length) return leak("ctx", id);
    if (req.session) return leak("session", id);
    req.session = {id: id, metadata: {mine: id}};
  }
  if (req.session.metadata.mine !== id) return leak("metadata", id);
  if (kept && readable(function () { kept.path; })) return leak("kept request", id);
  if (keptHeaders && readable(function () { keptHeaders["X-Id"]; })) return leak("kept headers", id);
  kept = req; keptHeaders = req.headers;
  readable(function () { Object.prototype.leaked = id; });
  readable(function () { Array.prototype.leaked = id; });
  readable(function () { lingate.leaked = id; });
  readable(function () { Object.getPrototypeOf(req).leaked = id; });
  readable(function () { Function("return this")().leaked = id; });
  if (({}).leaked || [].leaked || Function("return typeof leaked")() !== "undefined") return leak("library", id);
  if (readable(function () { lingate.leaked; }) || readable(function () { req.leaked; })) return leak("member", id);
  scratch = id;
  if (id.slice(-1) === "5") lingate.sleep(0.001);
  else if (scratch !== id || id.split("-").join("-") !== id) return leak("scratch", id);
  if (req.headers["X-Id"] !== id) return leak("headers", id);
  ctx[name] = id;
  req.headers["X-Mark-" + name] = id;
  if (lingate.config.last) return lingate.respond(200, id + " " + req.session.id + " " + ctx[name]);
};
exports.response = function (res, req, ctx) {
  var name = lingate.config.name, id = ctx[name];
  if (req.headers["X-Mark-" + name] !== id || req.session.metadata.mine !== id) return leak("response side", id);
  res.headers["X-Seen"] = id;
};
""",
}
# name -> the steps of its chain
ROUTES = {
    "lua": [("lua", "inline")],
    "js": [("js", "inline")],
    "python": [("py", "thread")],
    "lua-thread": [("lua", "thread")],
    "js-thread": [("js", "thread")],
    "python-process": [("py", "process")],
    "js-process": [("js", "process")],
    "all": [("lua", "inline"), ("js", "inline"), ("py", "thread")],
    "backwards": [("py", "process"), ("js", "thread"), ("lua", "inline")],
}
WEIGHTS = (6, 6, 2, 2, 2, 1, 1, 2, 1)
BATCH = 40  # requests at once on a connection


def configuration():
    lines = ["version: 1", "workers: auto", "listen:", "  - address: 127.0.0.1:0",
             "runtimes: {lua: {budget: 5s}, python: {budget: 5s}, js: {budget: 5s}}", "routes:",
             '  - {name: others, match: {path: /others}, respond: {status: 200, text: "fine"}}']
    for name, steps in ROUTES.items():
        chain = []
        for number, (extension, placement) in enumerate(steps):
            config = f"{{name: {name}-{number}, first: {json.dumps(number == 0)}, last: {json.dumps(len(steps) > 1 and number == len(steps) - 1)}}}"
            chain.append(f"{{script: {{file: leak.{extension}, isolation: {placement}, wait: 30s, config: {config}}}}}")
        lines += [f"  - name: {name}", f"    match: {{path: /{name}}}", f"    chain: [{', '.join(chain)}]",
                  '    respond: {status: 200, text: "fixed"}']
    return "\n".join(lines) + "\n"


def receive(sock, count):
    """[(status, X-Seen, body)] of that many responses."""
    buffer, found = b"", []
    pattern = re.compile(rb"HTTP/1\.1 (\d+) (?:[^\r]*\r\n)(.*?)\r\n\r\n", re.S)
    at = 0
    while len(found) < count:
        head = pattern.search(buffer, at)
        length = head and int(re.search(rb"Content-Length: (\d+)", head[2])[1])
        if not head or len(buffer) < head.end() + length:
            data = sock.recv(1 << 18)
            if not data:
                raise AssertionError("the connection ended: " + repr(buffer[at:at + 500]))
            buffer += data
            continue
        seen = re.search(rb"X-Seen: ([^\r]*)", head[2])
        found.append((head[1], seen and seen[1], buffer[head.end():head.end() + length]))
        at = head.end() + length
    return found


def client(number, port, count, results):
    """Sends that many requests over several connections, each with an id of its own, and compares every answer."""
    choose, wrong, done, serial = random.Random(number), [], 0, itertools.count()
    names = list(ROUTES)
    sockets = [connect(port) for _ in range(8)]
    while done < count:
        asked = []
        for sock in sockets:
            batch = [(name, f"{number}-{next(serial)}") for name in choose.choices(names, WEIGHTS, k=BATCH)]
            sock.sendall("".join(f"GET /{name} HTTP/1.1\r\nHost: x\r\nX-Id: {id}\r\n\r\n" for name, id in batch).encode())
            asked.append(batch)
        for sock, batch in zip(sockets, asked):
            for (name, id), (status, seen, body) in zip(batch, receive(sock, BATCH)):
                expected = f"{id} {id} {id}" if len(ROUTES[name]) > 1 else "fixed"
                # A step that answers is not gone back through; those before it are.
                if status != b"200" or seen != id.encode() or body != expected.encode():
                    wrong.append((name, id, status, seen, body[:200]))
            done += BATCH
    results.put((done, wrong[:5], len(wrong)))


@row(19, "leaks between requests: globals, prototypes, metatables, module state, kept requests")
def leaks(case):
    total, clients = case.pick(full=1_000_000, small=20_000), 2
    with Gateway(configuration(), SCRIPTS) as gateway:
        results = multiprocessing.Queue()
        workers = [multiprocessing.Process(target=client, args=(n, gateway.port, total // clients, results)) for n in range(clients)]
        began = time.monotonic()
        for worker in workers:
            worker.start()
        got = [results.get(timeout=600) for _ in workers]
        took = time.monotonic() - began
        for worker in workers:
            worker.join()
        rate = sum(done for done, _, _ in got) / took
    case.at_least("interleaved requests in three languages and placements", sum(done for done, _, _ in got), total)
    case.exactly(f"answers that were not their own ({rate:,.0f} requests/s)", sum(count for _, _, count in got), 0)
    case.exactly("of them, the first", [each for _, wrong, _ in got for each in wrong][:3], [])
