"""HTTPS for tests: certificates, a gateway that forwards to one origin, and a client of Python's ssl."""
import ssl

from support.certificates import authority
from support.wire import Stream, connect

CA = authority("ca")
SITE = CA.issue("site.test", names=["site.test", "IP:127.0.0.1"])
WILD = CA.issue("*.wild.test", names=["*.wild.test"])
RSA = CA.issue("rsa.test", names=["rsa.test", "one.wild.test"], key=["-newkey", "rsa:2048", "-nodes"])
CLIENTS = authority("clients")
ADA = CLIENTS.issue("ada", names=["ada.test"])
STRANGER = authority("strangers").issue("eve")

CONFIG = """
version: 1
workers: 1
listen:
  - {{address: 127.0.0.1:0, tls: {tls}}}
limits: {{timeout: {{head: {head}, idle: {idle}, write: 2s}}}}
log: {{level: debug}}
upstreams:
  origin: {{targets: [{{url: "http://127.0.0.1:{port}"}}], eject: off, timeout: {{connect: 10s}}}}
routes:
  - {{name: all, match: {{path: "/*"}}, chain: [access-log], upstream: origin}}
"""


def config(origin, tls=None, head="10s", idle="60s"):
    return CONFIG.format(tls=tls or SITE.yaml(), port=origin.port, head=head, idle=idle)


def client_context(**settings):
    context = ssl.create_default_context(cafile=CA.cert)
    for name, value in settings.items():
        setattr(context, name, value)
    return context


def secure(port, name="site.test", context=None, session=None, **settings):
    """A connection through TLS; the handshake is over."""
    return (context or client_context(**settings)).wrap_socket(connect(port), server_hostname=name, session=session)


def exchange(sock, raw):
    sock.sendall(raw)
    return Stream(sock).response(raw.split(b" ", 1)[0].decode())


def client_hello():
    """The first bytes of a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        client_context().wrap_bio(incoming, outgoing, server_hostname="site.test").do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


class Nobody:
    """In the place of an origin that is never asked."""
    port = 1
