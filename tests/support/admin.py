"""Asks the admin API of a gateway that runs."""
import http.client
import json

from support.wire import TIMEOUT


class Admin:
    """Asks the admin API; each answer is (status, header fields, body)."""

    def __init__(self, gateway):
        self.port = gateway.admin_port
        self.token_file = gateway.dir / "data/admin.token"
        self.token = self.token_file.read_text().strip()

    def raw(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def ask(self, method, path, body=None, **more):
        headers = {"Authorization": "Bearer " + self.token}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        status, fields, text = self.raw(method, path, body, {**headers, **more.get("headers", {})})
        return status, json.loads(text) if text else None
