"""WebSockets for tests (RFC 6455): frames, the fields of an opening handshake, and an origin that says everything again."""
import base64
import hashlib
import struct


def frame(opcode, payload, mask=b"\1\2\3\4"):
    """A masked WebSocket frame (RFC 6455, section 5.2)."""
    size = len(payload)
    head = bytes([0x80 | opcode]) + (bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack("!H", size))
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def read_frame(stream):
    first, second = stream.take(2)
    size = second & 127
    if size == 126:
        size = struct.unpack("!H", stream.take(2))[0]
    mask = stream.take(4) if second & 128 else bytes(4)
    return first & 15, bytes(b ^ mask[i % 4] for i, b in enumerate(stream.take(size)))


def websocket_echo(sock, stream):
    """Serves an Origin."""
    head = stream.head()
    key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
                 + accept + b"\r\n\r\n")
    while True:
        opcode, payload = read_frame(stream)
        sock.sendall(bytes([0x80 | opcode]) + (bytes([len(payload)]) if len(payload) < 126 else
                                                b"\x7e" + struct.pack("!H", len(payload))) + payload)
        if opcode == 8:  # close
            return


UPGRADE = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
           ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
