"""Certificates for tests, made by the `openssl` command when they are first asked for, in a folder of this process.

    CA = authority("ca"); SITE = CA.issue("site.test", names=["site.test", "*.site.test"])
    SITE.cert, SITE.key    # paths; the chain is in `cert`
"""
import atexit
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(tempfile.mkdtemp(prefix="lingate-certificates-"))
atexit.register(shutil.rmtree, _FOLDER, True)
EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], cwd=_FOLDER, capture_output=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"openssl {args}: {done.stderr.decode(errors='replace')}")
    return done.stdout


@dataclass
class Pair:
    cert: Path
    key: Path

    def yaml(self):
        return f"{{cert: {self.cert}, key: {self.key}}}"


@dataclass
class Authority(Pair):
    def issue(self, name, names=(), days=2, key=EC):
        """A certificate for `names` ("IP:127.0.0.1" as well), signed by this authority."""
        stem = f"{self.cert.stem}-{name.replace('*', 'any')}-{days}-{key[1]}"
        pair = Pair(_FOLDER / f"{stem}.pem", _FOLDER / f"{stem}.key")
        if pair.cert.exists():
            return pair
        extensions = _FOLDER / f"{stem}.ext"
        listed = ",".join(n if ":" in n else f"DNS:{n}" for n in names)
        extensions.write_text(f"subjectAltName={listed}\n" if listed else "basicConstraints=CA:FALSE\n")
        openssl("req", *key, "-keyout", pair.key, "-out", _FOLDER / f"{stem}.csr", "-subj", f"/O=lingate tests/CN={name}")
        openssl("x509", "-req", "-in", _FOLDER / f"{stem}.csr", "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial",
                "-days", days, "-extfile", extensions, "-out", pair.cert)
        return pair


def authority(name):
    made = Authority(_FOLDER / f"{name}.pem", _FOLDER / f"{name}.key")
    if not made.cert.exists():
        openssl("req", "-x509", *EC, "-keyout", made.key, "-out", made.cert, "-days", 2, "-subj", f"/CN=authority {name}")
    return made
