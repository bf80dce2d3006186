"""Requests that try to be read in two ways, each beside the nearest one that is harmless."""
from dataclasses import dataclass, field

HOST = b"Host: gw.test\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: gw.test\r\n\r\n"


@dataclass
class Case:
    name: str
    sent: bytes
    statuses: list          # of all responses to it, in order
    control: bytes          # nearly the same, and served
    upstream: list = field(default_factory=list)          # (target, body) of every whole request that arrives
    closes: bool = True     # the gateway ends the connection; otherwise the next request is served
    control_statuses: list = field(default_factory=lambda: [200])
    control_upstream: object = None                       # where it matters
    at_once: bool = False   # what it shows needs all of it at once


def get(fields=b"", target=b"/x", version=b"HTTP/1.1", host=HOST):
    return b"GET " + target + b" " + version + b"\r\n" + host + fields + b"\r\n"


def post(fields, body=b"hello", target=b"/x"):
    return b"POST " + target + b" HTTP/1.1\r\n" + HOST + fields + b"\r\n" + body


def chunked(body, target=b"/x"):
    return post(b"Transfer-Encoding: chunked\r\n", body, target)


HELLO = chunked(b"5\r\nhello\r\n0\r\n\r\n")


def refused(name, sent, control, status=400):
    return Case(name, sent, [status], control)


def framing_cases():
    plain = post(b"Content-Length: 5\r\n")
    for value in (b"0x5", b"5;", b"5 5", b"5\t5", b"5,6", b"5, 5", b"5.", b"\"5\"", b"5e0", b"-5", b"\xef\xbc\x95", b"", b"18446744073709551621",
                  b"5\x0b", b"\xa05"):
        yield refused(f"Content-Length {value!r}", post(b"Content-Length: " + value + b"\r\n"), plain)
    yield refused("Content-Length twice, the same", post(b"Content-Length: 5\r\nContent-Length: 5\r\n"), plain)
    yield refused("Content-Length twice, another spelling", post(b"Content-Length: 5\r\ncontent-length: 0\r\n"), plain)
    yield refused("Content-Length and a space before the colon", post(b"Content-Length : 5\r\n"), plain)
    for value in (b"chunked,", b",chunked", b"chunked, chunked", b"chunked,identity", b"chu nked", b"\"chunked\"", b"chunked;q=1", b"chunked\x00",
                  b"\x0bchunked",
                  b"chunked\x0c", b"chunke\xc4\x91", b""):
        yield refused(f"Transfer-Encoding {value!r}", post(b"Transfer-Encoding: " + value + b"\r\n", b"0\r\n\r\n" + SMUGGLED), HELLO)
    for value in (b"xchunked", b"gzip", b"identity", b"chunke", b"chunkedd"):
        yield refused(f"Transfer-Encoding {value!r}", post(b"Transfer-Encoding: " + value + b"\r\n", b"0\r\n\r\n" + SMUGGLED), HELLO, 501)
    for fields in (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                   b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
                   b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
                   b"Transfer-Encoding:\r\n chunked\r\n", b"X: y\rTransfer-Encoding: chunked\r\n", b"X: y\nTransfer-Encoding: chunked\r\n",
                   b"Transfer-Encoding\t: chunked\r\n", b"Transfer-Encoding\x00: chunked\r\n", b" Transfer-Encoding: chunked\r\n"):
        yield refused(f"both framings or a hidden one {fields!r}", post(fields, b"0\r\n\r\n" + SMUGGLED), HELLO)


