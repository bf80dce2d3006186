"""Faults of those who operate a gateway, and of those who attack that: reloads, keys, the admin API, TLS and HTTP/2."""
import os
import signal
import socket
import ssl
import time

from support.admin import Admin
from support.h2 import Peer
from support.wire import ask, connect, request_bytes, reset

from faults import STORE, Odd, expect


def wanted(status, among, what):
    if status not in among:
        raise Odd(f"{what}: {status}, wanted {' or '.join(map(str, among))}")


def reload_as_it_is(gateway, random):
    wanted(Admin(gateway).ask("POST", "/config/reload")[0], (200,), "a reload")


def reload_with_another_script(gateway, random):
    """Another text of a script whose requests go on meanwhile; in place at once, so that no reload finds half of it."""
    new = gateway.dir / f"calm-{random.random()}.lua"
    new.write_text((gateway.dir / "calm.lua").read_text().split("--")[0] + f"-- {random.random()}\n")
    os.replace(new, gateway.dir / "calm.lua")
    gateway.signal(signal.SIGHUP)


def wrong_configuration(gateway, random):
    text = random.choice(["routes: [{name: x, match: {path: /x}, upstream: nobody}]\nversion: 1\n", "version: 1\nlisten: {\n", "a: *b"])
    status, _, _ = Admin(gateway).raw("PUT", "/config", text, {
        "Authorization": "Bearer " + Admin(gateway).token, "Content-Type": "application/yaml", "If-Match": "*"})
    wanted(status, (422,), "PUT of a wrong configuration")


def key_comes_and_goes(gateway, random):
    with STORE:
        admin = Admin(gateway)
        status, made = admin.ask("POST", "/keys", {"rate": 2, "per": 3600, "burst": 2})
        wanted(status, (201,), "a key is made")
        keyed = request_bytes(target="/keyed", headers=[("X-Api-Key", made["key"])])
        statuses = [ask(gateway.port, keyed).status for _ in range(3)]
        if statuses != [200, 200, 429]:
            raise Odd(f"a key that may come twice: {statuses}")
        wanted(admin.ask("DELETE", "/keys/" + made["session"]["id"])[0], (204,), "a key is revoked")
        expect(ask(gateway.port, keyed), {401}, "a revoked key")


def admin_is_abused(gateway, random):
    admin = Admin(gateway)
    for _ in range(20):
        wanted(admin.raw("GET", "/keys", headers={"Authorization": "Bearer wrong"})[0], (401, 429), "a wrong token")
    with connect(admin.port) as sock:
        sock.sendall(b"PUT /config HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 10_000)
        reset(sock)


def log_is_reopened(gateway, random):
    gateway.signal(signal.SIGUSR1)


def tls_port(gateway):
    return gateway.ports[1]


def handshake_breaks(gateway, random):
    with connect(tls_port(gateway)) as sock:
        sock.sendall(random.choice([b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 100, b"GET / HTTP/1.1\r\n\r\n", b"\x16"]))
        if random.random() < 0.5:
            reset(sock)


def through_tls(gateway, random):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if random.random() < 0.5:
        context.set_alpn_protocols(["h2"])
    with context.wrap_socket(connect(tls_port(gateway)), server_hostname="site.test") as sock:
        if sock.selected_alpn_protocol() != "h2":
            sock.sendall(request_bytes(target="/others/ok", headers=[("Connection", "close")]))
            if not sock.recv(4096).startswith(b"HTTP/1.1 200"):
                raise Odd("no answer through TLS")
            return
        with Peer(sock) as peer:
            streams = [peer.request(path="/others/ok") for _ in range(10)]
            for stream in streams[:5]:
                peer.reset(stream)
            if [peer.answer(stream).status for stream in streams[5:]] != [200] * 5:
                raise Odd("streams beside those that were reset were not answered")


def rapid_reset(gateway, random):
    with connect(gateway.port) as sock, Peer(sock) as peer:
        try:
            for _ in range(2000):
                peer.reset(peer.request(path="/others/ok"))
        except (BrokenPipeError, ConnectionResetError):
            return  # it was told to calm down
        sock.settimeout(10)
        begin = time.monotonic()
        try:
            while sock.recv(1 << 16):
                if time.monotonic() - begin > 10:
                    raise Odd("a rapid reset goes on and on")
        except (ConnectionResetError, socket.timeout):
            pass


FAULTS = (reload_as_it_is, reload_with_another_script, wrong_configuration, key_comes_and_goes, admin_is_abused, log_is_reopened,
          handshake_breaks, through_tls, rapid_reset)
