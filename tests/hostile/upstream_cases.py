"""Responses that lie, each beside the nearest one that is honest."""
from dataclasses import dataclass

OK = b"HTTP/1.1 200 OK\r\n"
HELLO = OK + b"Content-Length: 5\r\n\r\nhello"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
EVIL = OK + b"Content-Length: 4\r\n\r\nEVIL"
BAD = 502
CUT = "cut"  # the client sees that something is missing


@dataclass
class Case:
    name: str
    sent: bytes
    outcome: object          # the status that the client sees, or CUT
    control: bytes = HELLO   # nearly the same: passed on, and its connection used again
    method: str = "GET"
    reused: bool = False     # whether the connection that lied is used again
    body: object = None      # what the client gets, where it matters
    fields: tuple = ()       # of the request
    control_status: int = 200
    ends: bool = False       # the upstream closes behind it


def bad(name, sent, control=HELLO):
    return Case(name, sent, BAD, control)


def status_line_cases():
    for line in (b"HTTP/1.1 000 OK", b"HTTP/1.1 099 OK", b"HTTP/1.1 600 OK", b"HTTP/1.1 999 OK", b"HTTP/1.1 1000 OK", b"HTTP/1.1 20 OK",
                 b"HTTP/1.1 2OO OK", b"HTTP/1.1 +20 OK", b"HTTP/1.1  200 OK", b"HTTP/1.1\t200 OK",
                 b"HTTP/1.1 200OK", b"HTTP/1.1 200\tOK", b"HTTP/2.0 200 OK", b"HTTP/0.9 200 OK", b"HTTP/11 200 OK", b"http/1.1 200 OK",
                 b"ICY 200 OK", b" HTTP/1.1 200 OK", b"\r\nHTTP/1.1 200 OK", b"HTTP/1.1 200 O\x00K",
                 b"HTTP/1.1 200 O\rK", b"HTTP/1.1 200 OK\nX: y", b"HTTP/1.1", b"OK"):
        yield bad(f"a status line {line!r}", line + b"\r\nContent-Length: 5\r\n\r\nhello")
    yield bad("HTTP/0.9", b"<html>hello</html>" * 10)
    yield bad("settings of HTTP/2", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18))
    yield bad("TLS", b"\x15\x03\x01\x00\x02\x02\x46")


