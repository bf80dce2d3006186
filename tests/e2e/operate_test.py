#!/usr/bin/env python3
"""The ten commands of the README's part "Operate", run as they stand there, in an empty folder."""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.gateway import BINARY, DEADLINE  # noqa: E402

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
PORTS = ("8443", "9901", "9001")  # tests run side by side: each takes others


def part():
    return re.search(r"^## Operate.*?(?=^## )", README, re.M | re.S)[0]


def commands():
    """Each with its lines, in order; a here-document belongs to its command."""
    block = re.search(r"^```sh\n(.*?)^```", part(), re.M | re.S)[1]
    return re.findall(r"^(?:[^\n]*<<'END'\n.*?^END\n|[^\n]+\n)", block, re.M | re.S)


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Operate(unittest.TestCase):
    def test_there_are_ten(self):
        self.assertEqual(len(commands()), 10)

    def test_they_work_as_written(self):
        mark = "-- that was command {} with {}"
        script = "".join(f"{command}echo '{mark.format(i, '')}'$?\n" for i, command in enumerate(commands()))
        further = "\n".join(re.findall(r"^    (curl .*)$", part(), re.M))
        self.assertEqual(further.count("curl"), 3)
        free = dict(zip(PORTS, free_ports(len(PORTS))))
        script, further = (re.sub("|".join(PORTS), lambda found: free[found[0]], text) for text in (script, further))
        with tempfile.TemporaryDirectory(prefix="lingate-test-") as folder:
            (Path(folder) / "build").mkdir()
            (Path(folder) / "build/lingate").symlink_to(BINARY)
            said, told = self.run_in(folder, script + "echo '-- further'\n" + further + "\n")
            results = re.findall(mark.format(r"(\d+)", r"(\d+)"), said)
            self.assertEqual(results, [(str(i), "0") for i in range(10)], said + told)
            output = re.split(r"-- .*\n", said)
            self.assertEqual(output[5], "gw.yaml: ok (2 routes, 1 upstream)\n")
            self.assertEqual(output[7], "up\nhello\n")
            self.assertTrue(output[9].startswith("hello\nhello\nhello\n{"), said + told)
            self.assertIn('"code":"LG5006"', output[9].replace('": "', '":"'))
            self.assertRegex(output[11], r'(?s)"draining": ?true.*"draining": ?true.*"draining": ?false')
            self.assertRegex((Path(folder) / "key.txt").read_text(), r"^lg_\S+\n$")

    def run_in(self, folder, script):
        """(standard output, standard error) of a shell, whose jobs end with it; no proxy stands between it and the ports."""
        environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        environment["NO_COLOR"] = "1"
        shell = subprocess.Popen(["bash"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True, start_new_session=True, env=environment)
        try:
            return shell.communicate(script + "kill $(jobs -p)\nwait\n", DEADLINE * 2)
        finally:
            try:
                os.killpg(shell.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


if __name__ == "__main__":
    unittest.main(verbosity=2)
