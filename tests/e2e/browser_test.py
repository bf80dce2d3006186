#!/usr/bin/env python3
"""A real browser as the client: pages and WebSockets in clear and through TLS, and a page that tries the admin API."""
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.admin import Admin  # noqa: E402
from support.browser import browser, run_in_browser  # noqa: E402
from support.gateway import Gateway  # noqa: E402
from support.tls import SITE  # noqa: E402
from support.websocket import websocket_echo  # noqa: E402
from support.wire import Origin, reply  # noqa: E402

CONFIG = """
version: 1
workers: 1
listen:
  - {{address: 127.0.0.1:0{tls}}}
admin: {{address: 127.0.0.1:0}}
store: {{kind: memory}}
upstreams:
  pages: {{targets: [{{url: "http://127.0.0.1:{pages}"}}]}}
  echo: {{targets: [{{url: "http://127.0.0.1:{echo}"}}]}}
routes:
  - {{name: echo, match: {{path: /echo}}, upstream: echo}}
  - {{name: pages, match: {{path: "/*"}}, chain: [server-timing, compress], upstream: pages}}
"""
PAGE = b"<!doctype html><title>a page</title><link rel=icon href=data:,><p>" + b"some words " * 500
# How it was closed, and whether every message came back as it was.
TALK = """new Promise((resolve, reject) => {
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/echo");
  socket.binaryType = "arraybuffer";
  const said = ["a word", "\u00e4\u20ac", "x".repeat(60000), ""];
  const heard = [];
  socket.onerror = () => reject(new Error("the WebSocket failed"));
  socket.onopen = () => said.forEach((text) => socket.send(text));
  socket.onmessage = ({data}) => {
    heard.push(data);
    if (heard.length === said.length) socket.close(1000);
  };
  socket.onclose = ({code, wasClean}) =>
    resolve([code, wasClean, heard.length === said.length && heard.every((text, k) => text === said[k])]);
})"""
# A page has no token, and must not get by without: whether the API let it read an answer, for each way of asking.
TRESPASS = """(async () => {
  const ways = [{}, {method: "POST", mode: "no-cors", body: '{"id": "mallory"}'},
                {method: "POST", headers: {"Content-Type": "application/json"}, body: '{"id": "mallory"}'}];
  const read = [];
  for (const way of ways)
    read.push(await fetch("%s/keys", way).then((answer) => answer.type !== "opaque" && answer.ok, () => false));
  return read;
})()"""


class InABrowser(unittest.TestCase):
    def visit(self, scheme, then):
        tls = f", tls: {SITE.yaml()}" if scheme == "https" else ""
        with Origin(lambda request: reply(body=PAGE, headers=[("Content-Type", "text/html")])) as pages:
            with Origin(serve=websocket_echo) as echo:
                with Gateway(CONFIG.format(tls=tls, pages=pages.port, echo=echo.port)) as gateway:
                    address = f"{scheme}://127.0.0.1:{gateway.port}"
                    browser().complaints.clear()
                    browser().allowed = (address,)
                    browser().open(address + "/page")
                    then(gateway)

    def test_a_page_in_clear_and_through_tls(self):
        for scheme, protocol in (("http", "http/1.1"), ("https", "h2")):
            def look(_, protocol=protocol):
                self.assertEqual(browser().value("document.title"), "a page")
                entry = "performance.getEntriesByType('navigation')[0]"
                self.assertEqual(browser().value(entry + ".nextHopProtocol"), protocol)
                self.assertEqual(browser().value(entry + ".decodedBodySize"), len(PAGE))
                self.assertLess(browser().value(entry + ".encodedBodySize"), len(PAGE) // 2)  # compressed
                self.assertIn("compress", browser().value(entry + ".serverTiming.map(({name}) => name)"))
                self.assertEqual(browser().complaints, [])
            with self.subTest(scheme=scheme):
                self.visit(scheme, look)

    def test_a_websocket_in_clear_and_through_tls(self):
        for scheme in ("http", "https"):
            def talk(_):
                self.assertEqual(browser().value(TALK), [1000, True, True])
                self.assertEqual(browser().complaints, [])
            with self.subTest(scheme=scheme):
                self.visit(scheme, talk)

    def test_a_page_does_nothing_at_the_admin_api(self):
        def trespass(gateway):
            read = browser().value(TRESPASS % f"http://127.0.0.1:{gateway.admin_port}")
            self.assertEqual(read, [False, False, False])
            status, page = Admin(gateway).ask("GET", "/keys")
            self.assertEqual((status, page["sessions"]), (200, []))
        self.visit("http", trespass)


if __name__ == "__main__":
    sys.exit(run_in_browser(flags=["--ignore-certificate-errors"]))
