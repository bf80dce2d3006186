#!/usr/bin/env python3
"""The Debian package: what is in it, and that it runs from where it was unpacked; the unit and what it is told."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import Gateway, run_cli  # noqa: E402
from support.wire import ask, connect, request_bytes  # noqa: E402

BUILD = Path(sys.argv.pop(1)) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else Path("build")
PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
CONFIG = "version: 1\nlisten: [{address: \"127.0.0.1:0\"}]\nroutes: [{match: {path: /}, respond: {status: 200}}]\n"


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@unittest.skipUnless(shutil.which("file") and os.geteuid() == 0, "packages are built with `file`, as root (./dev package)")
class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="lingate-test-")
        root = Path(cls.folder.name)
        done = subprocess.run(["/usr/bin/cpack", "--config", str(BUILD / "CPackConfig.cmake"), "-B", str(root)],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        cls.package, = root.glob("lingate_*.deb")
        cls.root = root / "unpacked"
        output("dpkg-deb", "-R", str(cls.package), str(cls.root))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_says_what_it_is_and_needs(self):
        fields = dict(line.split(": ", 1) for line in output("dpkg-deb", "-f", str(self.package)).splitlines()
                      if ": " in line)
        self.assertEqual((fields["Package"], fields["Section"]), ("lingate", "httpd"))
        for needed in ("adduser", "libc6", "libpython3.11", "libssl3", "libfyaml0"):
            self.assertIn(needed, fields["Depends"])
        self.assertEqual((self.root / "DEBIAN/conffiles").read_text(), "/etc/lingate/gateway.yaml\n")

    def test_has_everything_in_its_place(self):
        for path in ("usr/bin/lingate", "etc/lingate/gateway.yaml", "lib/systemd/system/lingate.service",
                     "usr/share/man/man1/lingate.1.gz", "usr/share/man/man5/lingate.yaml.5.gz",
                     "usr/share/bash-completion/completions/lingate", "usr/share/zsh/vendor-completions/_lingate",
                     "usr/share/fish/vendor_completions.d/lingate.fish", "usr/share/lingate/schema.json",
                     "usr/share/doc/lingate/copyright"):
            self.assertGreater((self.root / path).stat().st_size, 0, path)
        for script in ("postinst", "prerm", "postrm"):
            self.assertEqual((self.root / "DEBIAN" / script).stat().st_mode & 0o777, 0o755)
            output("sh", "-n", str(self.root / "DEBIAN" / script))

    def test_runs_from_where_it_is_with_the_configuration_that_comes_with_it(self):
        program = str(self.root / "usr/bin/lingate")
        self.assertIn("lingate", output(program, "version"))
        text = (self.root / "etc/lingate/gateway.yaml").read_text()
        text = text.replace(":8080", ":0").replace(":9901", ":0").replace("/var/lib/lingate/", "state-")
        with Gateway(text, binary=program) as gateway:
            answer = ask(gateway.port, request_bytes())
            self.assertEqual((answer.status, answer.body), (200, b"lingate serves\n"))


class Manuals(unittest.TestCase):
    def test_every_verb_and_key_is_in_them(self):
        _, one, _ = run_cli("man")
        _, five, _ = run_cli("schema", "--man")
        self.assertTrue(one.startswith(".TH LINGATE 1 ") and five.startswith(".TH LINGATE.YAML 5 "))
        for verb in ("run", "check", "route", "reload", "config diff", "keys create", "bench runtimes", "doctor"):
            self.assertIn(f".B lingate {verb}\n", one)
        for key in ("listen", "upstreams", "address", "max_body"):
            self.assertIn(f".BR {key.replace('-', chr(92) + '-')} ", five)
        for page in (one, five):
            for line in page.splitlines():
                self.assertFalse(line.startswith("'"), line)
                if line.startswith("."):
                    self.assertRegex(line, r"^\.(TH|SH|TP|BR|B|I|RS|RE)\b")


class ServiceManager(unittest.TestCase):
    def test_is_told_when_the_gateway_serves_and_when_it_ends(self):
        for name in ("/notify", "@lingate-test-"):
            with self.subTest(name=name), tempfile.TemporaryDirectory(prefix="lingate-test-") as folder, \
                    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                path = folder + name if name.startswith("/") else name + Path(folder).name
                manager.bind("\0" + path[1:] if path.startswith("@") else path)
                manager.settimeout(30)
                with Gateway(CONFIG, env={"NOTIFY_SOCKET": path}) as gateway:
                    self.assertEqual(manager.recv(100), b"READY=1")
                    connect(gateway.port).close()  # it serves
                    gateway.stop()
                    self.assertEqual(manager.recv(100), b"STOPPING=1")

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd here")
    def test_understands_the_unit(self):
        done = subprocess.run(["systemd-analyze", "verify", str(PACKAGING / "lingate.service")], capture_output=True,
                              text=True)
        complaints = [line for line in done.stderr.splitlines()
                      if "lingate.service" in line and "is not executable" not in line and "Command 'man" not in line]
        self.assertEqual(complaints, [])


if __name__ == "__main__":
    unittest.main()