def chunk_cases():
    for body in (b"5 \r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n",
                 b"5\r\nhello0\r\n\r\n", b"5\r\nhell\r\n0\r\n\r\n",
                 b"5\r\nhello\r\n0\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n", b"5\r\r\nhello\r\n0\r\n\r\n", b"\r\n5\r\nhello\r\n0\r\n\r\n",
                 b" 5\r\nhello\r\n0\r\n\r\n",
                 b"5;\r\nhello\r\n0\r\n\r\n", b"5;a=\"\r\nhello\r\n0\r\n\r\n", b"5;a\nb\r\nhello\r\n0\r\n\r\n", b"5;a=b\x00\r\nhello\r\n0\r\n\r\n",
                 b"5;a b\r\nhello\r\n0\r\n\r\n",
                 b"1000000000000005\r\nhello\r\n0\r\n\r\n", b"0000000000000005\r\nhello\r\n0\r\n\r\n",
                 b"5\r\nhello\r\n0\r\nX Y: 1\r\n\r\n", b"5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n", b"5\r\nhello\r\n0\r\nX: a\nb\r\n\r\n",
                 b"5\r\nhello\r\n0\r\nX\r\n\r\n",
                 b"5\r\nhello\r\n0\r\n: a\r\n\r\n", b"5\r\nhello\r\n0\r\nX: \x00\r\n\r\n"):
        yield refused(f"chunks {body!r}", chunked(body), HELLO)
    yield refused("an extension over 1 KiB", chunked(b"5;" + b"a" * 1100 + b"\r\nhello\r\n0\r\n\r\n"),
                  chunked(b"5;" + b"a" * 900 + b"\r\nhello\r\n0\r\n\r\n"))
    yield refused("extensions over 1 KiB", chunked(b"5" + b";a=b" * 300 + b"\r\nhello\r\n0\r\n\r\n"),
                  chunked(b"5" + b";a=b" * 200 + b"\r\nhello\r\n0\r\n\r\n"))
    yield refused("101 trailers", chunked(b"0\r\n" + b"X: y\r\n" * 101 + b"\r\n"), chunked(b"0\r\n" + b"X: y\r\n" * 100 + b"\r\n"), 431)
    yield refused("a trailer over the head's limit", chunked(b"0\r\nX: " + b"y" * 33_000 + b"\r\n\r\n"),
                  chunked(b"0\r\nX: " + b"y" * 32_000 + b"\r\n\r\n"), 431)
    yield Case("a trailer that frames", chunked(b"0\r\nContent-Length: 42\r\nTransfer-Encoding: chunked\r\n\r\n") + SMUGGLED, [200, 200], HELLO,
               [("/x", b""), ("/smuggled", b"")], closes=False)


