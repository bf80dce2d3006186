"""A gateway whose configuration changes while it serves."""
import signal

from support.gateway import Gateway
from support.wire import ask, request_bytes


def text_route(name, text):
    return f"  - {{name: {name}, match: {{path: /{name}}}, respond: {{status: 200, text: {text!r}}}}}\n"


def config(routes, top="", listen=("127.0.0.1:0",)):
    listeners = "".join(f"  - address: {each}\n" for each in listen)
    return f"version: 1\nworkers: 2\nlisten:\n{listeners}{top}routes:\n{routes}"


class Reloaded:
    """A gateway whose file can be changed, and that says when it has followed."""

    def __init__(self, text, files=None, args=()):
        self.gateway = Gateway(text, files, args)
        self.generation = 1

    def __enter__(self):
        self.gateway.start()
        return self

    def __exit__(self, kind, *rest):
        self.gateway.__exit__(kind, *rest)

    def write(self, text, name="gateway.yaml"):
        (self.gateway.dir / name).write_text(text)

    def follow(self):
        self.generation += 1
        self.gateway.wait_log(rf"generation {self.generation} of the configuration runs")

    def reload(self, text=None):
        if text is not None:
            self.write(text)
        self.gateway.signal(signal.SIGHUP)
        self.follow()

    def get(self, path, port=None):
        response = ask(port or self.gateway.port, request_bytes(target=path))
        return response.status, response.body.decode()
