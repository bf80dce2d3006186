"""Signs what goes upstream, so that the upstream knows that it came through the gateway.

config: key     shared secret
        header  where the signature goes

The signature is HMAC-SHA256 over method, path, query, time and the SHA-256 of the body, one per line.
"""
import hashlib
import hmac

import lingate

KEY = lingate.config["key"].encode()
HEADER = lingate.config.get("header", "X-Signature")


def request(req, ctx):
    time = str(int(lingate.now()))
    digest = hashlib.sha256(req.body or b"").hexdigest()
    lines = [req.method, req.path, req.query, time, digest]
    signature = hmac.new(KEY, "\n".join(lines).encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
    req.headers["X-Signed-At"] = time
    req.headers[HEADER] = "v1=" + signature
    ctx["signed_at"] = int(time)