def head_cases():
    plain = get(b"X: y\r\n")
    for fields in (b"X: y\n", b"X: y\r\r\n", b"X: y\rZ: z\r\n", b"X: y\nZ: z\r\n", b"X: y\r\n z\r\n", b"X: y\r\n\tz\r\n", b"X: y\x00\r\n",
                   b"X: \x7f\r\n", b"X: \x1b\r\n", b"X\x00: y\r\n", b"X : y\r\n", b"X\t: y\r\n",
                   b"X\r\n", b": y\r\n", b"X Y: z\r\n", b"(X): y\r\n", b"X\xe9: y\r\n", b"X@: y\r\n", b" X: y\r\n", b"\tX: y\r\n", b"\n"):
        yield refused(f"a field {fields!r}", get(fields), plain)
    for line in (b"GET  /x HTTP/1.1", b"GET /x  HTTP/1.1", b" GET /x HTTP/1.1", b"GET /x HTTP/1.1 ", b"GET\t/x HTTP/1.1", b"GET /x\x00 HTTP/1.1",
                 b"GET /x\x80 HTTP/1.1", b"GET /x#y HTTP/1.1", b"GET x HTTP/1.1",
                 b"G\x00T /x HTTP/1.1", b"GET: /x HTTP/1.1", b"GET /x http/1.1", b"GET /x HTTP/1.1\r", b"GET /x HTTP/11", b"GET /x HTTP/1.",
                 b"GET /x HTTP/1.1.1", b"GET /x HTTP/01.1",
                 b"GET * HTTP/1.1", b"GET http:///x HTTP/1.1", b"GET http://a@gw.test/x HTTP/1.1", b"GET ftp://gw.test/x HTTP/1.1", b"/x HTTP/1.1",
                 b"GET /x"):
        yield refused(f"a request line {line!r}", line + b"\r\n" + HOST + b"\r\n", b"GET /x HTTP/1.1\r\n" + HOST + b"\r\n")
    for path in (b"/%00", b"/%2", b"/%", b"/%zz", b"/a%0"):  # the framing is sound: the connection goes on
        yield Case(f"a path {path!r}", get(target=path), [400], get(target=b"/%20"), closes=False)
    yield refused("HTTP/0.9", b"GET /x\r\n", b"GET /x HTTP/1.0\r\n\r\n")
    yield refused("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 505)
    yield refused("HTTP/2.0", get(version=b"HTTP/2.0"), get(version=b"HTTP/1.9"), 505)
    yield refused("TLS", bytes.fromhex("16030100c8010000c40303") + bytes(200), plain)
    yield refused("CONNECT", b"CONNECT gw.test:80 HTTP/1.1\r\n" + HOST + b"\r\n", b"OPTIONS /x HTTP/1.1\r\n" + HOST + b"\r\n", 501)
    for host in (b"", b"Host: a\r\nHost: b\r\n", b"Host: a\r\nhost: a\r\n", b"Host: a, b\r\n", b"Host: a/b\r\n", b"Host: a@b\r\n", b"Host: a b\r\n",
                 b"Host: a:b\r\n", b"Host: a:99999\r\n", b"Host: [::1\r\n", b"Host: \r\n",
                 b"Host: a\x00\r\n", b"Host:\r\n a\r\n"):
        yield refused(f"Host {host!r}", get(host=host), get())
    yield refused("16 KiB and a byte in a field", get(b"X: " + b"y" * (16 * 1024 - 4) + b"\r\n"), get(b"X: " + b"y" * (16 * 1024 - 5) + b"\r\n"), 431)
    yield refused("101 fields", get(b"X: y\r\n" * 100), get(b"X: y\r\n" * 99), 431)
    yield refused("a head over 32 KiB", get((b"X: " + b"y" * 11_000 + b"\r\n") * 3), get((b"X: " + b"y" * 10_500 + b"\r\n") * 3), 431)
    yield refused("a head without end", b"GET /x HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 40_000, get(b"X: " + b"y" * 8000 + b"\r\n"), 431)
    yield refused("a target over 8 KiB", get(target=b"/" + b"x" * 8192), get(target=b"/" + b"x" * 8191), 414)
    yield refused("65 options in Connection", get(b"Connection: " + b",".join(b"x%d" % k for k in range(65)) + b"\r\n"),
                  get(b"Connection: " + b",".join(b"x%d" % k for k in range(64)) + b"\r\n"), 431)
    yield refused("65 lines of Connection", get(b"Connection:\r\n" * 65), get(b"Connection:\r\n" * 64), 431)
    yield refused("five empty lines first", b"\r\n" * 5 + get(), b"\r\n" * 4 + get())


def connection_cases():
    """What comes behind a request: it is the next one, or nothing."""
    length = b"Content-Length: %d\r\n" % len(SMUGGLED)
    yield Case("a request in a body is a body", post(length, SMUGGLED), [200], post(b"Content-Length: 0\r\n", SMUGGLED), [("/x", SMUGGLED)],
               closes=False,
               control_statuses=[200, 200], control_upstream=[("/x", b""), ("/smuggled", b"")])
    yield Case("a request in the body of a GET", b"GET /x HTTP/1.1\r\n" + HOST + length + b"\r\n" + SMUGGLED, [200], get() + SMUGGLED,
               [("/x", SMUGGLED)], closes=False,
               control_statuses=[200, 200], control_upstream=[("/x", b""), ("/smuggled", b"")])
    yield Case("nothing after a refused head", get(b"X : y\r\n") + SMUGGLED, [400], get(b"X: y\r\n") + SMUGGLED, control_statuses=[200, 200])
    yield Case("nothing after a bad chunk", chunked(b"5\r\nhelloXX") + SMUGGLED, [400], HELLO + SMUGGLED, control_statuses=[200, 200])
    yield Case("nothing after Connection: close", get(b"Connection: close\r\n") + SMUGGLED, [200], get(b"Connection: keep-alive\r\n") + SMUGGLED,
               [("/x", b"")],
               control_statuses=[200, 200])
    yield Case("nothing after HTTP/1.0", get(version=b"HTTP/1.0") + SMUGGLED, [200],
               get(b"Connection: keep-alive\r\n", version=b"HTTP/1.0") + SMUGGLED, [("/x", b"")],
               control_statuses=[200, 200])
    yield Case("a body that nobody reads is no request", post(length, SMUGGLED, b"/here"), [200], post(b"Content-Length: 0\r\n", SMUGGLED, b"/here"),
               closes=False,
               control_statuses=[200, 200], control_upstream=[("/smuggled", b"")])
    yield Case("one that is too long to be dropped ends the connection", post(b"Content-Length: 300000\r\n", SMUGGLED, b"/here"), [200],
               post(length, SMUGGLED, b"/here"))
    yield Case("one in chunks that nobody reads", chunked(b"%x\r\n" % len(SMUGGLED) + SMUGGLED + b"\r\n0\r\n\r\n", b"/here"), [200],
               chunked(b"0\r\n\r\n", b"/here") + SMUGGLED, closes=False,
               control_statuses=[200, 200], control_upstream=[("/smuggled", b"")], at_once=True)  # later ones are not waited for
    yield Case("refused by a step, body unread", post(length, SMUGGLED, b"/refused/x"), [403],
               post(b"Content-Length: 0\r\n", SMUGGLED, b"/refused/x"), closes=False,
               control_statuses=[403, 200], control_upstream=[("/smuggled", b"")])
    yield Case("over the limit of a step, in chunks", chunked(b"FFF\r\n" + SMUGGLED * 90, b"/limited/x"), [413],
               chunked(b"5\r\nhello\r\n0\r\n\r\n", b"/limited/x"))
    yield Case("over the limit of a step, said before", post(b"Content-Length: 300000\r\n", SMUGGLED, b"/limited/x"), [413],
               post(b"Content-Length: 5\r\n", target=b"/limited/x"))


def expectation_cases():
    length = b"Content-Length: %d\r\n" % len(SMUGGLED)
    asks = b"Expect: 100-continue\r\n"
    yield Case("no 100 and a request in place of the body", post(asks + length, SMUGGLED, b"/refused/x"), [403],
               post(asks + b"Content-Length: 0\r\n", SMUGGLED, b"/refused/x"),
               control_statuses=[403, 200])
    yield Case("Expect without a body", get(asks) + SMUGGLED, [200, 200], get() + SMUGGLED, [("/x", b""), ("/smuggled", b"")], closes=False,
               control_statuses=[200, 200])
    yield Case("Expect with a body that came along", post(asks + length, SMUGGLED), [200], post(length, SMUGGLED), [("/x", SMUGGLED)], closes=False)
    yield Case("another expectation", post(b"Expect: 200-ok\r\nContent-Length: 5\r\n"), [417], post(asks + b"Content-Length: 5\r\n"), closes=False)
    yield Case("two expectations", post(asks + b"Expect: x\r\nContent-Length: 5\r\n"), [417], post(asks + asks + b"Content-Length: 5\r\n"))
    yield Case("Expect in HTTP/1.0 is nothing", b"POST /x HTTP/1.0\r\n" + asks + b"Content-Length: 5\r\n\r\nhello", [200],
               b"POST /x HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", [("/x", b"hello")])


def upgrade_cases():
    asks = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    yield Case("an upgrade that is not granted: what follows are requests", get(asks) + get(target=b"/here"), [200, 200],
               get() + get(target=b"/here"), [("/x", b"")], closes=False,
               control_statuses=[200, 200])
    yield Case("an upgrade with a body", post(asks + b"Content-Length: 5\r\n"), [200], post(b"Content-Length: 5\r\n"), [("/x", b"hello")],
               closes=False)
    yield Case("h2c",
               get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n") +
               b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [200, 505], get(), [("/x", b"")])


def all_cases():
    for chapter in (framing_cases, chunk_cases, head_cases, connection_cases, expectation_cases, upgrade_cases):
        yield from chapter()
