"""What the soaked gateway is configured with: each misdeed in each language and placement, and routes that none touches."""

from support.gateway import SANITIZED
from support.tls import SITE

PLACEMENTS = ("inline", "thread", "process")
MISDEEDS = ("spin", "hoard", "throw", "bad", "fine")

LUA = """
local what = ...
local M = {}
local deeds = {
  spin = function() while true do pcall(function() while true do end end) end end,
  hoard = function() local t = {} while true do t[#t + 1] = string.rep("x", 1000) .. #t end end,
  throw = function() error(setmetatable({}, {__tostring = function() return string.rep("x", 100000) end})) end,
  bad = function() return lingate.respond(99) end,
  fine = function(req) req.headers["X-By"] = req.headers["X-Id"] or "nobody" end,
  early = function(req, ctx) ctx.waits = true end,
}
function M.request(req, ctx)
  ctx.id = req.headers["X-Id"]
  return deeds[req.params.what](req, ctx)
end
function M.response(res, req, ctx)
  if ctx.waits then lingate.sleep(0.05) end
  if ctx.id then res.headers["X-Id"] = ctx.id end
end
return M
"""
PYTHON = """
import lingate, os, ctypes, time

def spin(req):
    while True:
        try:
            while True: pass
        except BaseException: pass

def hoard(req):
    kept = []
    while True: kept.append("x" * 1000)

def throw(req): raise ValueError("x" * 100000)
def bad(req): return lingate.respond(99)
def fine(req): req.headers["X-By"] = req.headers.get("X-Id", "nobody")

DEEDS = {"spin": spin, "hoard": hoard, "throw": throw, "bad": bad, "fine": fine,
         "exit": lambda req: os._exit(3), "abort": lambda req: os.abort(),
         "segfault": lambda req: ctypes.string_at(8), "sleep": lambda req: time.sleep(20)}

def request(req, ctx):
    ctx["id"] = req.headers.get("X-Id")
    ctx["waits"] = req.params["what"] == "early"
    return None if ctx["waits"] else DEEDS[req.params["what"]](req)

async def response(res, req, ctx):
    if ctx["waits"]: await lingate.sleep(0.05)
    if ctx["id"]: res.headers["X-Id"] = ctx["id"]
"""
JS = """
var lingate = require("lingate");
var deeds = {
  spin: function () { for (;;) { try { for (;;) {} } finally { continue; } } },
  hoard: function () { var t = []; for (;;) t.push(new Array(1000).join("x") + t.length); },
  throw: function () { throw new Error(new Array(100000).join("x")); },
  bad: function () { return lingate.respond(99); },
  fine: function (req) { req.headers["X-By"] = req.headers["X-Id"] || "nobody"; },
  early: function (req, ctx) { ctx.waits = true; }
};
exports.request = function (req, ctx) { ctx.id = req.headers["X-Id"]; return deeds[req.params.what](req, ctx); };
exports.response = function (res, req, ctx) { if (ctx.waits) lingate.sleep(0.05); if (ctx.id) res.headers["X-Id"] = ctx.id; };
"""
BUDGET = "1s" if SANITIZED else "100ms"
SCRIPTS = {"lua": ("deed.lua", LUA), "python": ("deed.py", PYTHON), "js": ("deed.js", JS)}

CONFIG = """
version: 1
workers: 1
listen:
  - {{address: 127.0.0.1:0, http2: true}}
  - {{address: 127.0.0.1:0, tls: {tls}}}
admin: {{address: 127.0.0.1:0}}
limits: {{timeout: {{head: 2s, body: 2s, write: 5s, idle: 10s}}}}
log: {{level: error}}
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off, timeout: {{response: 1s}}}}
  gone: {{targets: [{{url: "http://127.0.0.1:1"}}], eject: off}}
routes:
  - {{name: fixed, match: {{path: /others/fixed}}, respond: {{text: here}}}}
  - {{name: proxied, match: {{path: /others/ok}}, upstream: origin}}
  - {{name: scripted, match: {{path: /others/scripted}}, chain: [script: {{file: calm.lua, budget: 2s}}], upstream: origin}}
  - {{name: upstream, match: {{path: "/upstream/*"}}, upstream: origin}}
  - {{name: keyed, match: {{path: /keyed}}, chain: [key-auth, rate-limit: 1000/1s], upstream: origin}}
  - {{name: gone, match: {{path: /gone}}, upstream: gone}}
{routes}
"""
CALM = """
return {request = function(req) req.headers["X-User"] = "ada" end}
"""


def configuration(port):
    """(configuration, files); a route /LANGUAGE/PLACEMENT/{what} for each."""
    routes = [f'  - {{name: {language}-{placement}, match: {{path: "/{language}/{placement}/{{what}}"}}, chain: '
              f'[script: {{file: {file}, isolation: {placement}, budget: {BUDGET}, memory: 32MiB, wait: 3s}}], upstream: origin}}'
              for language, (file, _) in SCRIPTS.items() for placement in PLACEMENTS]
    files = {file: text for file, text in SCRIPTS.values()}
    return CONFIG.format(port=port, tls=SITE.yaml(), routes="\n".join(routes)), {**files, "calm.lua": CALM}
