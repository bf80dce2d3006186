"""Raw HTTP/1.1 for tests: a client that sends the bytes it is given, and an origin that records the bytes it gets."""
import os
import re
import socket
import struct
import threading
from dataclasses import dataclass, field

TIMEOUT = 90 if os.environ.get("LINGATE_SANITIZE") else 20  # seconds; only a hung test waits for it


def fields_of(head):
    """[(name, value)] of a head, spelled and ordered as sent."""
    lines = head.split(b"\r\n")[1:]
    pairs = [line.partition(b":") for line in lines if line]
    return [(name.decode("latin-1"), value.strip(b" \t").decode("latin-1")) for name, _, value in pairs]


@dataclass
class Message:
    head: bytes  # without the empty line
    body: bytes

    @property
    def fields(self):
        return fields_of(self.head)

    @property
    def start_line(self):
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    def values(self, name):
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def value(self, name):
        found = self.values(name)
        return found[0] if found else None

    @property
    def status(self):
        return int(self.start_line.split(" ")[1])

    @property
    def method(self):
        return self.start_line.split(" ")[0]

    @property
    def target(self):
        return self.start_line.split(" ")[1]


class Stream:
    """Reads messages off a socket; what follows one is kept for the next."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""
        self.interim = []  # heads of 1xx responses seen

    def more(self):
        data = self.sock.recv(1 << 16)
        if not data:
            raise EOFError("closed by the peer after " + repr(self.buffer[-200:]))
        self.buffer += data

    def take(self, size):
        while len(self.buffer) < size:
            self.more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def line(self):
        while b"\r\n" not in self.buffer:
            self.more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        return head

    def chunked(self):
        body = b""
        while size := int(self.line().split(b";")[0], 16):
            body += self.take(size)
            assert self.take(2) == b"\r\n", "no CRLF after a chunk"
        while self.line():
            pass
        return body

    def to_end(self):
        try:
            while True:
                self.more()
        except EOFError:
            data, self.buffer = self.buffer, b""
            return data

    def body_of(self, message):
        if "chunked" in (message.value("Transfer-Encoding") or "").lower():
            return self.chunked()
        length = message.value("Content-Length")
        return self.take(int(length)) if length is not None else None

    def request(self):
        """The next request, or None where the client has closed."""
        try:
            while not self.buffer:
                self.more()
        except EOFError:
            return None
        message = Message(self.head(), b"")
        if (message.value("Expect") or "").lower() == "100-continue":
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        message.body = self.body_of(message) or b""
        return message

    def response(self, to="GET"):
        """The next final response; 1xx heads go to `interim`."""
        while True:
            message = Message(self.head(), b"")
            if message.status >= 200 or message.status == 101:
                break
            self.interim.append(message.head)
        if message.status == 101 or to == "HEAD" or message.status in (204, 304):
            return message
        body = self.body_of(message)
        message.body = self.to_end() if body is None else body
        return message


def connect(port):
    sock = socket.create_connection(("127.0.0.1", port), TIMEOUT)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def reset(sock):
    """Closes it with a reset, and not with an end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def request_bytes(method="GET", target="/", headers=(), body=None, host="gw.test"):
    """A request with Host first and Content-Length last."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *(f"{n}: {v}" for n, v in headers)]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def ask(port, raw):
    """Sends one request on a connection of its own and returns the response."""
    with connect(port) as sock:
        sock.sendall(raw)
        return Stream(sock).response(raw.split(b" ", 1)[0].decode("latin-1"))


def reply(status=200, headers=(), body=b"", reason="OK"):
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{n}: {v}" for n, v in headers), f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@dataclass
class Origin:
    """An upstream. `answer(request)` gives the bytes of the response; `requests` is what came in, in order.

    With `serve`, a function (sock, stream) handles each connection instead, for upstreams that misbehave.
    """
    answer: object = lambda request: reply(body=b"ok")
    serve: object = None
    requests: list = field(default_factory=list)

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.connections = []
        self.lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        with self.lock:
            for sock in self.connections:
                sock.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = Stream(sock)
        try:
            if self.serve:
                self.serve(sock, stream)
                return
            while request := stream.request():
                self.requests.append(request)
                sock.sendall(self.answer(request))
        except (OSError, EOFError):
            pass
        finally:
            sock.close()


def problem_code(response):
    """The LG code of a problem+json response, or None."""
    found = re.search(rb'"code"\s*:\s*"(LG\d{4})"', response.body)
    return found[1].decode() if found else None