def field_cases():
    for line in (b"X: a\nY: b", b"X: a\rY: b", b"X: \x00", b"X: \x7f", b"X : a", b"X", b": a", b"X Y: a", b" X: a", b"X: a\r\n b", b"X\x00: a",
                 b"X: a\r"):
        yield bad(f"a field {line!r}", OK + line + b"\r\nContent-Length: 5\r\n\r\nhello", OK + b"X: a\r\nContent-Length: 5\r\n\r\nhello")
    for value in (b"5, 5", b"+5", b"-5", b"5 5", b"0x5", b"5;", b"", b"9223372036854775808", b"5\x0b"):
        yield bad(f"Content-Length {value!r}", OK + b"Content-Length: " + value + b"\r\n\r\nhello")
    for lines in (b"Content-Length: 5\r\nContent-Length: 5", b"Content-Length: 5\r\nContent-Length: 6",
                  b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 0",
                  b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"):
        yield bad(f"framing {lines!r}", OK + lines + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n", CHUNKED + b"5\r\nhello\r\n0\r\n\r\n")
    for value in (b"xchunked", b"gzip", b"identity", b"chunked, chunked", b"gzip, chunked", b"chunked;q=1", b"\"chunked\"", b"chunked,",
                  b"\x0bchunked", b""):
        yield bad(f"Transfer-Encoding {value!r}", OK + b"Transfer-Encoding: " + value + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                  CHUNKED + b"5\r\nhello\r\n0\r\n\r\n")
    yield bad("Transfer-Encoding in HTTP/1.0", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
              CHUNKED + b"5\r\nhello\r\n0\r\n\r\n")
    yield bad("101 fields", OK + b"X: y\r\n" * 100 + b"Content-Length: 5\r\n\r\nhello", OK + b"X: y\r\n" * 99 + b"Content-Length: 5\r\n\r\nhello")
    yield bad("a head over 32 KiB", OK + (b"X: " + b"y" * 11_000 + b"\r\n") * 3 + b"Content-Length: 5\r\n\r\nhello",
              OK + (b"X: " + b"y" * 10_500 + b"\r\n") * 3 + b"Content-Length: 5\r\n\r\nhello")
    yield bad("a field over 16 KiB", OK + b"X: " + b"y" * 16_400 + b"\r\nContent-Length: 5\r\n\r\nhello",
              OK + b"X: " + b"y" * 16_300 + b"\r\nContent-Length: 5\r\n\r\nhello")
    yield bad("a head without end", OK + b"X: y\r\n" * 90 + b"Y: " + b"y" * 40_000)
    yield bad("fields without end", OK + b"X: y\r\n" * 20_000)
    yield bad("65 options in Connection", OK + b"Connection: " + b",".join(b"x%d" % k for k in range(65)) + b"\r\nContent-Length: 5\r\n\r\nhello",
              OK + b"Connection: " + b",".join(b"x%d" % k for k in range(64)) + b"\r\nContent-Length: 5\r\n\r\nhello")


def body_cases():
    honest = CHUNKED + b"5\r\nhello\r\n0\r\n\r\n"
    for body in (b"zz\r\n", b"-5\r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"5 \r\nhello\r\n0\r\n\r\n", b"5\nhello\r\n0\r\n\r\n",
                 b"10000000000000005\r\nhello", b"\r\n5\r\nhello\r\n0\r\n\r\n",
                 b"5;a=\"\r\nhello\r\n0\r\n\r\n", b"5;" + b"a" * 1100 + b"\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloXX0\r\n\r\n",
                 b"5\r\nhell\r\n0\r\n\r\n", b"5\r\nhello\r\n0\n\r\n", b"5\r\nhello\r\n0\r\nX Y: 1\r\n\r\n",
                 b"5\r\nhello\r\n0\r\n" + b"X: y\r\n" * 101 + b"\r\n"):
        yield bad(f"chunks {body[:40]!r}, at once", CHUNKED + body, honest)
        filled = b"10000\r\n" + bytes(65536) + b"\r\n"  # the head and this have left before the rest is looked at
        yield Case(f"chunks {body[:40]!r}, later", CHUNKED + filled * 3 + body, CUT, CHUNKED + filled * 3 + b"5\r\nhello\r\n0\r\n\r\n")


def behind_cases():
    """Bytes that nobody asked for: never the answer to somebody else's request."""
    yield Case("a response behind the response", HELLO + EVIL, 200, body=b"hello")
    yield Case("one behind chunks", CHUNKED + b"5\r\nhello\r\n0\r\n\r\n" + EVIL, 200, CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", body=b"hello")
    yield Case("one byte behind", HELLO + b"\n", 200, body=b"hello")
    yield Case("a body of 204", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", 204, b"HTTP/1.1 204 No Content\r\n\r\n",
               control_status=204, body=b"")
    yield Case("a response as the body of 204", b"HTTP/1.1 204 No Content\r\n\r\n" + EVIL, 204, b"HTTP/1.1 204 No Content\r\n\r\n",
               control_status=204, body=b"")
    yield Case("a body of 304", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello", 304,
               b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", control_status=304, body=b"")
    yield Case("chunks of 304", b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 304,
               b"HTTP/1.1 304 Not Modified\r\n\r\n", control_status=304, body=b"")
    yield Case("a body of HEAD", HELLO, 200, OK + b"Content-Length: 5\r\n\r\n", "HEAD", body=b"")
    yield Case("a response as the body of HEAD", OK + b"Content-Length: 5\r\n\r\n" + EVIL, 200, OK + b"Content-Length: 5\r\n\r\n", "HEAD", body=b"")
    yield Case("chunks of HEAD", CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", 200, CHUNKED, "HEAD", body=b"")
    yield Case("no framing: all is the body", OK + b"\r\nhello" + EVIL, 200, body=b"hello" + EVIL, ends=True)
    yield Case("Connection: close, and more", OK + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello" + EVIL, 200, body=b"hello")
    yield Case("HTTP/1.0, and more", b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello" + EVIL, 200, body=b"hello")


def interim_cases():
    websocket = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
    switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %b\r\n\r\n"
    yield bad("101 that nobody asked for", switch % b"websocket" + EVIL)
    yield Case("101 to another protocol", switch % b"h2c" + EVIL, BAD, fields=websocket)
    yield Case("101 without a protocol", b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + EVIL, BAD, fields=websocket)
    yield Case("101 after other interim ones", b"HTTP/1.1 103 Early Hints\r\n\r\n" + switch % b"websocket", BAD,
               b"HTTP/1.1 103 Early Hints\r\n\r\n" + HELLO)
    yield Case("many interim ones", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 50 + HELLO, 200, b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO,
               reused=True, body=b"hello")
    yield bad("101 interim ones", b"HTTP/1.1 100 Continue\r\n\r\n" * 101 + HELLO, b"HTTP/1.1 100 Continue\r\n\r\n" * 100 + HELLO)
    yield bad("an interim one with a bad field", b"HTTP/1.1 103 Early Hints\r\nX: a\nb\r\n\r\n" + HELLO,
              b"HTTP/1.1 103 Early Hints\r\nX: a\r\n\r\n" + HELLO)
    yield bad("an interim one with both framings",
              b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello" + HELLO)
    yield bad("an interim one with a body", b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello" + HELLO,
              b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n" + HELLO)


def all_cases():
    for chapter in (status_line_cases, field_cases, body_cases, behind_cases, interim_cases):
        yield from chapter()
