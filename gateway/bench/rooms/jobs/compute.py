"""A fixed loop of arithmetic; the result proves that it ran."""


def request(req):
    hash = 7
    for i in range(1, 2001):
        hash = (hash * 31 + i) % 4294967296
    req.headers["X-Hash"] = str(hash)
