"""Signed tokens (JWT) for tests, by keys that the `openssl` command makes."""
import base64
import json
import subprocess
import tempfile
import time


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def openssl(*words, data=None):
    return subprocess.run(["openssl", *words], input=data, capture_output=True, check=True).stdout


class Key:
    """An RSA key made by openssl, and what it signs."""

    def __init__(self, name):
        self.name = name
        self.private = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-quiet")
        self.pem = openssl("pkey", "-pubout", data=self.private).decode()
        modulus = openssl("rsa", "-pubin", "-noout", "-modulus", data=self.pem.encode()).decode().strip()
        self.jwk = {"kty": "RSA", "use": "sig", "kid": name, "e": "AQAB",
                    "n": b64(bytes.fromhex(modulus.split("=")[1]))}

    def sign(self, head=None, **claims):
        text = f"{b64(json.dumps({'alg': 'RS256', 'kid': self.name, **(head or {})}).encode())}.{body(claims)}"
        with tempfile.NamedTemporaryFile() as private:
            private.write(self.private)
            private.flush()
            return f"{text}.{b64(openssl('dgst', '-sha256', '-sign', private.name, data=text.encode()))}"


def body(claims):
    return b64(json.dumps({"sub": "ann", "iss": "issuer", "aud": "api", "exp": int(time.time()) + 300, **claims}).encode())
