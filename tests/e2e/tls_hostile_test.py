#!/usr/bin/env python3
"""HTTPS listeners and clients that break off, stop or send nonsense in the handshake and behind it."""
import os
import random
import socket
import ssl
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway  # noqa: E402
from support.tls import client_context, client_hello, config, exchange, secure  # noqa: E402
from support.wire import Origin, connect, request_bytes, reset  # noqa: E402


class Hostile(unittest.TestCase):
    def test_half_open_handshakes_are_closed_after_the_deadline(self):
        with Origin() as origin, Gateway(config(origin, head="200ms")) as gateway:
            for sent in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01", client_hello()[:-1]):
                with connect(gateway.port) as sock:
                    sock.sendall(sent)
                    self.assertEqual(to_the_end(sock), b"")
            with secure(gateway.port) as sock:
                self.assertEqual(to_the_end(sock), b"")  # the time for a head goes on after the handshake

    def test_garbage_is_refused(self):
        noise = random.Random(5)
        with Origin() as origin, Gateway(config(origin)) as gateway:
            for size in (1, 5, 100, 20_000):
                for first in (b"\x00", b"\x16", b"\x16\x03\x01\xff\xff", b"\x80", b"\xff", b"a"):
                    with connect(gateway.port) as sock:
                        try:
                            sock.sendall(first + noise.randbytes(size))
                            sock.shutdown(socket.SHUT_WR)
                        except OSError:
                            pass
                        to_the_end(sock)
            with secure(gateway.port) as sock:
                self.assertEqual(exchange(sock, request_bytes()).body, b"ok")

    def test_handshakes_aborted_anywhere_leave_nothing_behind(self):
        dice = random.Random(6)
        with Origin() as origin, Gateway(config(origin)) as gateway:
            files = lambda: len(os.listdir(f"/proc/{gateway.pid}/fd"))  # noqa: E731
            with secure(gateway.port) as sock:
                exchange(sock, request_bytes())
                before = files()
            for _ in range(int(os.environ.get("LINGATE_TLS_ABORTS", "300"))):
                abort_somewhere(gateway.port, dice)
            with secure(gateway.port) as sock:
                self.assertEqual(exchange(sock, request_bytes()).body, b"ok")
                gateway.wait_for(lambda: files() <= before, "end of the aborted connections")


def to_the_end(sock):
    data = b""
    try:
        while more := sock.recv(1 << 16):
            data += more
    except OSError:
        pass
    return data


def abort_somewhere(port, dice):
    """A client whose bytes stop, are bent or are reset at a point of the exchange that `dice` choose."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context().wrap_bio(incoming, outgoing, server_hostname="site.test")
    steps = [tls.do_handshake, lambda: tls.write(request_bytes(target="/big")), lambda: tls.read(100)]
    left = dice.choice([dice.randrange(20), dice.randrange(700), dice.randrange(2000)])
    with connect(port) as sock:
        try:
            for step in steps:
                while True:
                    try:
                        step()
                        done = True
                    except ssl.SSLWantReadError:
                        done = False
                    data = outgoing.read()
                    if dice.randrange(10) == 0 and data:
                        place = dice.randrange(len(data))
                        data = data[:place] + dice.randbytes(1) + data[place + 1:]
                    sock.sendall(data[:left])
                    left -= len(data)
                    if left <= 0:
                        reset(sock) if dice.randrange(2) else sock.close()
                        return
                    if done:
                        break
                    if not (data := sock.recv(1 << 16)):
                        return
                    incoming.write(data)
        except (OSError, ssl.SSLError):
            return


if __name__ == "__main__":
    unittest.main()
