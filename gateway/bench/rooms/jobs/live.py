"""100,000 objects that live on, and some garbage with each call: what the collector makes of it."""
import random

LIVE = [{"id": i} for i in range(100_000)]


def request(req):
    made = [{"value": i} for i in range(20)]
    LIVE[random.randrange(len(LIVE))] = made[-1]
    req.headers["X-Live"] = str(len(LIVE))
