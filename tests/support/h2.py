"""HTTP/2 for tests: a client (or server) that sends the frames it is told to, right or wrong, and sorts what comes back.

    with Peer(connect(port)) as peer:
        stream = peer.request(path="/x", fields=[("x-a", "1")])
        answer = peer.answer(stream)        # Answer: status, fields, body, trailers, reset

Nothing is read but inside the calls that wait. Header blocks are sent as literals; Debian's hpack reads those that come.
"""
import struct
from dataclasses import dataclass, field

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 0x1, 0x1, 0x4, 0x8
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0, 1, 2, 3
REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 7, 8, 9, 11
MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 3, 4


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def number(value, bits, first=0):
    """An integer of HPACK with a prefix of so many bits (RFC 7541 section 5.1)."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = bytearray([first | most]), value - most
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes(out + bytes([value]))


def literal(name, value, first=0x00):
    """A field as a literal with a new name: 0x00 not indexed, 0x40 put into the table."""
    name, value = (text.encode("latin-1") if isinstance(text, str) else text for text in (name, value))
    return bytes([first]) + number(len(name), 7) + name + number(len(value), 7) + value


def block(fields):
    return b"".join(literal(*each) for each in fields)


def settings(*pairs):
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", *pair) for pair in pairs))


def pseudo(method="GET", path="/", authority="gw.test", scheme="http"):
    return [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path)]


@dataclass
class Answer:
    fields: list = field(default_factory=list)  # of the final head
    body: bytes = b""
    trailers: list = None
    interim: list = field(default_factory=list)  # statuses
    over: bool = False
    reset: int = None  # the code

    def value(self, name):
        return next((v for n, v in self.fields if n == name), None)

    @property
    def status(self):
        return int(self.value(":status")) if self.fields else None


class Peer:
    def __init__(self, sock, window=None, greet=True, opens_windows=True, server=False):
        self.sock, self.opens_windows, self.server, self.acks_settings = sock, opens_windows, server, True
        self.buffer, self.decoder = b"", hpack.Decoder()
        self.decoder.max_header_list_size = 1 << 24
        self.streams, self.next_stream = {}, 1
        self.settings, self.goaway, self.ended = {}, None, False
        self.acks = self.pings = 0
        self.windows = {0: 65535}  # what this side may send
        self.requests = []  # a server's: streams whose head has come
        self._block = None
        if greet and server:
            assert self._take(len(PREFACE)) == PREFACE
        if greet:
            first = b"" if server else PREFACE
            self.send(first + settings(*([(INITIAL_WINDOW_SIZE, window)] if window is not None else [])))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    # ---- out ----

    def send(self, data):
        self.sock.sendall(data)

    def open(self):
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.streams[stream] = Answer()
        return stream

    def request(self, fields=(), body=None, ends=True, trailers=None, **line):
        """Sends a request; with `body` within the windows that are open. Gives the stream."""
        return self.head([*pseudo(**line), *fields], body, ends, trailers)

    def head(self, fields, body=None, ends=True, trailers=None, stream=None):
        stream = stream or self.open()
        last = body is None and trailers is None and ends
        text = block(fields)
        pieces = [text[at:at + 16384] for at in range(0, len(text), 16384)] or [b""]
        for k, piece in enumerate(pieces):
            flags = END_HEADERS if k == len(pieces) - 1 else 0
            if k == 0:
                self.send(frame(HEADERS, flags | (END_STREAM if last else 0), stream, piece))
            else:
                self.send(frame(CONTINUATION, flags, stream, piece))
        if body is not None:
            self.content(stream, body, ends and trailers is None)
        if trailers is not None:
            self.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, block(trailers)))
        return stream

    def content(self, stream, body, ends=True):
        """DATA, waiting for windows."""
        sent = 0
        while True:
            while sent < len(body) and min(self.windows[0], self._window(stream)) == 0:
                self.step()
            part = body[sent:sent + min(16384, self.windows[0], self._window(stream))]
            sent += len(part)
            self.windows[0] -= len(part)
            self.windows[stream] -= len(part)
            self.send(frame(DATA, END_STREAM if ends and sent == len(body) else 0, stream, part))
            if sent == len(body):
                return

    def _window(self, stream):
        return self.windows.setdefault(stream, self.settings.get(INITIAL_WINDOW_SIZE, 65535))

    def give(self, stream, size):
        self.send(frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", size)))

    def reset(self, stream, code=CANCEL):
        self.send(frame(RST_STREAM, 0, stream, struct.pack(">I", code)))

    # ---- in ----

    def _take(self, size):
        while len(self.buffer) < size:
            try:
                data = self.sock.recv(1 << 16)
            except ConnectionError:
                data = b""
            if not data:
                self.ended = True
                raise EOFError("closed by the peer, GOAWAY " + str(self.goaway))
            self.buffer += data
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def step(self):
        """One frame."""
        head = self._take(9)
        size, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
        stream = int.from_bytes(head[5:], "big") & 0x7FFFFFFF
        self._frame(kind, flags, stream, self._take(size))
        return kind

    def _frame(self, kind, flags, stream, payload):
        if kind in (HEADERS, CONTINUATION):
            self._block = (self._block or b"") + payload
            self._ends = flags & END_STREAM if kind == HEADERS else self._ends
            if flags & END_HEADERS:
                fields = [(str(n), str(v)) for n, v in self.decoder.decode(self._block)]
                self._block = None
                self._fields(stream, fields, self._ends)
        elif kind == DATA:
            answer = self.streams.setdefault(stream, Answer())
            answer.body += payload
            answer.over = bool(flags & END_STREAM)
            if payload and self.opens_windows:
                self.give(0, len(payload))
                if not answer.over:
                    self.give(stream, len(payload))
        elif kind == RST_STREAM:
            answer = self.streams.setdefault(stream, Answer())
            answer.reset = struct.unpack(">I", payload)[0]
            answer.over = answer.over or answer.reset != NO_ERROR
        elif kind == SETTINGS and not flags & ACK:
            self.settings.update(struct.iter_unpack(">HI", payload))
            if self.acks_settings:
                self.send(frame(SETTINGS, ACK))
        elif kind == SETTINGS:
            self.acks += 1
        elif kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))
        elif kind == PING:
            self.pings += 1
        elif kind == GOAWAY:
            self.goaway = struct.unpack(">II", payload[:8])  # last stream, code
        elif kind == WINDOW_UPDATE:
            self.windows[stream] = (self._window(stream) if stream else self.windows[0]) + struct.unpack(">I", payload)[0]

    def _fields(self, stream, fields, ends):
        answer = self.streams.setdefault(stream, Answer())
        status = dict(fields).get(":status", "")
        if status.startswith("1"):
            answer.interim.append(int(status))
        elif answer.fields:
            answer.trailers = fields
        else:
            answer.fields = fields
            if self.server:
                self.requests.append(stream)
        answer.over = bool(ends)

    def until(self, condition):
        while not condition():
            self.step()

    def answer(self, stream):
        """The whole answer, or what there is of it where the stream was reset."""
        answer = self.streams[stream]
        self.until(lambda: answer.over)
        return answer

    def to_the_end(self):
        """Reads until the other side has closed; gives its GOAWAY's code, None without one."""
        try:
            while True:
                self.step()
        except (EOFError, OSError):
            return self.goaway and self.goaway[1]
