#!/usr/bin/env python3
"""`./dev peers` as a person uses it, with lingate alone. What it measures is not judged here."""
import json
import subprocess
import sys
import unittest
from pathlib import Path

from bench import LINGATE, ROOT, InFolder
from gateways import PEERS, Description
from targets import Outcome, Target

QUICK = ["--alone", "--reps", "2", "--seconds", "0.05"]


def run(*words):
    return subprocess.run([sys.executable, ROOT / "bench/peers/run.py", "--lingate", LINGATE, *words],
                          capture_output=True, text=True, timeout=100)


def bench(*words):
    return subprocess.run([LINGATE, "bench", *words], capture_output=True, text=True, timeout=60)


class Run(InFolder):
    def test_prints_a_table_and_writes_record_and_page(self):
        out, page = str(self.folder / "peers.json"), str(self.folder / "peers.html")
        done = run(*QUICK, "--only", "header,bare,workers,idle", "-o", out, "--html", page)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        self.assertIn("two workers", done.stdout)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80, done.stdout)
        read = json.loads(Path(out).read_text())
        self.assertEqual((read["schema"], read["kind"]), ("lingate-bench/1", "peers"))
        rows = {row["name"]: row for row in read["rows"]}
        self.assertEqual(len(rows["header/lingate-lua"]["figures"]["cpu"]["samples"]), 2)
        self.assertEqual(rows["bare/lingate-lua"]["errors"], 0)
        self.assertEqual(rows["two workers ÷ plain"]["figures"]["bar"]["median"], 1.05)
        self.assertEqual(rows["idle connection"]["figures"]["value"]["unit"], "B")
        self.assertIn("<html", Path(page).read_text())
        compared = bench("compare", out, out)
        self.assertEqual(compared.returncode, 0, compared.stderr)
        self.assertIn("header/lingate-lua", compared.stdout)

    def test_wrong_words_are_usage_errors(self):
        for words in (["--only", "cobol"], ["--reps", "0"], ["--lingate", "/nowhere"], ["extra"]):
            done = run(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertNotEqual(done.stderr, "")


class Parts(unittest.TestCase):
    def test_a_peer_names_the_packages_that_it_lacks(self):
        needs = {"/nowhere/lua.so": "libnothing", "no-such-command": "nothing", "/bin/sh": "dash"}
        self.assertEqual(Description("none", "", (), {}, needs).missing(), ["libnothing", "nothing"])
        for peer in PEERS:
            self.assertTrue(peer.needs, peer.name)

    def test_a_ratio_is_judged_as_it_is_shown(self):
        target = Target("", "bare", "a", "b", bar=0.9, goal=0.7)
        for ratio, met in ((0.704, "goal"), (0.706, "bar"), (0.904, "bar"), (0.906, "no")):
            self.assertEqual(Outcome(target, [ratio * 10], [10]).met, met)
        self.assertEqual(Outcome(target, [10], []).met, "")
        self.assertEqual(Outcome(Target("", "bare", "a", "b"), [1], [1]).met, "")

    def test_without_a_reference_the_value_is_judged(self):
        target = Target("", "idle", "a", bar=1024, goal=512, figure="memory")
        for value, met in ((512, "goal"), (513, "bar"), (1025, "no")):
            self.assertEqual(Outcome(target, [value], []).met, met)


if __name__ == "__main__":
    unittest.main()
