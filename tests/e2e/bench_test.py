#!/usr/bin/env python3
"""`lingate bench` as a person uses it: its output, its files and its exit codes. What it measures is not judged here."""
import json
import os
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.wire import Origin  # noqa: E402

LINGATE = os.environ["LINGATE"]
QUICK = ["--seconds", "1", "--only", "echo/inline/empty"]


def bench(*words):
    return subprocess.run([LINGATE, "bench", *words], capture_output=True, text=True, timeout=120)


class Bench(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="lingate-bench-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def record(self, name="record.json"):
        path = str(self.folder / name)
        done = bench("runtimes", *QUICK, "-o", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        return path

    def test_runtimes_prints_a_table_and_writes_record_and_page(self):
        record, page = str(self.folder / "r.json"), str(self.folder / "r.html")
        done = bench("runtimes", *QUICK, "-o", record, "--html", page)
        self.assertEqual((done.returncode, done.stderr), (0, ""))  # no progress bar where nobody watches
        self.assertIn("echo inline", done.stdout)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
        read = json.loads(Path(record).read_text())
        self.assertEqual(read["schema"], "lingate-bench/1")
        (row,) = read["rows"]
        self.assertEqual((row["name"], row["errors"]), ("echo/inline/empty", 0))
        self.assertEqual(len(row["figures"]["cpu"]["samples"]), 12)
        self.assertGreater(row["calls"], 1000)
        self.assertIn("build ", read["machine"]["lingate"])
        self.assertIn("bench runtimes --seconds 1", read["command"])
        self.assertIn("<html", Path(page).read_text())

    def test_json_goes_to_standard_output(self):
        done = bench("runtimes", *QUICK, "--json")
        self.assertEqual(json.loads(done.stdout)["kind"], "runtimes")

    def test_an_arm_that_does_not_exist_is_told(self):
        done = bench("runtimes", "--only", "cobol")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no arm has 'cobol' in its name; they are called like lua/inline/header", done.stderr)

    def test_a_script_stands_beside_the_empty_one(self):
        script = self.write("seen.py", "def request(req):\n    req.headers['X-Seen'] = req.headers['X-Given']\n")
        done = bench("script", script, "-H", "X-Given: 1", "--placement", "inline", "--seconds", "1", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        names = [row["name"] for row in json.loads(done.stdout)["rows"]]
        self.assertEqual(names, ["echo/inline/empty", "python/inline/empty", "python/inline/script"])

    def test_a_script_reads_the_bodies_that_are_given(self):
        script = self.write("body.js", "exports.request = function (req) { if (req.text() !== 'ab') throw new Error(req.text()); };"
                            "exports.response = function (res) { if (res.text() !== 'cd') throw new Error(res.text()); };")
        words = ["--body", self.write("request", "ab"), "--response-body", self.write("response", "cd")]
        done = bench("script", script, *words, "--placement", "inline", "--seconds", "1")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_script_that_fails_is_not_measured(self):
        script = self.write("bad.lua", "return {\n  request = function() error('no luck') end,\n}\n")
        done = bench("script", script, "--seconds", "1")
        self.assertEqual(done.returncode, 7)
        self.assertIn("bad.lua:2: ", done.stderr)
        self.assertIn("no luck", done.stderr)
        for name, text, wanted in [("syntax.lua", "return {", "syntax.lua:1"), ("gone.lua", None, "No such file")]:
            path = self.write(name, text) if text else str(self.folder / name)
            done = bench("script", path, "--seconds", "1")
            self.assertEqual(done.returncode, 7, name)
            self.assertIn(wanted, done.stderr)

    def test_compare_tells_a_regression_by_its_exit_code(self):
        measured = json.loads(Path(self.record()).read_text())

        def record_of(name, factor):  # as on a machine that does nothing else
            for row in measured["rows"]:
                cpu = row["figures"]["cpu"]
                cpu["samples"] = [1000 * factor + k for k in range(12)]
                cpu["median"] = 1000 * factor + 5.5
            return self.write(name, json.dumps(measured))

        before, after = record_of("before.json", 1), record_of("slow.json", 1.5)
        same = bench("compare", before, before, "--fail-on", "cpu>+2%")
        self.assertEqual(same.returncode, 0, same.stderr)
        self.assertIn("~", same.stdout)
        worse = bench("compare", before, after, "--fail-on", "cpu>+2%")
        self.assertEqual(worse.returncode, 9)
        self.assertIn("+49.7 %", worse.stdout)
        self.assertEqual(bench("compare", before, after).returncode, 0)  # nothing was asked to fail
        self.assertTrue(json.loads(bench("compare", before, after, "--json").stdout)["changes"][0]["differs"])

    def test_two_programs_take_turns(self):
        done = bench("compare", LINGATE, LINGATE, "--only", "echo/inline/empty", "--seconds", "2", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["changes"][0]["name"], "echo/inline/empty")
        other = bench("compare", "/bin/true", LINGATE, "--only", "echo/inline/empty", "--seconds", "2")
        self.assertEqual(other.returncode, 2)
        self.assertIn("/bin/true ended before it had measured", other.stderr)

    def test_report_draws_records_and_says_what_is_wrong_with_a_file(self):
        page = str(self.folder / "page.html")
        done = bench("report", self.record("a.json"), self.record("b.json"), "-o", page)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(Path(page).read_text().count("lingate-bench/1"), 2)
        done = bench("report", self.write("x.json", "{}"), "-o", page)
        self.assertEqual(done.returncode, 2)
        self.assertIn("x.json: schema: is missing", done.stderr)

    def test_http_measures_a_server_and_does_not_pass_over_failures(self):
        with Origin() as origin:
            done = bench("http", f"http://127.0.0.1:{origin.port}/", "--rate", "50", "-c", "2", "--seconds", "1", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            names = [row["name"] for row in json.loads(done.stdout)["rows"]]
            self.assertEqual(names, ["closed/2", "open/50"])
        with socket.socket() as nobody:  # bound, so that no other takes the port, and not listening
            nobody.bind(("127.0.0.1", 0))
            done = bench("http", f"http://127.0.0.1:{nobody.getsockname()[1]}/", "--seconds", "1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Connection refused", done.stderr)

    def test_wrong_words_are_usage_errors(self):
        for words in [[], ["runtime"], ["http"], ["compare", "a"], ["script", "x.txt"], ["report", "a"],
                      ["compare", "a", "b", "--fail-on", "p98>1%"], ["runtimes", "--seconds", "0"],
                      ["script", "x.lua", "-H", "no field"], ["http", "https://x/"]]:
            done = bench(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertNotEqual(done.stderr, "", words)


if __name__ == "__main__":
    unittest.main()
