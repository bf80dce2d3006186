"""The header job: see header.lua."""
import lingate

SESSIONS = {f"key-{i:08d}": (f"user-{i}", f"tenant-{i % 17}") for i in range(1, 1001)}


def request(req):
    headers = req.headers
    session = SESSIONS.get(headers.get("X-Api-Key"))
    if session is None:
        return lingate.respond(401)
    headers["X-User-Id"], headers["X-Tenant"] = session
    del headers["X-Api-Key"]


def response(res):
    res.headers["X-Gateway"] = "perf"
