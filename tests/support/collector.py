"""A collector of OpenTelemetry: takes OTLP over HTTP and reads the spans out of the protobuf."""
import ssl
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def fields(data):
    """(number, value) of a message: integers of varints and fixed ones, bytes of the rest."""
    at = 0

    def varint():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        kind = key & 7
        if kind == 0:
            value = varint()
        elif kind == 1:
            value, at = struct.unpack_from("<Q", data, at)[0], at + 8
        elif kind == 2:
            size = varint()
            value, at = data[at:at + size], at + size
            assert len(value) == size, "a field runs past its message"
        else:
            raise AssertionError(f"wire type {kind}")
        yield key >> 3, value


def all_of(data, number):
    return [value for n, value in fields(data) if n == number]


def attributes(pairs):
    read = {}
    for pair in pairs:
        key, value = all_of(pair, 1)[0].decode(), list(fields(all_of(pair, 2)[0]))
        assert len(value) == 1 and value[0][0] in (1, 3), value
        read[key] = value[0][1].decode() if value[0][0] == 1 else value[0][1]
    return read


class Span:
    KINDS = {1: "internal", 2: "server", 3: "client"}

    def __init__(self, data, resource):
        found = dict(fields(data))
        self.resource = resource
        self.trace, self.id = found[1].hex(), found[2].hex()
        self.parent = found.get(4, b"").hex()
        self.name, self.kind = found[5].decode(), self.KINDS[found[6]]
        self.begin, self.end = found[7], found[8]
        self.attributes = attributes(all_of(data, 9))
        self.failed = 15 in found and all_of(found[15], 3) == [2]

    def __repr__(self):
        return f"<{self.kind} {self.name!r} {self.id} of {self.parent or 'nobody'} {self.attributes}>"


def spans_of(body):
    for resource_spans in all_of(body, 1):
        resource = attributes(all_of(all_of(resource_spans, 1)[0], 1))
        for scope_spans in all_of(resource_spans, 2):
            assert attributes([]) == {} and all_of(all_of(scope_spans, 1)[0], 1) == [b"lingate"]
            for span in all_of(scope_spans, 2):
                yield Span(span, resource)


class Collector:
    def __init__(self, status=200, pair=None):
        """`pair`: the certificate of one that takes https only."""
        self.status, self.pair, self.spans, self.requests = status, pair, [], []
        self.changed = threading.Condition()

    def __enter__(self):
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with collector.changed:
                    collector.requests.append((self.path, dict(self.headers)))
                    if collector.status == 200:
                        collector.spans += spans_of(body)
                    collector.changed.notify_all()
                self.send_response(collector.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        if self.pair:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self.pair.cert, self.pair.key)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if self.pair else 'http'}://127.0.0.1:{self.port}/v1/traces"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def wait_for(self, condition, what, timeout=20):
        """The spans, once condition(spans) holds."""
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self.spans), timeout), f"no {what}: {self.spans}"
            return list(self.spans)

    def of_trace(self, trace, count):
        """So many spans of one trace, by begin."""
        own = lambda spans: [span for span in spans if span.trace == trace]  # noqa: E731
        spans = own(self.wait_for(lambda all: len(own(all)) >= count, f"{count} spans of {trace}"))
        return sorted(spans, key=lambda span: span.begin)
