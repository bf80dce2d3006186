#!/usr/bin/env python3
"""What scripts see of a client's TLS: `req.client.tls`, the same in every language and placement."""
import json
import ssl
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.certificates import openssl  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.tls import ADA, CLIENTS, SITE, client_context, exchange, secure  # noqa: E402
from support.wire import ask, request_bytes  # noqa: E402

SCRIPTS = {
    "facts.lua": """
local M = {}
function M.request(req)
  local tls = req.client.tls
  if not tls then return lingate.respond(200, {plain = true}) end
  tls.version = tls.version .. ""
  return lingate.respond(200, {tls = tls, again = req.client.tls.cipher, scheme = req.scheme})
end
return M
""",
    "facts.py": """
import lingate
def request(req):
    tls = req.client.tls
    if tls is None:
        return lingate.respond(200, {"plain": True})
    tls["version"] += ""
    return lingate.respond(200, {"tls": tls, "again": req.client.tls["cipher"], "scheme": req.scheme})
""",
    "facts.js": """
var lingate = require("lingate");
exports.request = function (req) {
  var tls = req.client.tls;
  if (!tls) return lingate.respond(200, {plain: true});
  tls.version += "";
  return lingate.respond(200, {tls: tls, again: req.client.tls.cipher, scheme: req.scheme});
};
""",
}
CONFIG = f"""
version: 1
workers: 1
listen:
  - address: 127.0.0.1:0
  - {{address: 127.0.0.1:0, tls: {SITE.yaml()[:-1]}, client_auth: {{ca: {CLIENTS.cert}, mode: request}}}}}}
routes:
""" + "".join(f"  - {{match: {{path: /{name}/{place}}}, chain: [script: {{file: {name}, isolation: {place}}}], respond: {{}}}}\n"
              for name in SCRIPTS for place in ("inline", "thread", "process"))
PATHS = [f"/{name}/{place}" for name in SCRIPTS for place in ("inline", "thread", "process")]


class Facts(unittest.TestCase):
    def test_every_language_sees_the_same(self):
        with Gateway(CONFIG, files=SCRIPTS) as gateway:
            plain, port = gateway.ports
            for path in PATHS:
                self.assertEqual(json.loads(ask(plain, request_bytes(target=path)).body), {"plain": True}, path)
                with secure(port, maximum_version=ssl.TLSVersion.TLSv1_2) as sock:
                    cipher = sock.cipher()[0]
                    for _ in range(2):
                        seen = json.loads(exchange(sock, request_bytes(target=path)).body)
                        self.assertEqual(seen, {"tls": {"version": "TLSv1.2", "cipher": cipher, "sni": "site.test"},
                                                "again": cipher, "scheme": "https"}, path)

    def test_a_clients_certificate_is_described(self):
        asked = ["-noout", "-fingerprint", "-sha256", "-serial", "-in", ADA.cert]
        fingerprint, serial = (line.split("=")[1] for line in openssl("x509", *asked).decode().splitlines())
        context = client_context()
        context.load_cert_chain(ADA.cert, ADA.key)
        with Gateway(CONFIG, files=SCRIPTS) as gateway:
            for path in PATHS:
                with secure(gateway.ports[1], context=context) as sock:
                    seen = json.loads(exchange(sock, request_bytes(target=path)).body)["tls"]
                    session = sock.session
                self.assertEqual(seen["version"], "TLSv1.3")
                shown = seen["certificate"]
                self.assertEqual(shown["subject"], "CN=ada,O=lingate tests")
                self.assertEqual(shown["issuer"], "CN=authority clients")
                self.assertEqual(shown["serial"], serial)
                self.assertEqual(shown["fingerprint"], fingerprint.replace(":", "").lower())
                self.assertEqual(shown["san"], ["DNS:ada.test"])
                self.assertEqual(shown["not_after"], ssl.cert_time_to_seconds(
                    openssl("x509", "-noout", "-enddate", "-in", ADA.cert).decode().split("=")[1].strip()))
                with secure(gateway.ports[1], context=context, session=session) as sock:
                    again = json.loads(exchange(sock, request_bytes(target=path)).body)["tls"]
                    self.assertTrue(sock.session_reused)
                    self.assertEqual(again["certificate"], shown, "resumed")


if __name__ == "__main__":
    unittest.main()
